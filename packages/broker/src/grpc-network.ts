// core's Network over PeerService: one stream to each peer and lane, opened when there is something to send. Messages are lost when a
// connection breaks, and nothing is sent twice; the protocols above know that. What is queued for a peer is bounded in bytes, for
// each peer and lane by itself, so that one that is stuck holds up nobody else. Each lane has a connection of its own.
//
// A peer that falls silent (its process stopped, its host gone, half a connection) is found out by a ping within 4 s, or, while a
// connection to it is being made, within 1 s. From then on it is tried about once a second at least, so that messages flow again
// within 1.5 s of its return. One whose process is gone refuses connections, which is noticed at once and told.

import { status, type handleClientStreamingCall } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientDuplexStream } from '@grpc/grpc-js';
import type { Clock, Lane, Network, NetworkMessage, NodeId } from '@tidemark/core';
import {
  Channel,
  guardedService,
  peerMessageService,
  UndecodableRequest,
  type SendRequest,
  type SendRequestOutput,
  type SendResponse,
  type SendResponseOutput,
  type ServiceRegistration,
} from '@tidemark/rpc';
import { RefusalProbe } from './refusal-probe.ts';

export interface GrpcNetworkOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  /** `host:port` of a peer's PEER listener; undefined for a node nobody knows. */
  readonly addressOf: (node: NodeId) => string | undefined;
  /** Bytes that may be queued for one peer. */
  readonly maxQueuedBytes: number;
  /** A peer is pinged so often, and may take as long for its answer, in ms. Default 2,000. */
  readonly keepaliveMs?: number;
  /** Default: plaintext. */
  readonly credentials?: ChannelCredentials;
}

const DEFAULT_KEEPALIVE_MS = 2000;
/** Peers answer within milliseconds; an attempt that took so long is thrown away and made anew. */
export const PEER_CONNECT_TIMEOUT_MS = 1000;
const MAX_RECONNECT_BACKOFF_MS = 300;

/** After a stream has failed its peer is left alone for so long; what is sent meanwhile is dropped. */
const RETRY_AFTER_MS = 100;
/** Messages that may be queued for one peer, however small: an empty one is an object all the same. */
const MAX_QUEUED_MESSAGES = 65_536;

/** What waits for one peer in one lane, for metrics. */
export interface PeerQueue {
  readonly peer: NodeId;
  readonly lane: Lane;
  readonly queuedBytes: number;
  /** Messages that were not taken: the queue was full, or the peer had failed a moment before. Of this address of the peer. */
  readonly dropped: number;
}

type Receiver = (message: NetworkMessage) => void;

export class GrpcNetwork implements Network {
  readonly self: NodeId;
  readonly #options: GrpcNetworkOptions;
  readonly #links: Readonly<Record<Lane, Map<NodeId, PeerLink>>> = { control: new Map(), bulk: new Map() };
  /** How to end each stream that a peer has open to us. */
  readonly #incoming = new Set<() => void>();
  /** One for each peer that failed since it was reached. */
  readonly #probes = new Map<NodeId, RefusalProbe>();
  #receiver: Receiver | undefined;
  #refusalListener: ((peer: NodeId) => void) | undefined;
  #closed = false;

  constructor(options: GrpcNetworkOptions) {
    this.self = options.self;
    this.#options = options;
  }

  send(to: NodeId, payload: Uint8Array, lane: Lane = 'control'): boolean {
    if (this.#closed) return false;
    const address = this.#options.addressOf(to);
    if (address === undefined) return false;
    const links = this.#links[lane];
    let link = links.get(to);
    if (link?.address !== address) {
      link?.close();
      link = new PeerLink(to, address, this.#options, () => this.#linkFailed(to, address));
      links.set(to, link);
    }
    this.#probes.get(to)?.attempt();
    // In the control lane the sender may use its buffer again as soon as this returns, and grpc-js serializes when the stream has
    // its turn.
    return link.send(lane === 'bulk' ? asBuffer(payload) : Buffer.from(payload));
  }

  onMessage(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  onRefused(listener: (peer: NodeId) => void): void {
    this.#refusalListener = listener;
  }

  queues(): readonly PeerQueue[] {
    return (['control', 'bulk'] as const).flatMap((lane) =>
      [...this.#links[lane]].map(([peer, { queuedBytes, dropped }]) => ({
        peer,
        lane,
        queuedBytes,
        dropped,
      })),
    );
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const probe of this.#probes.values()) probe.close();
    this.#probes.clear();
    for (const end of [...this.#incoming]) end();
    for (const links of Object.values(this.#links)) {
      for (const link of links.values()) link.close();
      links.clear();
    }
    return Promise.resolve();
  }

  /** What the PEER listener serves: the receiving half. */
  service(): ServiceRegistration {
    const send: handleClientStreamingCall<SendRequestOutput | UndecodableRequest, SendResponse> = (
      call,
      callback,
    ) => {
      let from: number | undefined;
      let answered = false;
      const answer = (refusal?: { readonly code: status; readonly details: string }): void => {
        if (answered) return;
        answered = true;
        this.#incoming.delete(end);
        if (refusal === undefined) callback(null, {});
        else callback(refusal);
      };
      const end = (): void => answer({ code: status.UNAVAILABLE, details: 'this node is shutting down' });
      const refuse = (details: string): void => answer({ code: status.INVALID_ARGUMENT, details });
      if (this.#closed) end();
      else this.#incoming.add(end);
      call.once('cancelled', () => this.#incoming.delete(end));
      call.on('data', (request: SendRequestOutput | UndecodableRequest) => {
        if (answered) return;
        if (request instanceof UndecodableRequest) refuse(request.reason);
        else if (request.to !== this.self) {
          refuse(`this is node ${this.self}, not node ${request.to}`);
        } else if (from !== undefined && request.from !== from) {
          refuse(`a stream has one sender; this one had ${from} and now ${request.from}`);
        } else {
          from = request.from;
          if (!this.#closed) this.#receiver?.({ from: from as NodeId, payload: request.payload });
        }
      });
      call.on('end', () => answer());
    };
    return [guardedService(peerMessageService, ['Send']), { Send: send }];
  }

  /** A stream broke, for whatever reason: from now on what is sent to the peer also asks whether anybody listens there. */
  #linkFailed(to: NodeId, address: string): void {
    if (this.#closed || this.#refusalListener === undefined) return;
    const known = this.#probes.get(to);
    if (known?.address === address) return;
    known?.close();
    const probe = new RefusalProbe(address, this.#options.clock, (outcome) => {
      if (outcome === 'refused') this.#refusalListener?.(to);
      else if (outcome === 'accepted') this.#probes.delete(to);
    });
    this.#probes.set(to, probe);
    probe.attempt();
  }
}

/** The sending half to one peer. */
class PeerLink {
  readonly address: string;
  readonly #to: NodeId;
  readonly #options: GrpcNetworkOptions;
  readonly #onFailed: () => void;
  readonly #channel: Channel;
  #call: ClientDuplexStream<SendRequest, SendResponseOutput> | undefined;
  #queuedBytes = 0;
  #queued = 0;
  #retryAtMs = 0;
  dropped = 0;

  constructor(to: NodeId, address: string, options: GrpcNetworkOptions, onFailed: () => void) {
    this.#onFailed = onFailed;
    this.#to = to;
    this.address = address;
    this.#options = options;
    const keepaliveMs = options.keepaliveMs ?? DEFAULT_KEEPALIVE_MS;
    this.#channel = new Channel(address, {
      clock: options.clock,
      connectTimeoutMs: PEER_CONNECT_TIMEOUT_MS,
      keepaliveTimeMs: keepaliveMs,
      keepaliveTimeoutMs: keepaliveMs,
      maxReconnectBackoffMs: MAX_RECONNECT_BACKOFF_MS,
      ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    });
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  send(payload: Buffer): boolean {
    const isTaken = this.#take(payload);
    if (!isTaken) this.dropped += 1;
    return isTaken;
  }

  #take(payload: Buffer): boolean {
    const bytes = payload.length;
    if (this.#queuedBytes + bytes > this.#options.maxQueuedBytes) return false;
    if (this.#queued >= MAX_QUEUED_MESSAGES) return false;
    const call = this.#call ?? this.#open();
    if (call === undefined) return false;
    this.#queuedBytes += bytes;
    this.#queued += 1;
    const message = { from: this.#options.self, to: this.#to, payload };
    call.write(message, () => {
      if (this.#call !== call) return;
      this.#queuedBytes -= bytes;
      this.#queued -= 1;
    });
    return true;
  }

  close(): void {
    this.#call = undefined;
    this.#channel.close();
  }

  #open(): ClientDuplexStream<SendRequest, SendResponseOutput> | undefined {
    const { clock } = this.#options;
    if (clock.monotonicMs() < this.#retryAtMs) return undefined;
    const call = this.#channel.stream(peerMessageService.Send);
    const over = (): void => {
      if (this.#call !== call) return;
      // Whatever was queued on it is lost.
      this.#call = undefined;
      this.#queuedBytes = 0;
      this.#queued = 0;
      this.#retryAtMs = clock.monotonicMs() + RETRY_AFTER_MS;
      this.#onFailed();
    };
    call.on('error', over);
    call.on('end', over);
    call.resume();
    this.#call = call;
    return call;
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
