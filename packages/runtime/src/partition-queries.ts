// Questions about one partition's offsets: by time, by leader epoch, and the raising of its log start.

import {
  type Clock,
  failure,
  type Failure,
  isFailure,
  isInternalTopic,
  type Offset,
  TidemarkError,
} from '@tidemark/core';
import type { LeadingReplica } from './replica/leading-replica.ts';
import type { Partition } from './partition.ts';
import type {
  DeleteRecordsOutcome,
  DeleteRecordsPartition,
  EpochEndOutcome,
  EpochEndPartition,
  ListOffsetsOutcome,
  ListOffsetsPartition,
  Named,
} from './requests.ts';

const named = ({ topic, topicId, index }: Partition): Named => ({ topic, topicId, partition: index });

function highWatermarkUnknown({ topic, index }: Partition): Failure {
  const message = `${topic}-${index} has a new leader that does not know yet what is committed: try again`;
  return failure('OFFSET_NOT_AVAILABLE', message);
}

/** The disk's refusal is an answer; anything else is not for here. */
function asFailure(cause: unknown): Failure {
  if (cause instanceof TidemarkError) return failure(cause.error, cause.message);
  throw cause;
}

export async function listOffset(
  partition: Partition | Failure,
  request: ListOffsetsPartition,
): Promise<ListOffsetsOutcome> {
  const nothing = { offset: -1, timestampMs: -1, leaderEpoch: -1 };
  if (isFailure(partition)) return { ...request.address, ...nothing, failure: partition };
  const refused = partition.checkLeader(request.currentLeaderEpoch);
  if (refused !== undefined) return { ...named(partition), ...nothing, failure: refused };
  const { log, highWatermark, leaderEpoch } = partition;
  const { query } = request;
  // What others have committed since is not known here, and an old end would look like a loss.
  const isolation = query.kind === 'start' ? undefined : partition.isolation;
  if (isolation !== undefined) return { ...named(partition), ...nothing, failure: isolation };
  // A new leader may know less to be committed than readers have seen from the one before (KIP-207).
  if (query.kind !== 'start' && partition.leading?.isHighWatermarkKnown === false) {
    return { ...named(partition), ...nothing, failure: highWatermarkUnknown(partition) };
  }
  switch (query.kind) {
    case 'start':
      return { ...named(partition), offset: log.logStartOffset, timestampMs: -1, leaderEpoch };
    case 'end':
      return { ...named(partition), offset: highWatermark, timestampMs: -1, leaderEpoch };
    case 'max-timestamp':
    case 'timestamp': {
      const found = await (
        query.kind === 'timestamp'
          ? log.offsetForTimestamp(query.timestampMs, highWatermark)
          : log.maxTimestamp()
      ).catch(asFailure);
      // What is not committed yet is not for readers, its timestamps neither.
      if (found === undefined || ('offset' in found && found.offset >= highWatermark))
        return { ...named(partition), ...nothing };
      if (isFailure(found)) return { ...named(partition), ...nothing, failure: found };
      return {
        ...named(partition),
        offset: found.offset,
        timestampMs: found.timestampMs,
        leaderEpoch: found.leaderEpoch,
      };
    }
  }
}

export function endOfEpoch(partition: Partition | Failure, request: EpochEndPartition): EpochEndOutcome {
  const nothing = { leaderEpoch: -1, endOffset: -1 };
  if (isFailure(partition)) return { ...request.address, ...nothing, failure: partition };
  const refused = partition.checkLeader(request.currentLeaderEpoch);
  if (refused !== undefined) return { ...named(partition), ...nothing, failure: refused };
  const end = partition.log.endOffsetForEpoch(request.leaderEpoch);
  return end === undefined
    ? { ...named(partition), ...nothing }
    : { ...named(partition), leaderEpoch: end.epoch, endOffset: end.endOffset };
}

/**
 * Answers when the records are gone for good: from every in-sync replica, with min.insync.replicas of them. Kafka waits for every live
 * replica, in sync or not, and however few they are.
 */
export async function deleteRecords(
  partition: Partition | Failure,
  request: DeleteRecordsPartition,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): Promise<DeleteRecordsOutcome> {
  if (isFailure(partition)) return { ...request.address, logStartOffset: -1, failure: partition };
  const refused = partition.checkLeader(undefined) ?? partition.isolation;
  if (refused !== undefined) return { ...named(partition), logStartOffset: -1, failure: refused };
  if (isInternalTopic(partition.topic)) {
    const message = `records of ${partition.topic} are removed by compaction alone`;
    return { ...named(partition), logStartOffset: -1, failure: failure('INVALID_TOPIC_EXCEPTION', message) };
  }
  const leading = partition.leading!;
  const { log, highWatermark } = partition;
  const wanted = request.beforeOffset ?? leading.epochStartOffset;
  if (wanted > highWatermark && wanted <= leading.epochStartOffset) {
    // Earlier leaders may have had all of it committed (KIP-207).
    return { ...named(partition), logStartOffset: -1, failure: highWatermarkUnknown(partition) };
  }
  const before: Offset = request.beforeOffset ?? highWatermark;
  if (before > highWatermark) {
    const message = `records up to ${before} cannot be deleted: the high watermark is ${highWatermark}`;
    return { ...named(partition), logStartOffset: -1, failure: failure('OFFSET_OUT_OF_RANGE', message) };
  }
  const start = log.logStartOffset;
  // Also where it begins above already: that may not be on the disk yet, or not for want of room.
  const deleted = await log.deleteRecordsBefore(before).catch(asFailure);
  if (log.logStartOffset > start) partition.logStartMoved();
  if (!deleted.ok) return { ...named(partition), logStartOffset: -1, failure: deleted };
  const failed = await goneEverywhere(leading, before, clock, timeoutMs);
  return failed === undefined
    ? { ...named(partition), logStartOffset: log.logStartOffset }
    : { ...named(partition), logStartOffset: -1, failure: failed };
}

async function goneEverywhere(
  leading: LeadingReplica,
  before: Offset,
  clock: Clock,
  timeoutMs: number,
): Promise<Failure | undefined> {
  const { deleted, cancel } = leading.whenDeleted(before);
  const late = new Promise<Failure>((resolve) => {
    const timer = clock.setTimer(timeoutMs, () => {
      const why =
        leading.checkCommitted()?.message ??
        `an in-sync replica has not said within ${timeoutMs} ms that it has none of them`;
      const message = `records below ${before} are deleted here, and the next leader may bring them back: ${why}. Delete them again to wait longer`;
      resolve(failure('REQUEST_TIMED_OUT', message));
    });
    void deleted.then(() => timer.cancel());
  });
  const failed = await Promise.race([deleted, late]);
  cancel();
  return failed;
}
