// A gate before every RPC of a listener: one place that no handler can forget, because it is put around services as they are
// registered, and not into them.

import type { ServerDuplexStream, ServerUnaryCall, status, UntypedHandleCall } from '@grpc/grpc-js';
import type { Clock } from '@tidemark/core';
import type { ServiceRegistration } from '@tidemark/rpc';

/** Of the four kinds of calls, what they have in common. */
export type AnyCall = Pick<ServerUnaryCall<unknown, unknown>, 'getPeer' | 'metadata'> & object;

export interface Refusal {
  readonly code: status;
  readonly details: string;
}

export type Callback = (error: Refusal | null, answer?: object | null) => void;

export interface Passed {
  /** In the place of the call's own: it sees the answer first. */
  readonly callback?: Callback | undefined;
  /** The gate has answered already. */
  readonly answered?: boolean;
  /** It is done only then. */
  readonly when?: Promise<void> | undefined;
  /** Told how long the handler and its answer kept the process busy, in ms. */
  readonly took?: ((ms: number) => void) | undefined;
  readonly clock?: Clock;
}

/** It was answered in the gate; the handler hears nothing of it. */
export function answeredHere(callback: Callback | undefined, answer: object): Passed {
  callback?.(null, answer);
  return { answered: true };
}

/** `path`: `/package.Service/Method`. `callback`: of a call that has one answer. */
export type Gate = (path: string, call: AnyCall, callback: Callback | undefined) => Refusal | Passed;

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
  const inner = handler as (call: AnyCall, callback?: Callback) => void;
  const outer = (call: AnyCall, callback?: Callback): void => {
    const outcome = gate(path, call, callback);
    if (!('code' in outcome)) {
      if (outcome.answered !== true) run(inner, call, outcome, callback);
    } else if (callback !== undefined) callback(outcome);
    else (call as ServerDuplexStream<unknown, unknown>).emit('error', outcome);
  };
  return outer as UntypedHandleCall;
}

type Inner = (call: AnyCall, callback?: Callback) => void;

function run(inner: Inner, call: AnyCall, passed: Passed, own: Callback | undefined): void {
  const { took, clock, when } = passed;
  const callback = passed.callback ?? own;
  if (took === undefined || clock === undefined || callback === undefined) {
    inner(call, callback);
    return;
  }
  const timed = (work: () => void): void => {
    const startedMs = clock.monotonicMs();
    work();
    took(clock.monotonicMs() - startedMs);
  };
  const start = (): void => timed(() => inner(call, (error, answer) => timed(() => callback(error, answer))));
  if (when === undefined) start();
  else void when.then(start);
}
