// Where a partition is read from: the position looked up, reset when it is gone or its topic is another one, and checked when another
// leader took over (KIP-320).
// An answer for a position that was left meanwhile changes nothing.
import { TidemarkError } from '@tidemark/core';
import { logService } from '@tidemark/rpc';
import type { OffsetForLeaderEpochResultOutput } from '@tidemark/rpc';
import type { ConsumerPartition } from './consumer-partition.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
import { LogTruncationError } from './log-truncation.ts';
import type { LogTruncation, ResumedTruncation } from './log-truncation.ts';
import type { LeaderCalls, TopicPartition } from './leader-calls.ts';
import { lookUpOffsets } from './offset-lookup.ts';
import type { OffsetSpec } from './offset-lookup.ts';

/** Where the group is; undefined: it has committed nothing. `leaderEpoch` -1: not known. */
export type CommittedLookup = (
  at: TopicPartition,
) => Promise<{ readonly offset: number; readonly leaderEpoch: number } | undefined>;

export interface PositionKeeperOptions {
  readonly settings: ConsumerSettings;
  readonly calls: LeaderCalls;
  /** Of a consumer in a group. */
  readonly committed: CommittedLookup | undefined;
  readonly wallMs: () => number;
  /** Of the topic of this name as it is now; undefined: not known. */
  readonly topicId: (topic: string) => string | undefined;
  /** The partition can be fetched. */
  readonly onFound: (partition: ConsumerPartition) => void;
  /** The lookup failed; it is tried again if the error may pass. */
  readonly onTrouble: (partition: ConsumerPartition, error: unknown) => void;
  /** The application must decide. */
  readonly fail: (partition: ConsumerPartition, error: TidemarkError) => void;
  /** The application goes on elsewhere, and is told why. */
  readonly onTruncation: (truncation: ResumedTruncation) => void;
  readonly moveTo: (partition: ConsumerPartition, spec: OffsetSpec) => void;
  /** Throws away what was pushed. */
  readonly clear: (partition: ConsumerPartition) => void;
}

export class PositionKeeper {
  readonly #options: PositionKeeperOptions;

  constructor(options: PositionKeeperOptions) {
    this.#options = options;
  }

  /** `auto.offset.reset`: the position is gone, or there never was one. */
  reset(partition: ConsumerPartition): void {
    const cause = partition.refused;
    const position = partition.position;
    if (cause?.error === 'CORRUPT_MESSAGE') {
      const text = `${partition.name}@${position}: ${cause.detail}; seek behind it to go on without what it held`;
      this.#options.fail(partition, new TidemarkError('CORRUPT_MESSAGE', text, { cause }));
      return;
    }
    if (cause?.error === 'UNKNOWN_TOPIC_ID') {
      this.#changeTopic(partition);
      return;
    }
    const spec = this.#resetTo();
    if (spec !== undefined) {
      this.#options.moveTo(partition, spec);
      return;
    }
    const what =
      position < 0
        ? 'it has no position, and auto.offset.reset is none'
        : `offset ${position} is not in the partition any more (or not yet), and auto.offset.reset is none`;
    const remedy = 'seek to a position, or set auto.offset.reset to earliest or latest';
    const text = `${partition.name}: ${what}; ${remedy}`;
    this.#options.fail(partition, new TidemarkError('OFFSET_OUT_OF_RANGE', text, { cause }));
  }

  /**
   * The topic was deleted and made again: no offset of the old one means anything in the new one, of which nothing has been read. It is
   * read from its start, or the application must decide. If a broker that is behind tells of the old one again, it goes on where it was.
   */
  #changeTopic(partition: ConsumerPartition): void {
    const { topicId, onFound, onTruncation, fail, moveTo } = this.#options;
    const { topic, partition: index, position, epoch } = partition;
    const present = topicId(topic);
    if (present === undefined || present === partition.topicId) {
      partition.refused = undefined;
      onFound(partition);
      return;
    }
    const before = partition.leaveTopicFor(present);
    if (before !== undefined) {
      moveTo(partition, before.position);
      partition.epoch = before.epoch;
      partition.takenEpoch = before.epoch;
      return;
    }
    if (position <= 0) {
      // Nothing of the old one had been read.
      moveTo(partition, 'start');
      return;
    }
    const told = {
      ...{ topic, partition: index, position, positionEpoch: epoch },
      ...{ divergentOffset: 0, divergentEpoch: undefined, isOtherTopic: true },
    };
    if (this.#resetTo() === undefined) {
      fail(partition, new LogTruncationError(told));
      return;
    }
    moveTo(partition, 'start');
    onTruncation({ ...told, resumedAt: 'start' });
  }

  /** What `auto.offset.reset` says; undefined: none. */
  #resetTo(): Exclude<OffsetSpec, number> | undefined {
    const { settings, wallMs } = this.#options;
    const { reset } = settings;
    // Longer than there has been time: below 0 a time means something else.
    if (reset.kind === 'by-duration') return { timestampMs: Math.max(0, wallMs() - reset.durationMs) };
    if (reset.kind === 'none') return undefined;
    return reset.kind === 'earliest' ? 'start' : 'end';
  }

  async find(partition: ConsumerPartition): Promise<void> {
    const { calls, settings } = this.#options;
    if (partition.wanted === undefined && this.#options.committed !== undefined) {
      await this.#findCommitted(partition, this.#options.committed);
      return;
    }
    if (partition.wanted === undefined) {
      this.reset(partition);
      if (partition.error !== undefined) return;
    }
    const { wanted, generation, topic } = partition;
    if (wanted === undefined || typeof wanted === 'number') return;
    partition.busy = true;
    try {
      const target = { topic, partition: partition.partition };
      const { requestTimeoutMs } = settings;
      let [found] = await lookUpOffsets(calls, [{ ...target, spec: wanted }], requestTimeoutMs);
      // No record is that young: the end is where the first one will be.
      if (found!.offset < 0)
        [found] = await lookUpOffsets(calls, [{ ...target, spec: 'end' }], requestTimeoutMs);
      if (partition.generation !== generation) return;
      partition.position = found!.offset;
      partition.epoch = found!.leaderEpoch;
      this.#options.onFound(partition);
    } catch (error) {
      if (partition.generation === generation) this.#options.onTrouble(partition, error);
    }
  }

  /** Goes on where the group is; where it has committed nothing, as `auto.offset.reset` says. */
  async #findCommitted(partition: ConsumerPartition, committed: CommittedLookup): Promise<void> {
    const { generation } = partition;
    partition.busy = true;
    try {
      const found = await committed(partition);
      if (partition.generation !== generation) return;
      if (found === undefined) {
        partition.busy = false;
        this.reset(partition);
        return;
      }
      partition.position = found.offset;
      // The leader is asked whether it has what the group has read (KIP-320).
      partition.epoch = found.leaderEpoch;
      partition.takenEpoch = found.leaderEpoch;
      this.#options.onFound(partition);
    } catch (error) {
      if (partition.generation === generation) this.#options.onTrouble(partition, error);
    }
  }

  /** Whether the new leader has what was read so far. If not, records that were read are gone: that is said, not hidden. */
  async validate(partition: ConsumerPartition): Promise<void> {
    const { calls, settings } = this.#options;
    const { generation, epoch } = partition;
    partition.busy = true;
    let askedUnder = -1;
    try {
      const [answer] = await calls.call<TopicPartition, OffsetForLeaderEpochResultOutput>(
        [partition],
        (channel, [target], timeoutMs) => {
          const { topic, partition: index } = target!;
          // Anew with each attempt: after FENCED_LEADER_EPOCH there is a newer one.
          const currentLeaderEpoch = calls.leaderEpoch(target!);
          askedUnder = currentLeaderEpoch;
          const asked = { topic, partition: index, leaderEpoch: epoch, currentLeaderEpoch };
          return channel.unary(logService.OffsetForLeaderEpoch, { partitions: [asked] }, { timeoutMs });
        },
        settings.requestTimeoutMs,
      );
      if (partition.generation !== generation) return;
      partition.checkedEpoch = askedUnder;
      this.#compare(partition, answer!);
      if (partition.generation === generation) this.#options.onFound(partition);
    } catch (error) {
      if (partition.generation === generation) this.#options.onTrouble(partition, error);
    }
  }

  #compare(partition: ConsumerPartition, answer: OffsetForLeaderEpochResultOutput): void {
    const { topic, partition: index, position, epoch, fetchPosition } = partition;
    const { endOffset, leaderEpoch } = answer;
    const place = { topic, partition: index, position, positionEpoch: epoch };
    if (endOffset < 0 || leaderEpoch < 0) {
      // Kafka's UNDEFINED_EPOCH_OFFSET. Below offset 0 there is nothing that can differ.
      if (fetchPosition <= 0) return;
      this.#truncated(partition, { ...place, divergentOffset: undefined, divergentEpoch: undefined });
      return;
    }
    if (endOffset >= fetchPosition) return;
    if (endOffset < position) {
      this.#truncated(partition, { ...place, divergentOffset: endOffset, divergentEpoch: leaderEpoch });
      return;
    }
    // Only what was pushed and not taken yet is gone, and nobody has seen it.
    this.#options.clear(partition);
    partition.epoch = leaderEpoch;
  }

  #truncated(partition: ConsumerPartition, truncation: LogTruncation): void {
    const { clear, fail, moveTo, onTruncation } = this.#options;
    const { divergentOffset, divergentEpoch } = truncation;
    const spec = this.#resetTo();
    if (spec === undefined) {
      clear(partition);
      fail(partition, new LogTruncationError(truncation));
      return;
    }
    // Not the start or the end: what is there from the divergence on has not been read (KIP-320).
    const resumedAt = divergentOffset ?? spec;
    const { checkedEpoch } = partition;
    moveTo(partition, resumedAt);
    if (divergentEpoch !== undefined) {
      partition.epoch = divergentEpoch;
      partition.checkedEpoch = checkedEpoch;
    }
    onTruncation({ ...truncation, resumedAt });
  }
}
