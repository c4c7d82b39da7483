// One partition this node hosts: its log, what the metadata says of its leadership, the high watermark, and everybody who waits
// for the high watermark to move.
//
// With a single replica the high watermark is the log's acknowledgeable end offset (on disk under flush.policy=ack, written under
// flush.policy=os). `#committedEnd` is the seam for replication: with more replicas it becomes the smallest acknowledgeable end
// over the in-sync ones, and nothing else here changes.

import {
  failure,
  invariant,
  type BrokerId,
  type Failure,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
  type TopicId,
  type TopicName,
} from '@tidemark/core';
import type { PartitionImage } from '@tidemark/controller';
import type { AppendResult, PartitionLog } from '@tidemark/log';
import type { ValidatedBatch } from '@tidemark/record';
import type { PartitionWatcher, Watchable } from './fetch-purgatory.ts';
import type { TopicSettings } from './topic-settings.ts';

export interface LeaderHint {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

interface CommitWaiter {
  /** Everything below it must be committed. */
  readonly endOffset: Offset;
  readonly done: (failed: Failure | undefined) => void;
}

interface AppendedSpan {
  readonly endOffset: Offset;
  readonly bytes: number;
}

export type Appended = Exclude<AppendResult, Failure>;

export class Partition implements Watchable {
  readonly topic: TopicName;
  readonly topicId: TopicId;
  readonly index: PartitionIndex;
  readonly log: PartitionLog;
  readonly #self: BrokerId;
  #image: PartitionImage;
  #settings: TopicSettings;
  #highWatermark: Offset;
  /** Appends above the high watermark, in order: how many bytes become readable when it passes them. */
  readonly #uncommitted: AppendedSpan[] = [];
  /** In the order of their end offsets, because appends are. */
  readonly #commitWaiters: CommitWaiter[] = [];
  readonly #watchers = new Set<PartitionWatcher>();
  #closedBy: Failure | undefined;
  /** Bytes of batches that became readable since the partition was opened; only ever grows. */
  #readableBytes = 0;

  constructor(
    self: BrokerId,
    topic: { readonly name: TopicName; readonly id: TopicId },
    image: PartitionImage,
    log: PartitionLog,
    settings: TopicSettings,
  ) {
    this.#self = self;
    this.topic = topic.name;
    this.topicId = topic.id;
    this.index = image.partition;
    this.#image = image;
    this.log = log;
    this.#settings = settings;
    this.#highWatermark = log.acknowledgeableEndOffset;
    log.onAcknowledgeable(() => this.#advanceHighWatermark());
    if (this.isLeader) log.assignLeaderEpoch(image.leaderEpoch);
  }

  get settings(): TopicSettings {
    return this.#settings;
  }

  get highWatermark(): Offset {
    return this.#highWatermark;
  }

  get readableBytes(): number {
    return this.#readableBytes;
  }

  get leaderEpoch(): LeaderEpoch {
    return this.#image.leaderEpoch;
  }

  get isLeader(): boolean {
    return this.#closedBy === undefined && this.#image.leader === this.#self;
  }

  get inSyncReplicas(): readonly BrokerId[] {
    return this.#image.isr;
  }

  get leaderHint(): LeaderHint {
    return { leaderId: this.#image.leader, leaderEpoch: this.#image.leaderEpoch };
  }

  /** Why acks=all cannot be promised right now, or undefined. Asked before the append and again at its end. */
  get minInsyncShortfall(): string | undefined {
    const wanted = this.#settings.minInsyncReplicas(this.#image.replicas.length);
    const present = this.#image.isr.length;
    return present >= wanted
      ? undefined
      : `${this.topic}-${this.index} has ${present} in-sync replicas and min.insync.replicas is ${wanted}`;
  }

  /** Leadership and epoch as a client believes them, checked against what the metadata says (KIP-320). */
  checkLeader(currentLeaderEpoch: LeaderEpoch | undefined): Failure | undefined {
    if (this.#closedBy !== undefined) return this.#closedBy;
    const { leader, leaderEpoch } = this.#image;
    if (currentLeaderEpoch !== undefined && currentLeaderEpoch < leaderEpoch) {
      return failure(
        'FENCED_LEADER_EPOCH',
        `leader epoch ${currentLeaderEpoch} is over; ${this.topic}-${this.index} is in epoch ${leaderEpoch}: refresh the metadata`,
      );
    }
    if (currentLeaderEpoch !== undefined && currentLeaderEpoch > leaderEpoch) {
      return failure(
        'UNKNOWN_LEADER_EPOCH',
        `this broker knows ${this.topic}-${this.index} in leader epoch ${leaderEpoch}, not yet in ${currentLeaderEpoch}: try again`,
      );
    }
    if (leader === this.#self) return undefined;
    return leader === -1
      ? failure('LEADER_NOT_AVAILABLE', `${this.topic}-${this.index} has no leader at the moment`)
      : failure('NOT_LEADER_OR_FOLLOWER', `${this.topic}-${this.index} is led by broker ${leader}`);
  }

  /** Appends as leader. The caller has checked leadership in the same turn. */
  append(bytes: Uint8Array, batches: readonly ValidatedBatch[]): Appended | Failure {
    invariant(this.isLeader, 'only the leader appends', { topic: this.topic, partition: this.index });
    const appended = this.log.append(bytes, batches, {
      leaderEpoch: this.#image.leaderEpoch,
      origin: 'leader',
      // The request is done with its bytes. Where they are a small part of a message, the tail had better keep a copy of them
      // than the whole message alive.
      handOver: bytes.byteLength * 2 >= bytes.buffer.byteLength,
    });
    if (appended.ok && !appended.duplicate) {
      const span = { endOffset: endOf(appended.lastOffset), bytes: bytes.length };
      this.#uncommitted.push(span);
      // A full disk takes the append back; its offsets are given out again, and its span must not stand before theirs.
      appended.written.catch(() => {
        const at = this.#uncommitted.indexOf(span);
        if (at >= 0) this.#uncommitted.splice(at, 1);
      });
    }
    return appended;
  }

  /** Resolves when everything below `endOffset` is committed, or with why that will not be told. */
  whenCommitted(endOffset: Offset): Promise<Failure | undefined> {
    if (this.#highWatermark >= endOffset) return Promise.resolve(this.#afterAppend());
    if (this.#closedBy !== undefined) return Promise.resolve(this.#closedBy);
    return new Promise((done) => {
      const waiter: CommitWaiter = { endOffset, done };
      // A duplicate waits for an older offset than the newest append; then it goes where it belongs.
      let at = this.#commitWaiters.length;
      while (at > 0 && this.#commitWaiters[at - 1]!.endOffset > endOffset) at -= 1;
      this.#commitWaiters.splice(at, 0, waiter);
    });
  }

  watch(watcher: PartitionWatcher): void {
    this.#watchers.add(watcher);
  }

  unwatch(watcher: PartitionWatcher): void {
    this.#watchers.delete(watcher);
  }

  /** Takes over what the metadata says now. */
  update(image: PartitionImage, settings: TopicSettings): void {
    const before = this.#image;
    if (settings !== this.#settings) {
      this.#settings = settings;
      this.log.updateConfig(settings.log);
    }
    this.#image = image;
    if (before.leader === image.leader && before.leaderEpoch === image.leaderEpoch) {
      this.#advanceHighWatermark();
      return;
    }
    const gone = failure(
      'NOT_LEADER_OR_FOLLOWER',
      `the leader of ${this.topic}-${this.index} changed before the batch was committed`,
    );
    for (const waiter of this.#commitWaiters.splice(0)) waiter.done(gone);
    if (this.isLeader) this.log.assignLeaderEpoch(image.leaderEpoch);
    this.#disturb();
    this.#advanceHighWatermark();
  }

  /** The log start moved: readers below it must be told. */
  logStartMoved(): void {
    this.#disturb();
  }

  /** Nothing is served any more: the topic is deleted or the node is closing. Everybody who waits gets `why`. */
  close(why: Failure): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = why;
    for (const waiter of this.#commitWaiters.splice(0)) waiter.done(why);
    this.#disturb();
  }

  #committedEnd(): Offset {
    const alone = this.#image.isr.length === 1 && this.#image.isr[0] === this.#self;
    return alone ? this.log.acknowledgeableEndOffset : this.#highWatermark;
  }

  #advanceHighWatermark(): void {
    if (this.#closedBy !== undefined) return;
    const end = this.#committedEnd();
    invariant(end >= this.#highWatermark, 'the high watermark never goes back', {
      topic: this.topic,
      partition: this.index,
      from: this.#highWatermark,
      to: end,
    });
    if (end === this.#highWatermark) return;
    this.#highWatermark = end;
    const readable = takeWhile(this.#uncommitted, (span) => span.endOffset <= end);
    const committed = takeWhile(this.#commitWaiters, (waiter) => waiter.endOffset <= end);
    if (committed.length > 0) {
      const outcome = this.#afterAppend();
      for (const waiter of committed) waiter.done(outcome);
    }
    let bytes = 0;
    for (const span of readable) bytes += span.bytes;
    this.#readableBytes += bytes;
    for (const watcher of [...this.#watchers]) watcher.progressed(bytes);
  }

  /** The in-sync replicas may have become too few between append and commit: then the outcome is unknown (KIP-966 §minISR). */
  #afterAppend(): Failure | undefined {
    const shortfall = this.minInsyncShortfall;
    return shortfall === undefined ? undefined : failure('NOT_ENOUGH_REPLICAS_AFTER_APPEND', shortfall);
  }

  #disturb(): void {
    for (const watcher of [...this.#watchers]) watcher.disturbed();
  }
}

export const endOf = (lastOffset: Offset): Offset => (lastOffset + 1) as Offset;

/** Removes the leading elements for which `holds` and answers them. */
function takeWhile<T>(queue: T[], holds: (element: T) => boolean): T[] {
  let count = 0;
  while (count < queue.length && holds(queue[count]!)) count += 1;
  return count === 0 ? [] : queue.splice(0, count);
}
