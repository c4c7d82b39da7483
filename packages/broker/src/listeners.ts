// The node's listening sockets. They are bound before anything else happens, so that a taken port is found out before a byte of
// data is touched and the ports are known when the broker registers; they serve when everything is up.

import { hostname } from 'node:os';
import {
  advertisedListeners,
  brokerAdvertisedListeners,
  brokerListeners,
  hostAndPort,
  listenerConfig,
  type BrokerConfig,
  type Clock,
  type Listener,
} from '@tidemark/core';
import {
  defaultGrpcLimits,
  GrpcListener,
  ReceiveMemory,
  type GrpcLimits,
  type PeerConnection,
  type ServiceRegistration,
  type TlsMaterial,
} from '@tidemark/rpc';
import type { Logger } from 'pino';
import { HttpListener, type HttpListenerOptions } from './http-listener.ts';
import { largestPeerMessageBytes } from './peer-limits.ts';
import type { SecurityMetrics } from './metrics/security-metrics.ts';
import { openListenerTls } from './security/listener-tls.ts';
import { RefusalLog } from './security/refusal-log.ts';
import type { ReloadingTls } from './security/reloading-tls.ts';
import { StartupError } from './startup-error.ts';

const NOT_ACCEPTED = 'a connection could not be accepted; see to the limits of open files and memory';

interface Bound {
  readonly listener: Listener;
  readonly port: number;
  readonly grpc: GrpcListener | undefined;
  readonly http: HttpListener | undefined;
  readonly tls: ReloadingTls | undefined;
}

export interface ListenersOptions {
  readonly config: BrokerConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly http: Omit<HttpListenerOptions, 'onNotAccepted'>;
  readonly metrics: SecurityMetrics;
}

/** For requests on their way in. Nodes have their own: what clients do must not keep them from each other. */
export type ReceiveMemories = Readonly<Record<'CLIENT' | 'PEER', ReceiveMemory>>;

/** Who is at the other end of a call of a listener; see `GrpcListener.connectionOf`. */
export type ConnectionOf = (peer: string) => PeerConnection | undefined;

/** What clients may ask at most says nothing of what nodes send each other. */
export function grpcLimits(config: BrokerConfig, kind: 'CLIENT' | 'PEER'): GrpcLimits {
  const maxRequestBytes = config.get('socket.request.max.bytes');
  return {
    ...defaultGrpcLimits,
    maxRequestBytes:
      kind === 'CLIENT' ? maxRequestBytes : Math.max(maxRequestBytes, largestPeerMessageBytes(config)),
    maxIdleMs: config.get('connections.max.idle.ms'),
    maxConnections: config.get('max.connections'),
    maxConnectionsPerIp: config.get('max.connections.per.ip'),
  };
}

/** One message of a node always fits. */
export function receiveMemories(config: BrokerConfig): ReceiveMemories {
  const limitBytes = config.get('queued.max.request.bytes');
  const peerBytes = Math.max(limitBytes, largestPeerMessageBytes(config));
  return { CLIENT: new ReceiveMemory(limitBytes), PEER: new ReceiveMemory(peerBytes) };
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
  readonly #received: ReceiveMemories;

  private constructor(config: BrokerConfig, bound: readonly Bound[], received: ReceiveMemories) {
    this.#config = config;
    this.#received = received;
    this.#bound = bound;
  }

  /** Binds them all, or none: throws `StartupError`. The HTTP listener answers at once, that the node is starting. */
  static async bind(options: ListenersOptions): Promise<Listeners> {
    const { config } = options;
    const bound: Bound[] = [];
    const received = receiveMemories(config);
    try {
      for (const listener of brokerListeners(config)) bound.push(await bindOne(listener, options, received));
    } catch (thrown) {
      await new Listeners(config, bound, received).close(0);
      throw thrown;
    }
    return new Listeners(config, bound, received);
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
  serve(
    kind: Listener['kind'],
    servicesOf: (listener: Listener, connectionOf: ConnectionOf) => readonly ServiceRegistration[],
  ): void {
    for (const { listener, grpc } of this.#bound) {
      if (listener.kind !== kind || grpc === undefined) continue;
      grpc.serve(servicesOf(listener, (peer) => grpc.connectionOf(peer)));
    }
  }

  /** What the node shows to other nodes, and whom it trusts: at every connection anew. Undefined where PEER speaks no TLS. */
  get peerTls(): (() => TlsMaterial) | undefined {
    const tls = this.#bound.find(({ listener }) => listener.kind === 'PEER')?.tls;
    return tls === undefined ? undefined : () => tls.material;
  }

  get connectionCount(): number {
    return this.#bound.reduce((sum, { grpc }) => sum + (grpc?.connectionCount ?? 0), 0);
  }

  /** Requests on their way in, by who sends them. */
  get received(): ReceiveMemories {
    return this.#received;
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
    for (const { tls } of this.#bound) tls?.close();
    await Promise.all(this.#bound.flatMap(({ grpc }) => (grpc === undefined ? [] : [grpc.close(graceMs)])));
    await Promise.all(this.#bound.flatMap(({ http }) => (http === undefined ? [] : [http.close()])));
  }
}

async function bindOne(
  listener: Listener,
  options: ListenersOptions,
  received: ReceiveMemories,
): Promise<Bound> {
  const { host, port, kind } = listener;
  if (kind === 'HTTP') {
    const http = new HttpListener({
      ...options.http,
      onNotAccepted: (cause) => options.log.error({ listener: listener.name, err: cause }, NOT_ACCEPTED),
    });
    return {
      listener,
      port: await bindTo(listener, () => http.listen(host, port)),
      grpc: undefined,
      http,
      tls: undefined,
    };
  }
  const { grpc, tls } = grpcListener(listener, kind, options, received[kind]);
  try {
    return {
      listener,
      port: await bindTo(listener, () => grpc.listen(host, port)),
      grpc,
      http: undefined,
      tls,
    };
  } catch (thrown) {
    tls?.close();
    throw thrown;
  }
}

function grpcListener(
  { name }: Listener,
  kind: 'CLIENT' | 'PEER',
  { config, clock, log, metrics }: ListenersOptions,
  received: ReceiveMemory,
): { readonly grpc: GrpcListener; readonly tls: ReloadingTls | undefined } {
  const tls = openListenerTls(config, {
    listener: name,
    clock,
    log,
    onReplaced: (each) => grpc.replaceTls(each),
  });
  const refusals = new RefusalLog(clock, log, 'a TLS connection was refused', () => {
    metrics.refusedHandshakes += 1;
  });
  const grpc = new GrpcListener(
    grpcLimits(config, kind),
    tls && {
      material: tls.material,
      clientAuth: listenerConfig(config, name, 'ssl.client.auth'),
      onRefused: (remoteAddress, reason) => refusals.tell({ listener: name, remoteAddress, reason }),
    },
    received,
    (cause) => log.error({ listener: name, err: cause }, NOT_ACCEPTED),
  );
  return { grpc, tls };
}

async function bindTo(listener: Listener, listen: () => Promise<number>): Promise<number> {
  try {
    return await listen();
  } catch (cause) {
    throw bindFailure(listener, cause);
  }
}
