// Which brokers the active controller has heard from, and until when it takes them for alive (KIP-631). Soft state: it is not
// in the metadata log, and a controller that becomes active starts with `reset`, which gives everyone a full session.
//
// Its owner calls `touch` for every registration and heartbeat that was not refused, and `refused` when a connection to the broker
// was; handlers and duties only read. A session that ends too early costs a change of leaders and nothing else: broker epochs and
// leader epochs keep out who was taken for dead.

import type { BrokerEpoch, BrokerId, Offset } from '@tidemark/core';
import type { MetadataImage } from './metadata-image.ts';

/** What handlers and duties may know of the sessions. */
export interface SessionsView {
  /**
   * Whether a process with this id has been heard within its session, and has refused no connection since: else another incarnation
   * need not wait for its end. A supervisor may start a process again before it has refused for long enough to be fenced.
   */
  isAlive(id: BrokerId, nowMs: number): boolean;
  /** When its session ends; undefined for a broker without one. */
  deadlineMs(id: BrokerId): number | undefined;
  /** The broker has applied all metadata below it; undefined until this controller has heard it say so. */
  appliedOffset(id: BrokerId): Offset | undefined;
}

interface Session {
  readonly epoch: BrokerEpoch;
  /** By this controller; -Infinity: not yet. */
  readonly heardMs: number;
  readonly deadlineMs: number;
  readonly appliedOffset: Offset | undefined;
  /** False for one given by `reset` to a broker that ran in this very process before it started. */
  readonly isProof: boolean;
  /** When it refused a connection for the first time since it was heard. */
  readonly refusedSinceMs?: number;
}

export class BrokerSessions implements SessionsView {
  readonly #sessionTimeoutMs: number;
  readonly #refusedTimeoutMs: number;
  readonly #sessions = new Map<BrokerId, Session>();

  /** `broker.session.timeout.ms` and `broker.refused.timeout.ms`, 0: refusals mean nothing. */
  constructor(sessionTimeoutMs: number, refusedTimeoutMs = 0) {
    this.#sessionTimeoutMs = sessionTimeoutMs;
    this.#refusedTimeoutMs = refusedTimeoutMs;
  }

  /** The broker was heard at `nowMs`. What an earlier incarnation says no longer counts. */
  touch(id: BrokerId, epoch: BrokerEpoch, nowMs: number, appliedOffset?: Offset): void {
    const before = this.#sessions.get(id);
    if (before !== undefined && before.epoch > epoch) return;
    const known = before?.epoch === epoch ? before.appliedOffset : undefined;
    this.#sessions.set(id, {
      epoch,
      heardMs: nowMs,
      deadlineMs: nowMs + this.#sessionTimeoutMs,
      appliedOffset: appliedOffset ?? known,
      isProof: true,
    });
  }

  /**
   * A connection to the broker was refused at `nowMs`. Refusals over the whole time-out, and nothing heard meanwhile, end the
   * session; a single one only lets another incarnation register. Answers whether this one has ended the session.
   */
  refused(id: BrokerId, nowMs: number): boolean {
    const session = this.#sessions.get(id);
    if (this.#refusedTimeoutMs === 0 || session === undefined || session.deadlineMs <= nowMs) return false;
    const { refusedSinceMs = nowMs } = session;
    const isOver = nowMs - refusedSinceMs >= this.#refusedTimeoutMs;
    this.#sessions.set(id, { ...session, refusedSinceMs, ...(isOver ? { deadlineMs: nowMs } : {}) });
    return isOver;
  }

  isAlive(id: BrokerId, nowMs: number): boolean {
    const session = this.#sessions.get(id);
    if (session?.isProof !== true || session.refusedSinceMs !== undefined) return false;
    return nowMs < session.deadlineMs;
  }

  deadlineMs(id: BrokerId): number | undefined {
    return this.#sessions.get(id)?.deadlineMs;
  }

  appliedOffset(id: BrokerId): Offset | undefined {
    return this.#sessions.get(id)?.appliedOffset;
  }

  /** Brokers whose session has ended, fenced or not, in the order of their ids. */
  expired(nowMs: number): readonly BrokerId[] {
    return [...this.#sessions]
      .filter(([, { deadlineMs }]) => deadlineMs <= nowMs)
      .map(([id]) => id)
      .sort((a, b) => a - b);
  }

  /** Brokers whose session lasts although they were not heard for `silentMs`, or not at all since the last `reset`. */
  silent(nowMs: number, silentMs: number): readonly BrokerId[] {
    return [...this.#sessions]
      .filter(([, { heardMs, deadlineMs }]) => deadlineMs > nowMs && nowMs - heardMs >= silentMs)
      .map(([id]) => id);
  }

  /** The next end of a session after `nowMs`; undefined when there is none. */
  nextDeadlineMs(nowMs: number): number | undefined {
    const coming = [...this.#sessions.values()]
      .map(({ deadlineMs }) => deadlineMs)
      .filter((deadlineMs) => deadlineMs > nowMs);
    return coming.length === 0 ? undefined : Math.min(...coming);
  }

  /**
   * This controller has become active: every registered broker that is not fenced has a full session from `nowMs` on, and
   * nothing said to an earlier controller counts. `self` is the broker of this very process, if it is one: an incarnation of
   * it that this controller never hears from is the one before a restart, and does not keep the next from registering. A broker that
   * refused connections until a moment ago has less, or nothing: often it is the controller before, whose loss made this one active.
   * `before` is that controller: its silence is why there is another, so its session began when it was heard last. Half a session is
   * left to it all the same, for it may only have lost an election.
   */
  reset(image: MetadataImage, nowMs: number, known: KnownOfBrokers = {}): void {
    const { self, refusals, before } = known;
    this.#sessions.clear();
    for (const { id, epoch, fenced } of image.brokers()) {
      if (fenced) continue;
      const sinceMs =
        before?.id === id ? Math.max(before.heardMs, nowMs - this.#sessionTimeoutMs / 2) : nowMs;
      const deadlineMs = Math.min(sinceMs, nowMs) + this.#sessionTimeoutMs;
      const isProof = id !== self;
      this.#sessions.set(id, { epoch, heardMs: -Infinity, deadlineMs, appliedOffset: undefined, isProof });
      const refused = refusals?.of(id, nowMs);
      if (refused === undefined) continue;
      this.refused(id, refused.sinceMs);
      this.refused(id, refused.lastMs);
    }
  }
}

/**
 * Refusals seen by a controller that is not active, for when it becomes so. Those of one broker belong together as long as none is
 * missing for the whole time-out; older ones say nothing, because whoever listens again refuses nobody.
 */
export class RecentRefusals {
  readonly #refusedTimeoutMs: number;
  readonly #refused = new Map<BrokerId, { readonly sinceMs: number; readonly lastMs: number }>();

  /** `broker.refused.timeout.ms`; 0: refusals mean nothing. */
  constructor(refusedTimeoutMs: number) {
    this.#refusedTimeoutMs = refusedTimeoutMs;
  }

  add(id: BrokerId, nowMs: number): void {
    const sinceMs = this.of(id, nowMs)?.sinceMs ?? nowMs;
    this.#refused.set(id, { sinceMs, lastMs: nowMs });
  }

  /** First and last of those that still count. */
  of(id: BrokerId, nowMs: number): { readonly sinceMs: number; readonly lastMs: number } | undefined {
    const refused = this.#refused.get(id);
    return refused !== undefined && nowMs - refused.lastMs < this.#refusedTimeoutMs ? refused : undefined;
  }
}

/** What a controller that becomes active knows of the brokers already. */
export interface KnownOfBrokers {
  /** The broker of its own process. */
  readonly self?: BrokerId | undefined;
  readonly refusals?: RecentRefusals | undefined;
  /** The controller that was active before, and when it was heard last; undefined when that is not known. */
  readonly before?: { readonly id: BrokerId; readonly heardMs: number } | undefined;
}

/** Nobody has been heard; for an image that is only read. */
export const NO_SESSIONS: SessionsView = {
  isAlive: () => false,
  deadlineMs: () => undefined,
  appliedOffset: () => undefined,
};
