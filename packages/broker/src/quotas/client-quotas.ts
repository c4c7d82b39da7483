// How fast callers may be on this broker: bytes produced and fetched, time their requests take, partitions created and deleted. Who has
// used more than his share is told for how long (`throttle_ms`) and held back that long, whether he heeds it or not: his streams are
// not read, his fetches and single calls wait.

import type { AccessImage, QuotaName } from '@tidemark/controller';
import type { Clock } from '@tidemark/core';
import type { SecurityMetrics } from '../metrics/security-metrics.ts';
import type { Caller } from '../security/callers.ts';
import { findQuota, type FoundQuota } from './quota-lookup.ts';
import { TokenBucket } from './token-bucket.ts';

/** What may be used at once after a pause, in seconds of the rate; for mutations as much as Kafka's eleven windows of one. */
const BURST_SECONDS: Readonly<Record<QuotaName, number>> = {
  producer_byte_rate: 1,
  consumer_byte_rate: 1,
  request_percentage: 1,
  controller_mutation_rate: 11,
};
/** Beyond so many buckets the full ones are forgotten, but no more often than this: clients choose their ids themselves. */
const MANY_BUCKETS = 10_000;
const SWEEP_MS = 1000;
/** A wait looks again this often: others who share the quota may have used it, or an operator raised it. */
const LOOK_MS = 1000;
/** Of single calls that wait for their callers' shares; beyond it callers are told to come again, instead of being remembered. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** What a call costs while it waits, besides its records. */
const CALL_BYTES = 64 * 1024;

interface Bucket {
  readonly bucket: TokenBucket;
  limit: number;
}

/** Of one caller. */
export interface CallerQuotas {
  /** Uses `amount`; answers how long the caller will be held back, in ms. */
  use(name: QuotaName, amount: number): number;
  /** In ms; 0: not at all. */
  waitMs(name: QuotaName): number;
  /** Resolves when the caller may go on; soon, though not at once, after `isOver`. */
  ready(name: QuotaName, isOver?: () => boolean): Promise<void>;
}

const never = (): boolean => false;

export class ClientQuotas {
  readonly #clock: Clock;
  readonly #access: () => AccessImage;
  readonly #metrics: SecurityMetrics;
  readonly #buckets = new Map<string, Bucket>();
  #sweptAtMs = -Infinity;
  #heldBytes = 0;

  constructor(clock: Clock, access: () => AccessImage, metrics: SecurityMetrics) {
    this.#clock = clock;
    this.#access = access;
    this.#metrics = metrics;
  }

  /** Nobody has one. */
  get isOff(): boolean {
    return this.#access().quotas.size === 0;
  }

  of({ principal, clientId }: Caller): CallerQuotas {
    const user = principal.replace(/^User:/, '');
    // Looked up once for each state of the quotas: a stream asks several times for every message.
    let seen: AccessImage['quotas'] | undefined;
    let found: Partial<Record<QuotaName, FoundQuota | 'none'>> = {};
    const bucket = (name: QuotaName): TokenBucket | undefined => {
      const access = this.#access();
      if (access.quotas.size === 0) return undefined;
      if (access.quotas !== seen) {
        seen = access.quotas;
        found = {};
      }
      const quota = (found[name] ??= findQuota(access, name, user, clientId) ?? 'none');
      return quota === 'none' ? undefined : this.#bucket(name, quota);
    };
    const waitMs = (name: QuotaName): number => bucket(name)?.waitMs(this.#clock.monotonicMs()) ?? 0;
    return {
      waitMs,
      use: (name, amount) => {
        const mine = bucket(name);
        if (mine === undefined) return 0;
        const nowMs = this.#clock.monotonicMs();
        // A percentage of one processor's time is ten milliseconds a second for each.
        mine.use(name === 'request_percentage' ? amount / 10 : amount, nowMs);
        return mine.waitMs(nowMs);
      },
      ready: async (name, isOver = never) => {
        if (waitMs(name) > 0) this.#metrics.throttled(name);
        for (let left = waitMs(name); left > 0 && !isOver(); left = waitMs(name)) {
          await this.#pause(Math.min(left, LOOK_MS));
        }
      },
    };
  }

  /**
   * Makes room for a call with so many bytes of records that has to wait for its caller's share; answers how to give the room back, or
   * undefined when too much waits already. One is let in whatever its size.
   */
  hold(recordBytes: number): (() => void) | undefined {
    const bytes = recordBytes + CALL_BYTES;
    if (this.#heldBytes > 0 && this.#heldBytes + bytes > MAX_HELD_BYTES) return undefined;
    this.#heldBytes += bytes;
    return () => {
      this.#heldBytes -= bytes;
    };
  }

  /** `quota.ready` for a call that is held meanwhile; undefined when too much waits already. */
  readyHeld(
    quota: CallerQuotas,
    name: QuotaName,
    recordBytes: number,
    isOver: () => boolean,
  ): Promise<void> | undefined {
    const release = this.hold(recordBytes);
    return release === undefined ? undefined : quota.ready(name, isOver).finally(release);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimer(ms, resolve));
  }

  #bucket(name: QuotaName, { limit, sharedBy }: FoundQuota): TokenBucket {
    const nowMs = this.#clock.monotonicMs();
    const key = `${name}\0${sharedBy}`;
    const known = this.#buckets.get(key);
    if (known !== undefined) {
      if (known.limit !== limit) {
        known.limit = limit;
        known.bucket.change(limit, BURST_SECONDS[name], nowMs);
      }
      return known.bucket;
    }
    if (this.#buckets.size >= MANY_BUCKETS && nowMs - this.#sweptAtMs >= SWEEP_MS) this.#forgetFull(nowMs);
    const bucket = new TokenBucket(limit, BURST_SECONDS[name], nowMs);
    this.#buckets.set(key, { bucket, limit });
    return bucket;
  }

  #forgetFull(nowMs: number): void {
    this.#sweptAtMs = nowMs;
    for (const [key, { bucket }] of this.#buckets) if (bucket.isFull(nowMs)) this.#buckets.delete(key);
  }
}
