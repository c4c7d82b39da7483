// What stands before every request decoder. A few bytes on the wire can become a large object (an empty repeated message is two
// bytes there and two hundred here), so requests that carry no record bytes are bounded more tightly than
// `socket.request.max.bytes`; and a message that cannot be decoded becomes a value the handler's shell answers with a reason,
// where grpc-js by itself would say INTERNAL.

import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

/** Largest request other than a produce, in bytes: some ten thousand partitions. */
export const MAX_CONTROL_REQUEST_BYTES = 1024 * 1024;

/** Stands in the place of a request that could not be decoded. */
export class UndecodableRequest {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

type AnyMethod = MethodDefinition<unknown, unknown>;

function guarded(method: AnyMethod, maxBytes: number): AnyMethod {
  return {
    ...method,
    requestDeserialize: (bytes: Buffer): unknown => {
      if (bytes.length > maxBytes) {
        return new UndecodableRequest(`the request has ${bytes.length} bytes and may have ${maxBytes}`);
      }
      try {
        return method.requestDeserialize(bytes);
      } catch (thrown) {
        return new UndecodableRequest(thrown instanceof Error ? thrown.message : String(thrown));
      }
    },
  };
}

/** The service with every decoder guarded. `recordMethods` carry records and are bounded by the listener alone. */
export function guardedService(service: object, recordMethods: readonly string[] = []): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service as ServiceDefinition).map(([name, method]) => [
      name,
      guarded(method as AnyMethod, recordMethods.includes(name) ? Infinity : MAX_CONTROL_REQUEST_BYTES),
    ]),
  );
}
