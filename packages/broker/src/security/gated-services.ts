// A gate before every RPC of a listener: one place that no handler can forget, because it is put around services as they are
// registered, and not into them.

import type { ServerDuplexStream, ServerUnaryCall, status, UntypedHandleCall } from '@grpc/grpc-js';
import type { ServiceRegistration } from '@tidemark/rpc';

/** Of the four kinds of calls, what they have in common. */
export type AnyCall = Pick<ServerUnaryCall<unknown, unknown>, 'getPeer' | 'metadata'> & object;

export interface Refusal {
  readonly code: status;
  readonly details: string;
}

/** `path`: `/package.Service/Method`. Undefined lets the call through. */
export type Gate = (path: string, call: AnyCall) => Refusal | undefined;

export function gatedServices(
  services: readonly ServiceRegistration[],
  gate: Gate,
): readonly ServiceRegistration[] {
  return services.map(([definition, implementation]) => {
    const gated = Object.fromEntries(
      Object.entries(definition).map(([name, method]) => {
        const handler = implementation[name] ?? implementation[method.originalName ?? ''];
        if (handler === undefined) throw new RangeError(`${method.path} has no handler`);
        return [name, gatedHandler(method.path, handler, gate)];
      }),
    );
    return [definition, gated];
  });
}

function gatedHandler(path: string, handler: UntypedHandleCall, gate: Gate): UntypedHandleCall {
  const inner = handler as (call: AnyCall, callback?: (refusal: Refusal) => void) => void;
  const outer = (call: AnyCall, callback?: (refusal: Refusal) => void): void => {
    const refusal = gate(path, call);
    if (refusal === undefined) inner(call, callback);
    else if (callback !== undefined) callback(refusal);
    else (call as ServerDuplexStream<unknown, unknown>).emit('error', refusal);
  };
  return outer as UntypedHandleCall;
}
