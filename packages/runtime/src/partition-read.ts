// One read of one partition below its high watermark, as both the long poll and the pushed stream make it.

import { failure, TidemarkError, type Failure, type LeaderEpoch, type Offset } from '@tidemark/core';
import type { Partition } from './partition.ts';
import type { FetchOutcome, Named } from './requests.ts';

const NO_PARTS: readonly Uint8Array[] = [];

export interface ReadRange {
  readonly offset: Offset;
  readonly currentLeaderEpoch: LeaderEpoch | undefined;
  readonly maxBytes: number;
  /** Answer one batch even if it is larger than `maxBytes`. */
  readonly atLeastOne: boolean;
}

export function fetchFailure(named: Named, failed: Failure, partition?: Partition): FetchOutcome {
  const outcome: FetchOutcome = {
    topic: named.topic,
    topicId: named.topicId,
    partition: named.partition,
    failure: failed,
    highWatermark: partition?.highWatermark ?? -1,
    logStartOffset: partition?.log.logStartOffset ?? -1,
    leaderEpoch: partition?.leaderEpoch ?? -1,
    parts: NO_PARTS,
    sizeBytes: 0,
    nextOffset: 0 as Offset,
  };
  const moved = failed.error === 'NOT_LEADER_OR_FOLLOWER' || failed.error === 'FENCED_LEADER_EPOCH';
  const leaderHint = moved ? partition?.leaderHint : undefined;
  return leaderHint === undefined ? outcome : { ...outcome, leaderHint };
}

export async function readPartition(partition: Partition, range: ReadRange): Promise<FetchOutcome> {
  const named = { topic: partition.topic, topicId: partition.topicId, partition: partition.index };
  const refused = partition.checkLeader(range.currentLeaderEpoch);
  if (refused !== undefined) return fetchFailure(named, refused, partition);
  const { highWatermark, log, leaderEpoch } = partition;
  // Between the high watermark and the end there is something, but not for readers yet.
  if (range.offset > log.logEndOffset || range.offset < log.logStartOffset) {
    const message = `offset ${range.offset} is outside ${log.logStartOffset} to ${highWatermark} of ${partition.topic}-${partition.index}`;
    return fetchFailure(named, failure('OFFSET_OUT_OF_RANGE', message), partition);
  }
  const empty: FetchOutcome = {
    ...named,
    highWatermark,
    logStartOffset: log.logStartOffset,
    leaderEpoch,
    parts: NO_PARTS,
    sizeBytes: 0,
    nextOffset: range.offset,
  };
  // What is below is committed and stays so; what comes next is told by whoever leads.
  const isolation = range.offset >= highWatermark ? partition.isolation : undefined;
  if (isolation !== undefined) return fetchFailure(named, isolation, partition);
  if (range.offset >= highWatermark || (range.maxBytes <= 0 && !range.atLeastOne)) return empty;
  const answer = log.read(range.offset, {
    maxBytes: range.maxBytes,
    upTo: highWatermark,
    atLeastOne: range.atLeastOne,
  });
  const read = answer instanceof Promise ? await answer.catch(storageFailure) : answer;
  if (!read.ok) return fetchFailure(named, read, partition);
  return { ...empty, parts: read.parts, sizeBytes: read.sizeBytes, nextOffset: read.nextOffset };
}

/** A read the disk refused is an answer to this reader; anything else is not for here. */
function storageFailure(cause: unknown): Failure {
  if (cause instanceof TidemarkError) return failure(cause.error, cause.message);
  throw cause;
}
