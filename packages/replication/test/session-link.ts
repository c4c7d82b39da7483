// Both halves of a fetch session with a log on each side and a network between them that can lose, repeat and hold up. Records are
// one byte each; byte `i` of partition `p` is `p + i`, so that every one that is out of place shows.

import type { BrokerEpoch, LeaderEpoch, Offset, PartitionIndex, TopicId } from '@tidemark/core';
import {
  decodeSessionMessage,
  encodeSessionMessage,
  FollowerSession,
  LeaderSession,
  type SessionMessage,
} from '@tidemark/replication';

export const KEEP_ALIVE_MS = 100;
export const TIMEOUT_MS = 500;
export const at = (offset: number) => offset as Offset;
const TOPIC = 'AAAAAAAAAAAAAAAAAAAAAA' as TopicId;

/** A partition on both sides. */
export interface Shared {
  readonly index: number;
  leaderEnd: number;
  highWatermark: number;
  logStart: number;
  /** The follower's. */
  readonly copy: number[];
  knownHighWatermark: number;
  knownLogStart: number;
  /** Where the follower's log begins, as the leader has been told. */
  followerLogStart: number;
}

export interface LinkOptions {
  readonly progressDelayMs?: number;
  readonly windowBytes?: number;
  readonly maxReadBytes?: number;
  readonly maxMessageBytes?: number;
  readonly brokerEpoch?: number;
}

export class SessionLink {
  nowMs = 0;
  readonly partitions: Shared[] = [];
  readonly options: LinkOptions;
  follower: FollowerSession<Shared>;
  leader: LeaderSession<Shared>;
  toLeader: Uint8Array[] = [];
  toFollower: Uint8Array[] = [];
  /** What happened, in the order of the reads. */
  readonly reads: { readonly partition: number; readonly bytes: number }[] = [];
  sentMessages = 0;
  sentEntries = 0;
  /** Received, and not yet consumed. */
  backlog = 0;
  consumesAtOnce = true;

  constructor(options: LinkOptions = {}) {
    this.options = options;
    this.follower = this.newFollower(options.brokerEpoch ?? 1);
    this.leader = this.newLeader();
  }

  newFollower(brokerEpoch: number): FollowerSession<Shared> {
    return new FollowerSession({
      brokerEpoch: brokerEpoch as BrokerEpoch,
      windowBytes: this.options.windowBytes ?? 1000,
      keepAliveMs: KEEP_ALIVE_MS,
      timeoutMs: TIMEOUT_MS,
      nowMs: this.nowMs,
    });
  }

  newLeader(): LeaderSession<Shared> {
    const { maxReadBytes = 100, maxMessageBytes = 1000 } = this.options;
    return new LeaderSession({
      maxReadBytes,
      maxMessageBytes,
      keepAliveMs: KEEP_ALIVE_MS,
      timeoutMs: TIMEOUT_MS,
      progressDelayMs: this.options.progressDelayMs ?? 0,
    });
  }

  add(): Shared {
    const partition: Shared = {
      index: this.partitions.length,
      leaderEnd: 0,
      highWatermark: 0,
      logStart: 0,
      copy: [],
      knownHighWatermark: -1,
      knownLogStart: -1,
      followerLogStart: -1,
    };
    this.partitions.push(partition);
    this.subscribe(partition);
    return partition;
  }

  subscribe(partition: Shared): void {
    this.follower.subscribe(partition, {
      topicId: TOPIC,
      partition: partition.index as PartitionIndex,
      position: {
        fetchOffset: at(partition.copy.length),
        lastFetchedEpoch: -1,
        leaderEpoch: 1 as LeaderEpoch,
        attempt: 1,
      },
      acknowledgeableEnd: at(partition.copy.length),
      logStartOffset: at(Math.max(partition.knownLogStart, 0)),
    });
  }

  append(partition: Shared, count: number): void {
    partition.leaderEnd += count;
    this.advance(partition);
  }

  advance(partition: Shared): void {
    this.leader.advanced(partition, standingOf(partition));
  }

  /** Everything both have to say goes on its way. */
  speak(): void {
    for (
      let said = this.follower.takeMessage(this.nowMs);
      said;
      said = this.follower.takeMessage(this.nowMs)
    ) {
      this.sentMessages += 1;
      this.sentEntries += said.subscribed.length + said.acknowledged.length + said.unsubscribed.length;
      this.sentEntries += said.logStarts.length;
      this.toLeader.push(encodeSessionMessage(said));
    }
    for (let order = this.leader.nextRead(); order; order = this.leader.nextRead()) {
      const { partition, offset, maxBytes } = order;
      const end = Math.min(partition.leaderEnd, offset + maxBytes);
      const bytes = Uint8Array.from(
        { length: end - offset },
        (_, index) => (partition.index + offset + index) & 0xff,
      );
      this.reads.push({ partition: partition.index, bytes: bytes.length });
      this.leader.readDone(order, bytes, at(end));
    }
    for (let said = this.leader.takeMessage(this.nowMs); said; said = this.leader.takeMessage(this.nowMs)) {
      this.sentMessages += 1;
      this.sentEntries += said.answers.length;
      this.toFollower.push(encodeSessionMessage(said));
    }
  }

  deliverToLeader(bytes: Uint8Array): void {
    const message = decoded(bytes);
    if (message.type !== 'follower') throw new Error('not for a leader');
    const { reset, subscriptions, acknowledged, logStarts } = this.leader.receive(message, this.nowMs);
    if (reset !== undefined) this.toFollower.push(encodeSessionMessage(reset));
    for (const { partition, endOffset } of acknowledged) {
      partition.highWatermark = Math.max(partition.highWatermark, endOffset);
      this.advance(partition);
    }
    for (const { partition, logStartOffset } of logStarts) partition.followerLogStart = logStartOffset;
    for (const subscription of subscriptions) {
      const partition = this.partitions[subscription.partition]!;
      partition.highWatermark = Math.max(partition.highWatermark, subscription.acknowledgeableEnd);
      partition.followerLogStart = subscription.logStartOffset;
      this.leader.accept(subscription, partition, standingOf(partition));
    }
  }

  deliverToFollower(bytes: Uint8Array): void {
    const message = decoded(bytes);
    if (message.type === 'follower') throw new Error('not for a follower');
    const { answers, lost } = this.follower.receive(message, this.nowMs);
    for (const { partition, answer } of answers) {
      if (answer.type === 'batches') {
        if (answer.baseOffset !== partition.copy.length) throw new Error('a gap, or a repetition');
        partition.copy.push(...answer.bytes);
        this.backlog += answer.bytes.length;
        this.follower.acknowledged(partition, at(partition.copy.length));
      }
      if (answer.type === 'batches' || answer.type === 'progress') {
        partition.knownHighWatermark = answer.highWatermark;
        partition.knownLogStart = answer.logStartOffset;
        this.follower.logStartMoved(partition, answer.logStartOffset);
      }
    }
    if (this.consumesAtOnce) this.consume();
    for (const partition of lost) this.subscribe(partition);
  }

  consume(bytes = this.backlog): void {
    this.backlog -= bytes;
    this.follower.consumed(bytes);
  }

  /** One way and back. */
  round(): void {
    this.speak();
    for (const bytes of this.toLeader.splice(0)) this.deliverToLeader(bytes);
    this.speak();
    for (const bytes of this.toFollower.splice(0)) this.deliverToFollower(bytes);
  }

  /** Until nobody has anything more to say. */
  settle(): void {
    for (let round = 0; round < 1000; round++) {
      const before = this.sentMessages;
      const isUnderWay = this.toLeader.length + this.toFollower.length > 0;
      this.round();
      if (!isUnderWay && this.sentMessages === before) return;
    }
    throw new Error('they never stop');
  }

  pass(ms: number): void {
    this.nowMs += ms;
    for (const partition of this.follower.tick(this.nowMs)) this.subscribe(partition);
    this.leader.tick(this.nowMs);
  }
}

function standingOf({ leaderEnd, highWatermark, logStart }: Shared) {
  return { logEndOffset: at(leaderEnd), highWatermark: at(highWatermark), logStartOffset: at(logStart) };
}

function decoded(bytes: Uint8Array): SessionMessage {
  const result = decodeSessionMessage(bytes);
  if (!result.ok) throw new Error(result.message);
  return result.message;
}
