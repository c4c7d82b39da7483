// GroupService.FetchOffsets: what a group has committed.

import type { PartitionIndex } from '@tidemark/core';
import type { FetchedOffset } from '@tidemark/group';
import {
  failureDetail,
  type CommittedOffset,
  type FetchOffsetsRequestOutput,
  type FetchOffsetsResponse,
} from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import { checkDistinct, groupIdOf } from './group-requests.ts';

export function fetchOffsets(
  { groups }: BrokerContext,
  { groupId, partitions, allPartitions }: FetchOffsetsRequestOutput,
): FetchOffsetsResponse {
  const repeated = checkDistinct(partitions);
  if (repeated !== undefined) return { error: failureDetail(repeated) };
  const asked = partitions.map(({ topic, partition }) => ({ topic, partition: partition as PartitionIndex }));
  const fetched = groups.fetchOffsets(groupIdOf(groupId), allPartitions ? undefined : asked);
  return fetched.ok ? { offsets: fetched.offsets.map(offsetAnswer) } : { error: failureDetail(fetched) };
}

function offsetAnswer({ topic, partition, committed }: FetchedOffset): CommittedOffset {
  if (committed === undefined) return { topic, partition, offset: -1 };
  const { offset, leaderEpoch, metadata, commitTimestampMs } = committed;
  const answer = { topic, partition, offset, metadata, commitTimestampMs };
  return leaderEpoch < 0 ? answer : { ...answer, leaderEpoch };
}
