// grpc.health.v1.Health. The process sets a status per service name; '' speaks for the whole process. `Watch` sends the status
// at once and again at each change; for a name nobody registered it says SERVICE_UNKNOWN and goes on waiting, as the protocol
// wants it, while `Check` fails with NOT_FOUND.

import { status, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData } from '@grpc/grpc-js';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { healthService } from '../definitions.ts';
import type { HealthCheckRequestOutput } from '../generated/grpc/health/v1/HealthCheckRequest.ts';
import type { HealthCheckResponse } from '../generated/grpc/health/v1/HealthCheckResponse.ts';
import { guardedService, UndecodableRequest } from './request-guard.ts';

/** Names of services are shorter. */
const MAX_SHOWN_NAME = 64;

export type HealthStatus = 'SERVING' | 'NOT_SERVING';
type HealthListener = (status: HealthStatus | 'closed') => void;

/** What the process says of itself; one registry may serve several listeners. */
export class HealthRegistry {
  readonly #statuses = new Map<string, HealthStatus>();
  readonly #listeners = new Map<string, Set<HealthListener>>();

  set(service: string, value: HealthStatus): void {
    if (this.#statuses.get(service) === value) return;
    this.#statuses.set(service, value);
    for (const listener of this.#listeners.get(service) ?? []) listener(value);
  }

  setAll(value: HealthStatus): void {
    for (const service of [...this.#statuses.keys()]) this.set(service, value);
  }

  get(service: string): HealthStatus | undefined {
    return this.#statuses.get(service);
  }

  /** Ends every watch: the process is going. */
  close(): void {
    for (const listeners of [...this.#listeners.values()]) {
      for (const listener of [...listeners]) listener('closed');
    }
  }

  /** Calls back at every later change, and with `closed` at the end. Answers how to stop. */
  listen(service: string, listener: HealthListener): () => void {
    const listeners = this.#listeners.get(service) ?? new Set();
    this.#listeners.set(service, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(service);
    };
  }
}

export function healthHandlers(
  registry: HealthRegistry,
): readonly [ServiceDefinition, UntypedServiceImplementation] {
  const check = (
    call: ServerUnaryCall<HealthCheckRequestOutput | UndecodableRequest, HealthCheckResponse>,
    callback: sendUnaryData<HealthCheckResponse>,
  ): void => {
    if (call.request instanceof UndecodableRequest) {
      callback({ code: status.INVALID_ARGUMENT, details: call.request.reason });
      return;
    }
    const found = registry.get(call.request.service);
    if (found === undefined) {
      // A status is a header: a long one ends the connection.
      const shown = JSON.stringify(call.request.service.slice(0, MAX_SHOWN_NAME));
      callback({ code: status.NOT_FOUND, details: `no service ${shown} here` });
    } else callback(null, { status: found });
  };
  const watch = (
    call: ServerWritableStream<HealthCheckRequestOutput | UndecodableRequest, HealthCheckResponse>,
  ): void => {
    if (call.request instanceof UndecodableRequest) {
      call.emit('error', { code: status.INVALID_ARGUMENT, details: call.request.reason });
      return;
    }
    // A watcher that does not read gets only the latest status once it does: at most one write is under way.
    let writing = false;
    let latest: HealthStatus | undefined = registry.get(call.request.service);
    let shown: HealthStatus | 'SERVICE_UNKNOWN' | undefined;
    const show = (): void => {
      const wanted = latest ?? 'SERVICE_UNKNOWN';
      if (writing || shown === wanted) return;
      writing = true;
      shown = wanted;
      call.write({ status: wanted }, () => {
        writing = false;
        show();
      });
    };
    const stop = registry.listen(call.request.service, (value) => {
      if (value === 'closed') call.end();
      else {
        latest = value;
        show();
      }
    });
    call.once('cancelled', () => {
      stop();
      call.end();
    });
    call.once('close', stop);
    show();
  };
  return [guardedService(healthService), { check, watch }];
}
