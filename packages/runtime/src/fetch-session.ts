// The state of one pushed stream: which partitions, from where, and how many bytes the reader allowed. `next` answers the next
// push. Partitions take turns: one that was read goes to the end of the line. Memory is bounded by what one push may hold; what
// the reader has not allowed is not read.
//
// Sequence of a seek: the reader adds a partition anew with another offset and position id while a read of the old position may be
// under way. The entry is replaced, so what that read brings is thrown away, and every push names the position id it is for.

import {
  type Clock,
  failure,
  type Failure,
  isFailure,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
  type Timer,
} from '@tidemark/core';
import type { ByteBudget } from './byte-budget.ts';
import type { PartitionWatcher } from './fetch-purgatory.ts';
import type { Partition } from './partition.ts';
import { fetchFailure, readPartition } from './partition-read.ts';
import { Pauses } from './pauses.ts';
import type { FetchOutcome, FetchPartition, PartitionAddress } from './requests.ts';

export interface SessionPartition extends FetchPartition {
  /** Echoed with everything pushed for this position. */
  readonly positionId: number;
}

/** Before memory is asked for again that too many wait for. */
const NO_MEMORY_PAUSE_MS = 100;

/** A partition under the names it was asked by, checked or not. */
export interface WireNamed {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
}

export interface SessionPush extends Omit<FetchOutcome, keyof WireNamed> {
  readonly topic: string | undefined;
  readonly topicId: string | undefined;
  readonly partition: number;
  readonly positionId: number;
}

export interface SessionLimits {
  /** Most bytes of one push. */
  readonly maxBytes: number;
  /** A push is held back until so many bytes are there, or `maxWaitMs` have passed. */
  readonly minBytes: number;
  readonly maxWaitMs: number;
}

class Entry implements PartitionWatcher {
  readonly request: SessionPartition;
  readonly partition: Partition;
  readonly #woken: (entry: Entry, bytes: number) => void;
  offset: Offset;
  readonly currentLeaderEpoch: LeaderEpoch | undefined;

  constructor(request: SessionPartition, partition: Partition, woken: (entry: Entry, bytes: number) => void) {
    this.request = request;
    this.partition = partition;
    this.offset = request.fetchOffset;
    this.currentLeaderEpoch = request.currentLeaderEpoch;
    this.#woken = woken;
    partition.watch(this);
  }

  progressed(bytes: number): void {
    this.#woken(this, bytes);
  }

  disturbed(): void {
    this.#woken(this, Infinity);
  }
}

export class FetchSession {
  readonly #find: (address: PartitionAddress) => Partition | Failure;
  readonly #clock: Clock;
  readonly #responses: ByteBudget;
  readonly #maxPartitions: number;
  readonly #entries = new Map<string, Entry>();
  /** Entries that may have something to read, in the order of their turns. */
  readonly #ready = new Set<Entry>();
  /** Bytes known to wait in ready entries; infinite when nobody counted them. */
  #readyBytes = 0;
  #held: Timer | undefined;
  #heldLongEnough = false;
  readonly #refused: SessionPush[] = [];
  #credit = 0;
  #limits: SessionLimits = { maxBytes: 1024 * 1024, minBytes: 1, maxWaitMs: 0 };
  #wake: (() => void) | undefined;
  #closed = false;
  readonly #pauses: Pauses;

  constructor(
    find: (address: PartitionAddress) => Partition | Failure,
    clock: Clock,
    responses: ByteBudget,
    maxPartitions: number,
  ) {
    this.#find = find;
    this.#clock = clock;
    this.#pauses = new Pauses(clock);
    this.#responses = responses;
    this.#maxPartitions = maxPartitions;
  }

  get partitionCount(): number {
    return this.#entries.size;
  }

  get credit(): number {
    return this.#credit;
  }

  /** Begins to push a partition, or moves one to another offset. A partition that cannot be served is answered as a push. */
  add(request: SessionPartition): void {
    // On its way when the stream ended: nobody would ever take it from the partition again.
    if (this.#closed) return;
    const { address } = request;
    const partition = this.#find(address);
    const refused = isFailure(partition)
      ? partition
      : this.#entries.size >= this.#maxPartitions && !this.#entries.has(keyOf(partition))
        ? failure('INVALID_REQUEST', `one stream takes ${this.#maxPartitions} partitions; open another one`)
        : undefined;
    if (refused !== undefined) this.#refuse(fetchFailure(address, refused), request.positionId);
    else if (!isFailure(partition)) {
      this.#forget(this.#entries.get(keyOf(partition)));
      const entry = new Entry(request, partition, (woken, bytes) => this.#markReady(woken, bytes));
      this.#entries.set(keyOf(partition), entry);
      this.#markReady(entry, Infinity);
    }
  }

  remove(address: PartitionAddress): void {
    const partition = this.#find(address);
    if (!isFailure(partition)) this.#forget(this.#entries.get(keyOf(partition)));
    else {
      // The topic is gone: then the entry is known by name or id only.
      for (const entry of this.#entries.values()) {
        const { topic, topicId, index } = entry.partition;
        if (index === address.partition && (topic === address.topic || topicId === address.topicId)) {
          this.#forget(entry);
        }
      }
    }
  }

  /** Allows `bytes` more. */
  grant(bytes: number): void {
    this.#credit += bytes;
    this.#wakeUp();
  }

  limit(limits: Partial<SessionLimits>): void {
    this.#limits = { ...this.#limits, ...limits };
    // What was enough may be too little now, or the other way round.
    if (this.#ready.size > 0) this.#hold();
    this.#wakeUp();
  }

  /** Answers, as a push, a partition that was refused before it came here. */
  refuse(named: WireNamed, failed: Failure, positionId: number): void {
    const nowhere = { topic: undefined, topicId: undefined, partition: 0 as PartitionIndex };
    this.#refuse({ ...fetchFailure(nowhere, failed), ...named }, positionId);
  }

  /**
   * The next push: at least one outcome with bytes or a failure. Its bytes stay taken from the response budget until the caller
   * gives them back. `undefined` once closed.
   */
  async next(): Promise<readonly SessionPush[] | undefined> {
    for (;;) {
      if (this.#closed) return undefined;
      if (this.#refused.length > 0) return this.#refused.splice(0);
      if (this.#mayPush()) {
        const pushes = await this.#collect();
        if (pushes === undefined) await this.#pauses.wait(NO_MEMORY_PAUSE_MS);
        else if (pushes.length > 0) return pushes;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#closed = true;
    this.#held?.cancel();
    this.#pauses.close();
    for (const entry of [...this.#entries.values()]) this.#forget(entry);
    this.#wakeUp();
  }

  #mayPush(): boolean {
    if (this.#credit <= 0 || this.#ready.size === 0) return false;
    return this.#heldLongEnough || this.#limits.maxWaitMs <= 0 || this.#readyBytes >= this.#limits.minBytes;
  }

  #markReady(entry: Entry, bytes: number): void {
    this.#ready.add(entry);
    this.#readyBytes += bytes;
    this.#hold();
    this.#wakeUp();
  }

  /** What is too little waits for more, and no longer than it may. */
  #hold(): void {
    if (this.#limits.maxWaitMs > 0 && this.#held === undefined && this.#readyBytes < this.#limits.minBytes) {
      this.#held = this.#clock.setTimer(this.#limits.maxWaitMs, () => {
        this.#held = undefined;
        this.#heldLongEnough = true;
        this.#wakeUp();
      });
    }
  }

  /** Undefined: too many wait for memory. Then what is ready stays so. */
  async #collect(): Promise<readonly SessionPush[] | undefined> {
    const taken = Math.min(this.#limits.maxBytes, this.#credit);
    if (!(await this.#responses.take(taken))) return undefined;
    this.#held?.cancel();
    this.#held = undefined;
    this.#heldLongEnough = false;
    this.#readyBytes = 0;
    const pushes: SessionPush[] = [];
    let left = taken;
    let bytes = 0;
    // Each entry once a push; those that had something go to the end of the line and are tried again in the next one.
    for (const entry of [...this.#ready]) {
      if (left <= 0) {
        // The rest has waited as long as what is pushed: it goes with the next push.
        this.#readyBytes = Infinity;
        break;
      }
      this.#ready.delete(entry);
      const outcome = await readPartition(entry.partition, {
        offset: entry.offset,
        currentLeaderEpoch: entry.currentLeaderEpoch,
        maxBytes: Math.min(left, entry.request.maxBytes),
        atLeastOne: bytes === 0,
      });
      if (this.#closed) break;
      if (this.#entries.get(keyOf(entry.partition)) !== entry) continue;
      if (outcome.failure !== undefined) {
        this.#forget(entry);
        pushes.push({ ...outcome, positionId: entry.request.positionId });
      } else if (outcome.sizeBytes > 0) {
        entry.offset = outcome.nextOffset;
        left -= outcome.sizeBytes;
        bytes += outcome.sizeBytes;
        pushes.push({ ...outcome, positionId: entry.request.positionId });
        if (entry.offset < entry.partition.highWatermark) this.#markReady(entry, Infinity);
      } else if (bytes > 0 && entry.offset < entry.partition.highWatermark) {
        // There may be something that did not fit beside what others had: first in line of the next push. Where it alone was read and
        // nothing came, there is nothing but a gap that compaction has left, and to read it again would be answered the same.
        this.#markReady(entry, Infinity);
      }
    }
    this.#credit -= bytes;
    this.#responses.giveBack(taken - bytes);
    return pushes;
  }

  #refuse(outcome: Omit<SessionPush, 'positionId'>, positionId: number): void {
    this.#refused.push({ ...outcome, positionId });
    this.#wakeUp();
  }

  #forget(entry: Entry | undefined): void {
    if (entry === undefined) return;
    entry.partition.unwatch(entry);
    this.#ready.delete(entry);
    const key = keyOf(entry.partition);
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

const keyOf = (partition: Partition): string => `${partition.topicId}-${partition.index}`;
