// The node's listening sockets. They are bound before anything else happens, so that a taken port is found out before a byte of
// data is touched and the ports are known when the broker registers; they serve when everything is up.

import { hostname } from 'node:os';
import {
  advertisedListeners,
  brokerAdvertisedListeners,
  brokerListeners,
  hostAndPort,
  type BrokerConfig,
  type Listener,
} from '@tidemark/core';
import { defaultGrpcLimits, GrpcListener, type GrpcLimits, type ServiceRegistration } from '@tidemark/rpc';
import { HttpListener, type HttpListenerOptions } from './http-listener.ts';
import { StartupError } from './startup-error.ts';

interface Bound {
  readonly listener: Listener;
  readonly port: number;
  readonly grpc: GrpcListener | undefined;
  readonly http: HttpListener | undefined;
}

export function grpcLimits(config: BrokerConfig): GrpcLimits {
  return {
    ...defaultGrpcLimits,
    maxRequestBytes: config.get('socket.request.max.bytes'),
    maxIdleMs: config.get('connections.max.idle.ms'),
  };
}

function bindFailure(listener: Listener, cause: unknown): StartupError {
  const { code } = cause as NodeJS.ErrnoException;
  const where = `${listener.name} ${hostAndPort(listener.host, listener.port)}`;
  const key = 'set another port for it in `listeners`';
  switch (code ?? '') {
    case 'EADDRINUSE':
      return new StartupError(
        `cannot listen on ${where}: the port is in use`,
        `stop the process that has it, or ${key}`,
        { cause },
      );
    case 'EACCES':
      return new StartupError(
        `cannot listen on ${where}: this user may not use that port`,
        `use a port from 1024 up: ${key}`,
        { cause },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartupError(
        `cannot listen on ${where}: this machine has no such address`,
        'name one of its addresses, or 0.0.0.0 for all of them, in `listeners`',
        { cause },
      );
    default:
      return new StartupError(`cannot listen on ${where}: ${String(cause)}`, key, { cause });
  }
}

export class Listeners {
  readonly #bound: readonly Bound[];
  readonly #config: BrokerConfig;

  private constructor(config: BrokerConfig, bound: readonly Bound[]) {
    this.#config = config;
    this.#bound = bound;
  }

  /** Binds them all, or none: throws `StartupError`. The HTTP listener answers at once, that the node is starting. */
  static async bind(config: BrokerConfig, http: HttpListenerOptions): Promise<Listeners> {
    const bound: Bound[] = [];
    try {
      for (const listener of brokerListeners(config)) bound.push(await bindOne(config, listener, http));
    } catch (thrown) {
      await new Listeners(config, bound).close(0);
      throw thrown;
    }
    return new Listeners(config, bound);
  }

  /** Ports by listener name. */
  get ports(): ReadonlyMap<string, number> {
    return new Map(this.#bound.map(({ listener, port }) => [listener.name, port]));
  }

  /** `host:port` by listener name, as bound. */
  get addresses(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      this.#bound.map(({ listener, port }) => [listener.name, hostAndPort(listener.host, port)]),
    );
  }

  /** What others are told. */
  get advertised(): readonly Listener[] {
    return advertisedListeners(
      brokerListeners(this.#config),
      brokerAdvertisedListeners(this.#config),
      hostname(),
      this.ports,
    );
  }

  /** Begins to answer calls on every listener of the kind. */
  serve(kind: Listener['kind'], servicesOf: (listener: Listener) => readonly ServiceRegistration[]): void {
    for (const { listener, grpc } of this.#bound) {
      if (listener.kind === kind) grpc?.serve(servicesOf(listener));
    }
  }

  get connectionCount(): number {
    return this.#bound.reduce((sum, { grpc }) => sum + (grpc?.connectionCount ?? 0), 0);
  }

  /** Clients first: what they still wait for may need the other nodes. */
  async closeClients(graceMs: number): Promise<void> {
    const clients = this.#bound.flatMap(({ listener, grpc }) =>
      listener.kind === 'CLIENT' && grpc !== undefined ? [grpc] : [],
    );
    await Promise.all(clients.map((grpc) => grpc.close(graceMs)));
  }

  /** Stops accepting and lets calls under way finish for `graceMs`. The HTTP listener goes last: it says why. */
  async close(graceMs: number): Promise<void> {
    await Promise.all(this.#bound.flatMap(({ grpc }) => (grpc === undefined ? [] : [grpc.close(graceMs)])));
    await Promise.all(this.#bound.flatMap(({ http }) => (http === undefined ? [] : [http.close()])));
  }
}

async function bindOne(
  config: BrokerConfig,
  listener: Listener,
  options: HttpListenerOptions,
): Promise<Bound> {
  const { host, port, kind } = listener;
  const grpc = kind === 'HTTP' ? undefined : new GrpcListener(grpcLimits(config));
  const http = kind === 'HTTP' ? new HttpListener(options) : undefined;
  try {
    const bound = await (grpc ?? http)!.listen(host, port);
    return { listener, port: bound, grpc, http };
  } catch (cause) {
    throw bindFailure(listener, cause);
  }
}
