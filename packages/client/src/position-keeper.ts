// Where a partition is read from: the position looked up, reset when it is gone, and checked when another leader took over (KIP-320).
// An answer for a position that was left meanwhile changes nothing.
import { TidemarkError } from '@tidemark/core';
import { logService } from '@tidemark/rpc';
import type { OffsetForLeaderEpochResultOutput } from '@tidemark/rpc';
import type { ConsumerPartition } from './consumer-partition.ts';
import type { ConsumerSettings } from './consumer-settings.ts';
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
  /** The partition can be fetched. */
  readonly onFound: (partition: ConsumerPartition) => void;
  /** The lookup failed; it is tried again if the error may pass. */
  readonly onTrouble: (partition: ConsumerPartition, error: unknown) => void;
  /** The application must decide. */
  readonly fail: (partition: ConsumerPartition, error: TidemarkError) => void;
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
    const { settings } = this.#options;
    const cause = partition.outOfRange;
    const position = partition.position;
    const { reset } = settings;
    if (reset.kind === 'by-duration') {
      this.#options.moveTo(partition, { timestampMs: this.#options.wallMs() - reset.durationMs });
      return;
    }
    if (reset.kind !== 'none') {
      this.#options.moveTo(partition, reset.kind === 'earliest' ? 'start' : 'end');
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
  async validate(partition: ConsumerPartition, leaderEpoch: number): Promise<void> {
    const { calls, settings } = this.#options;
    const { generation, epoch, topic } = partition;
    partition.busy = true;
    try {
      const [answer] = await calls.call<TopicPartition, OffsetForLeaderEpochResultOutput>(
        [partition],
        (channel, [target], timeoutMs) =>
          channel.unary(
            logService.OffsetForLeaderEpoch,
            {
              partitions: [
                { topic, partition: target!.partition, leaderEpoch: epoch, currentLeaderEpoch: leaderEpoch },
              ],
            },
            { timeoutMs },
          ),
        settings.requestTimeoutMs,
      );
      if (partition.generation !== generation) return;
      partition.checkedEpoch = leaderEpoch;
      const end = answer!.endOffset;
      if (end >= 0 && end < partition.fetchPosition) this.#truncated(partition, end);
      this.#options.onFound(partition);
    } catch (error) {
      if (partition.generation === generation) this.#options.onTrouble(partition, error);
    }
  }

  #truncated(partition: ConsumerPartition, endOffset: number): void {
    const { position, epoch } = partition;
    this.#options.clear(partition);
    if (endOffset >= position) return;
    const text = `${partition.name}: the log was cut at ${endOffset}, below the position ${position} read under leader epoch ${epoch}: records from ${endOffset} on were lost by an election; seek to ${endOffset} to read what is there now`;
    this.#options.fail(partition, new TidemarkError('OFFSET_OUT_OF_RANGE', text));
  }
}
