// PeerRequests: questions and answers between nodes over two channels of one-way messages that may be lost, repeated and
// reordered. Contract: every call is settled at its deadline at the latest; a request is executed at most once, by one process
// of the server; what is under way on either side is bounded. Nothing is sent again here: the caller knows what may be repeated.

import {
  type Clock,
  failure,
  type Failure,
  invariant,
  MAX_TIMER_MS,
  type NetworkMessage,
  type NodeId,
  type Prng,
  TidemarkError,
  type Timer,
} from '@tidemark/core';
import {
  decodeAnswerFrame,
  decodeRequestFrame,
  encodeAnswerFrame,
  encodeRequestFrame,
  type PeerAnswer,
  type RequestFrame,
} from './peer-request-frames.ts';
import { PeerRequestWindow } from './peer-request-window.ts';
import type { PeerChannel } from './peer-router.ts';

export type { PeerAnswer } from './peer-request-frames.ts';

export interface PeerRequestLimits {
  /** Calls that wait for an answer, and the bytes of their bodies. */
  readonly maxCalls: number;
  readonly maxCallBytes: number;
  /** Requests of others under way here, and the bytes of their bodies. */
  readonly maxServed: number;
  readonly maxServedBytes: number;
}

const MIB = 1024 * 1024;

export const defaultPeerRequestLimits: PeerRequestLimits = {
  maxCalls: 4096,
  maxCallBytes: 64 * MIB,
  maxServed: 4096,
  maxServedBytes: 64 * MIB,
};

export interface PeerRequestsOptions {
  readonly requests: PeerChannel;
  readonly answers: PeerChannel;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly limits: PeerRequestLimits;
  /** A handler failed with something that is no operating error: a bug, which ends the process. */
  readonly onFatal: (cause: unknown) => void;
}

export interface ServedCall {
  /** By this node's monotonic clock: nobody waits for the answer from then on, at the latest. */
  readonly deadlineMs: number;
}

/** Rejects with TidemarkError to answer a failure. `body` is a view of the message; it stays as it is. */
export type PeerRequestHandler = (from: NodeId, body: Uint8Array, call: ServedCall) => Promise<Uint8Array>;

interface WaitingCall {
  readonly bytes: number;
  readonly timer: Timer;
  readonly settle: (answer: PeerAnswer) => void;
}

/** What is known of a node as a server of ours. */
interface Server {
  sequence: number;
  readonly waiting: Map<number, WaitingCall>;
}

/** Incarnations of callers remembered, the least recently heard of forgotten first. */
const MAX_CALLERS = 1024;

export class PeerRequests {
  readonly #options: PeerRequestsOptions;
  readonly #incarnation: number;
  readonly #handlers = new Map<number, PeerRequestHandler>();
  readonly #servers = new Map<NodeId, Server>();
  readonly #callers = new Map<string, PeerRequestWindow>();
  #calls = 0;
  #callBytes = 0;
  #served = 0;
  #servedBytes = 0;
  #ignored = 0;
  #closed = false;

  constructor(options: PeerRequestsOptions) {
    this.#options = options;
    // 48 random bits: an answer to an earlier process of this node is not taken for ours.
    this.#incarnation = options.prng.below(2 ** 16) * 2 ** 32 + options.prng.uint32();
    options.requests.onMessage((message) => this.#request(message));
    options.answers.onMessage((message) => this.#answer(message));
  }

  /** Calls that wait for an answer. */
  get waitingCalls(): number {
    return this.#calls;
  }

  /** Requests of others under way here. */
  get servedRequests(): number {
    return this.#served;
  }

  /** Messages that were repetitions, too late, or malformed. */
  get ignored(): number {
    return this.#ignored;
  }

  /**
   * Asks `to`. `timeoutMs`: whole milliseconds, up to 2^31 - 1. Besides what the handler fails with: NETWORK_EXCEPTION and
   * THROTTLING_QUOTA_EXCEEDED (nothing happened), UNSUPPORTED_VERSION (nobody serves the kind there), REQUEST_TIMED_OUT (no
   * answer until the deadline or `close`: the outcome is unknown).
   */
  call(to: NodeId, kind: number, body: Uint8Array, timeoutMs: number): Promise<PeerAnswer> {
    invariant(Number.isInteger(kind) && kind >= 0 && kind <= 255, 'a kind is a byte', { kind });
    if (this.#closed) return Promise.resolve(failure('NETWORK_EXCEPTION', 'This node is shutting down.'));
    const refused = this.#tooManyCalls(body.length);
    if (refused !== undefined) return Promise.resolve(refused);
    const { clock, requests } = this.#options;
    const boundedMs = Math.min(Math.max(0, Math.floor(timeoutMs)), MAX_TIMER_MS);
    const server = this.#server(to);
    const sequence = (server.sequence += 1);
    const frame = encodeRequestFrame({
      kind,
      incarnation: this.#incarnation,
      sequence,
      sentAtMs: Math.floor(clock.monotonicMs()),
      timeoutMs: boundedMs,
      body,
    });
    if (!requests.sendPrefixed(to, frame)) {
      return Promise.resolve(failure('NETWORK_EXCEPTION', `Node ${to} cannot be reached.`));
    }
    return new Promise((settle) => {
      const timer = clock.setTimer(boundedMs, () =>
        this.#settle(
          server,
          sequence,
          failure('REQUEST_TIMED_OUT', `Node ${to} did not answer in ${boundedMs} ms.`),
        ),
      );
      server.waiting.set(sequence, { bytes: body.length, timer, settle });
      this.#calls += 1;
      this.#callBytes += body.length;
    });
  }

  /** Answers requests of this kind, 0 .. 255, from now on. */
  serve(kind: number, handler: PeerRequestHandler): void {
    invariant(!this.#handlers.has(kind), 'one handler serves a kind', { kind });
    this.#handlers.set(kind, handler);
  }

  /** Fails everything that waits; asks and answers nothing any more. What is being served is not waited for. Idempotent. */
  close(): void {
    this.#closed = true;
    const cause = failure('REQUEST_TIMED_OUT', 'This node is shutting down; the outcome is unknown.');
    for (const server of this.#servers.values()) {
      for (const sequence of [...server.waiting.keys()]) this.#settle(server, sequence, cause);
    }
  }

  #server(node: NodeId): Server {
    let server = this.#servers.get(node);
    if (server === undefined) {
      server = { sequence: 0, waiting: new Map() };
      this.#servers.set(node, server);
    }
    return server;
  }

  #tooManyCalls(bytes: number): Failure | undefined {
    const { maxCalls, maxCallBytes } = this.#options.limits;
    if (this.#calls < maxCalls && this.#callBytes + bytes <= maxCallBytes) return undefined;
    return failure(
      'THROTTLING_QUOTA_EXCEEDED',
      `${this.#calls} requests with ${this.#callBytes} bytes wait for other nodes; retry a little later.`,
    );
  }

  /** Settles the call if it still waits. */
  #settle(server: Server, sequence: number, answer: PeerAnswer): boolean {
    const call = server.waiting.get(sequence);
    if (call === undefined) return false;
    server.waiting.delete(sequence);
    this.#calls -= 1;
    this.#callBytes -= call.bytes;
    call.timer.cancel();
    call.settle(answer);
    return true;
  }

  #answer({ from, payload }: NetworkMessage): void {
    const frame = decodeAnswerFrame(payload);
    const server = this.#servers.get(from);
    const settled =
      frame !== undefined &&
      server !== undefined &&
      frame.incarnation === this.#incarnation &&
      this.#settle(server, frame.sequence, frame.answer);
    if (!settled) this.#ignored += 1;
  }

  #request({ from, payload }: NetworkMessage): void {
    if (this.#closed) return;
    const frame = decodeRequestFrame(payload);
    // Whatever becomes of it, a repetition must not come to more: a caller that was refused counts on nothing having happened.
    const window = frame && this.#caller(from, frame.incarnation);
    if (frame === undefined || window?.admit(frame.sequence) !== true) {
      this.#ignored += 1;
      return;
    }
    const nowMs = this.#options.clock.monotonicMs();
    const leftMs = frame.timeoutMs - window.lateMs(frame.sentAtMs, nowMs);
    const handler = this.#handlers.get(frame.kind);
    if (leftMs <= 0) this.#ignored += 1;
    else if (handler === undefined) {
      const unknown = failure('UNSUPPORTED_VERSION', `This node serves no requests of kind ${frame.kind}.`);
      this.#reply(from, frame, unknown);
    } else void this.#serve(from, frame, handler, { deadlineMs: nowMs + leftMs });
  }

  async #serve(
    from: NodeId,
    frame: RequestFrame,
    handler: PeerRequestHandler,
    call: ServedCall,
  ): Promise<void> {
    const { maxServed, maxServedBytes } = this.#options.limits;
    const bytes = frame.body.length;
    if (this.#served >= maxServed || this.#servedBytes + bytes > maxServedBytes) {
      const throttled = `${this.#served} requests are under way on this node; retry a little later.`;
      this.#reply(from, frame, failure('THROTTLING_QUOTA_EXCEEDED', throttled));
      return;
    }
    this.#served += 1;
    this.#servedBytes += bytes;
    try {
      this.#reply(from, frame, { ok: true, body: await handler(from, frame.body, call) });
    } catch (thrown) {
      if (thrown instanceof TidemarkError) this.#reply(from, frame, failure(thrown.error, thrown.detail));
      else this.#options.onFatal(thrown);
    } finally {
      this.#served -= 1;
      this.#servedBytes -= bytes;
    }
  }

  /** An answer that the network refuses is lost like any other; the caller's deadline sees to it. */
  #reply(to: NodeId, { incarnation, sequence }: RequestFrame, answer: PeerAnswer): void {
    if (this.#closed) return;
    this.#options.answers.sendPrefixed(to, encodeAnswerFrame({ incarnation, sequence, answer }));
  }

  #caller(node: NodeId, incarnation: number): PeerRequestWindow {
    const name = `${node}:${incarnation}`;
    const window = this.#callers.get(name) ?? new PeerRequestWindow();
    // Last in the map's order is heard of last.
    this.#callers.delete(name);
    this.#callers.set(name, window);
    if (this.#callers.size > MAX_CALLERS) {
      const [oldest] = this.#callers.keys();
      invariant(oldest !== undefined, 'a map above its bound has a first key');
      this.#callers.delete(oldest);
    }
    return window;
  }
}
