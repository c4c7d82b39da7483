// One gRPC listener: a TCP socket of our own whose connections are handed to a grpc-js server with the house's limits. Owning
// the socket gives what grpc-js does not: the errno when the port is taken, a cap on connections, and a port that is taken and
// known before there is anything to serve. Connections that come early wait a moment for `serve` and are then closed: whoever
// asks goes elsewhere, instead of hanging on a node that may be minutes from serving.
//
// Every limit here exists because grpc-js has none by default: session memory is unlimited, concurrent streams are unlimited,
// idle connections stay for ever, and a peer that vanished is never noticed.

import type { X509Certificate } from 'node:crypto';
import { createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import {
  Server,
  ServerCredentials,
  type ConnectionInjector,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { TlsMaterial } from '../tls-material.ts';
import { messageDeadline } from './message-deadline.ts';
import { ReceiveMemory } from './receive-memory.ts';
import { receivedCalls } from './received-calls.ts';
import { TlsAcceptor, type ClientAuth } from './tls-acceptor.ts';

export interface GrpcLimits {
  /** Largest message taken; `socket.request.max.bytes`. A larger one fails its call with RESOURCE_EXHAUSTED unread. */
  readonly maxRequestBytes: number;
  /** Connections at once, `max.connections`; the next one is closed at once. */
  readonly maxConnections: number;
  /** Of them, from one address; `max.connections.per.ip`. */
  readonly maxConnectionsPerIp: number;
  /** A connection that has not begun to speak HTTP/2, or a call whose one message has not come, by then is ended, in ms. */
  readonly beginTimeoutMs: number;
  /** Calls at once on one connection, told to the peer in SETTINGS; more are refused by HTTP/2 itself. */
  readonly maxStreamsPerConnection: number;
  /** Memory of one HTTP/2 session in MB, as Node counts it; past it new streams are refused. */
  readonly maxSessionMemoryMb: number;
  /** A connection without a call for so long is closed; `connections.max.idle.ms`. */
  readonly maxIdleMs: number;
  /** After so long without a frame the peer is pinged, and has `keepaliveTimeoutMs` to answer. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
}

export const defaultGrpcLimits: GrpcLimits = {
  maxRequestBytes: 100 * 1024 * 1024,
  maxConnections: 10_000,
  maxConnectionsPerIp: 2 ** 31 - 1,
  beginTimeoutMs: 10_000,
  maxStreamsPerConnection: 1_000,
  maxSessionMemoryMb: 64,
  maxIdleMs: 600_000,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
};

/** What makes a listener speak TLS. */
export interface ListenerTls {
  readonly material: TlsMaterial;
  readonly clientAuth: ClientAuth;
  readonly onRefused: (remoteAddress: string, reason: string) => void;
}

/** Who is at the other end of a connection, as far as the connection itself says it. */
export interface PeerConnection {
  readonly remoteAddress: string;
  /** The certificate it showed, if it was asked for one; its authority was checked. */
  readonly certificate: X509Certificate | undefined;
}

/** How long a connection waits for `serve`. */
const EARLY_MS = 300;
/** What every client begins with: `PRI * HTTP/2.0`, blank lines and `SM`. */
const PREFACE_BYTES = 24;
/** How long a TLS handshake may take. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Of a listener that shares no memory with others. */
const OWN_RECEIVE_BYTES = 128 * 1024 * 1024;

export type ServiceRegistration = readonly [ServiceDefinition, UntypedServiceImplementation];

interface Connection extends PeerConnection {
  readonly socket: Socket;
}

export class GrpcListener {
  readonly #limits: GrpcLimits;
  readonly #received: ReceiveMemory;
  readonly #onNotAccepted: (cause: Error) => void;
  readonly #sockets = new Set<Socket>();
  /** Those ready for HTTP/2, by `address:port` of the peer, as grpc-js names the peer of a call. */
  readonly #connections = new Map<string, Connection>();
  readonly #tls: TlsAcceptor | undefined;
  readonly #perAddress = new Map<string, number>();
  #tcp: TcpServer | undefined;
  #server: Server | undefined;
  #injector: ConnectionInjector | undefined;

  /**
   * `received`: for requests on their way in, which listeners may share. `onNotAccepted`: told of connections that the system could not
   * give us, for want of descriptors or memory; those that come later are taken.
   */
  constructor(
    limits: GrpcLimits,
    tls?: ListenerTls,
    received = new ReceiveMemory(OWN_RECEIVE_BYTES),
    onNotAccepted: (cause: Error) => void = () => undefined,
  ) {
    this.#limits = limits;
    this.#received = received;
    this.#onNotAccepted = onNotAccepted;
    if (tls === undefined) return;
    this.#tls = new TlsAcceptor({
      ...tls,
      handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      onSecure: (socket, certificate) => this.#admit(socket, certificate),
    });
  }

  /** Connections from now on are shown this certificate, and checked against these authorities. */
  replaceTls(material: TlsMaterial): void {
    this.#tls?.replace(material);
  }

  /** Who is at the other end of a call, by what grpc-js answers for `call.getPeer()`. */
  connectionOf(peer: string): PeerConnection | undefined {
    return this.#connections.get(peer);
  }

  /** Binds. Port 0 picks one; the answer is the port. Rejects with Node's error (`code` EADDRINUSE, EACCES ...). */
  listen(host: string, port: number): Promise<number> {
    const tcp = createServer({ noDelay: true }, (socket) => {
      if (!this.#mayConnect(socket)) {
        socket.destroy();
        return;
      }
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      // Until HTTP/2 takes the socket over nobody else listens for its errors; 'close' follows each of them.
      socket.on('error', () => socket.destroy());
      if (this.#injector === undefined) this.#wait(socket);
      if (this.#tls === undefined) this.#admit(socket, undefined);
      else this.#tls.accept(socket);
    });
    tcp.maxConnections = this.#limits.maxConnections;
    this.#tcp = tcp;
    return new Promise((resolve, reject) => {
      tcp.once('error', reject);
      // Not `exclusive: false`: a second process on the same port must fail, not share it.
      tcp.listen({ host, port, exclusive: true }, () => {
        tcp.removeListener('error', reject);
        tcp.on('error', this.#onNotAccepted);
        resolve((tcp.address() as AddressInfo).port);
      });
    });
  }

  /** From here on calls are answered, those of connections that are there already included. */
  serve(services: readonly ServiceRegistration[]): void {
    const limits = this.#limits;
    const server = new Server({
      'grpc.max_receive_message_length': limits.maxRequestBytes,
      // What may be sent is bounded by the fetch limits; a first batch goes out whatever its size.
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': limits.maxStreamsPerConnection,
      'grpc-node.max_session_memory': limits.maxSessionMemoryMb,
      'grpc.max_connection_idle_ms': limits.maxIdleMs,
      'grpc.keepalive_time_ms': limits.keepaliveMs,
      'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.enable_channelz': 0,
      // The first is given the call of grpc-js itself.
      interceptors: [
        receivedCalls(this.#received, limits.maxRequestBytes),
        messageDeadline(limits.beginTimeoutMs),
      ],
    });
    for (const [definition, implementation] of services) server.addService(definition, implementation);
    this.#server = server;
    this.#injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    for (const { socket } of this.#connections.values()) this.#injector.injectConnection(socket);
  }

  #admit(socket: Socket, certificate: X509Certificate | undefined): void {
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || socket.destroyed) {
      socket.destroy();
      return;
    }
    const peer = `${remoteAddress}:${remotePort}`;
    const connection: Connection = { socket, remoteAddress, certificate };
    this.#connections.set(peer, connection);
    socket.once('close', () => {
      // Another connection may have the port by now.
      if (this.#connections.get(peer) === connection) this.#connections.delete(peer);
    });
    this.#expectPreface(socket);
    this.#injector?.injectConnection(socket);
  }

  /** Counts the connection against its address, as long as it lasts. */
  #mayConnect(socket: Socket): boolean {
    const { remoteAddress = '' } = socket;
    const open = this.#perAddress.get(remoteAddress) ?? 0;
    if (open >= this.#limits.maxConnectionsPerIp) return false;
    this.#perAddress.set(remoteAddress, open + 1);
    socket.once('close', () => {
      const left = (this.#perAddress.get(remoteAddress) ?? 1) - 1;
      if (left <= 0) this.#perAddress.delete(remoteAddress);
      else this.#perAddress.set(remoteAddress, left);
    });
    return true;
  }

  /** Node gives a peer all the time there is for the first bytes of HTTP/2. */
  #expectPreface(socket: Socket): void {
    const deadline = setTimeout(() => {
      if (socket.bytesRead < PREFACE_BYTES) socket.destroy();
    }, this.#limits.beginTimeoutMs);
    deadline.unref();
    socket.once('close', () => clearTimeout(deadline));
  }

  #wait(socket: Socket): void {
    const early = setTimeout(() => {
      if (this.#injector === undefined) socket.destroy();
    }, EARLY_MS);
    socket.once('close', () => clearTimeout(early));
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  /** Stops accepting, lets calls under way finish for `graceMs`, then ends what is left. */
  async close(graceMs: number): Promise<void> {
    const tcp = this.#tcp;
    if (tcp === undefined) return;
    this.#tcp = undefined;
    const closed = new Promise<void>((resolve) => tcp.close(() => resolve()));
    const end = (): void => {
      for (const socket of this.#sockets) socket.destroy();
    };
    // Draining sends GOAWAY and waits for the calls; a socket whose HTTP/2 session never began knows nothing of it.
    if (graceMs > 0) this.#injector?.drain(graceMs);
    const deadline = setTimeout(end, graceMs);
    if (graceMs <= 0 || this.#injector === undefined) end();
    await closed;
    clearTimeout(deadline);
    this.#injector?.destroy();
    this.#server?.forceShutdown();
  }
}
