// Where a position is, in words: the start, the end, the first record at or after a time. The leader knows.
import { TidemarkError } from '@tidemark/core';
import { logService } from '@tidemark/rpc';
import type { ListOffsetsResultOutput } from '@tidemark/rpc';
import type { LeaderCalls, TopicPartition } from './leader-calls.ts';

/** A position in a partition. The end is behind the last record that is committed. */
export type OffsetSpec = number | 'start' | 'end' | { readonly timestampMs: number };

export interface FoundOffset extends TopicPartition {
  /** -1 when no record is at or after the time. */
  readonly offset: number;
  /** Of the record found by time; -1 otherwise. */
  readonly timestampMs: number;
  /** -1 when not known. */
  readonly leaderEpoch: number;
}

const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** INVALID_REQUEST for what is no position: -1 and NaN would be waited for without end, or taken for another one. */
export function positionProblem(at: TopicPartition, position: OffsetSpec): TidemarkError | undefined {
  const isOne =
    typeof position === 'number'
      ? isWhole(position)
      : position === 'start' || position === 'end' || isWhole(position.timestampMs);
  if (isOne) return undefined;
  const given = typeof position === 'object' ? `time ${position.timestampMs}` : `offset ${position}`;
  const text = `${at.topic}-${at.partition} has no ${given}: give 0 to 2^53 - 1, 'start', 'end', or { timestampMs }`;
  return new TidemarkError('INVALID_REQUEST', text);
}

/** Throws what `positionProblem` answers. */
export function checkPosition(at: TopicPartition, position: OffsetSpec): void {
  const wrong = positionProblem(at, position);
  if (wrong !== undefined) throw wrong;
}

const END = -1;
const START = -2;
const MAX_TIMESTAMP = -3;

export type LookupSpec = Exclude<OffsetSpec, number> | 'max-timestamp';

function wireTimestamp(spec: LookupSpec): number {
  if (spec === 'end') return END;
  if (spec === 'start') return START;
  if (spec === 'max-timestamp') return MAX_TIMESTAMP;
  return spec.timestampMs;
}

/** In the order asked. */
export async function lookUpOffsets(
  calls: LeaderCalls,
  targets: readonly (TopicPartition & { readonly spec: LookupSpec })[],
  timeoutMs: number,
): Promise<FoundOffset[]> {
  type Target = (typeof targets)[number];
  const answers = await calls.call<Target, ListOffsetsResultOutput>(
    targets,
    (channel, group, groupTimeoutMs) =>
      channel.unary(
        logService.ListOffsets,
        {
          partitions: group.map(({ topic, partition, spec }) => ({
            topic,
            partition,
            timestampMs: wireTimestamp(spec),
            currentLeaderEpoch: calls.leaderEpoch({ topic, partition }),
          })),
        },
        { timeoutMs: groupTimeoutMs },
      ),
    timeoutMs,
  );
  return answers.map(({ topic, partition, offset, timestampMs, leaderEpoch }, index) => {
    const spec = targets[index]!.spec;
    return {
      topic,
      partition,
      offset,
      leaderEpoch,
      timestampMs: spec === 'start' || spec === 'end' ? -1 : timestampMs,
    };
  });
}
