// GroupService.DeleteOffsets: of topics that the group does not subscribe to.

import type { PartitionIndex } from '@tidemark/core';
import { failureDetail, type DeleteOffsetsRequestOutput, type DeleteOffsetsResponse } from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import type { UnaryCallInfo } from '../grpc-call.ts';
import { asked, groupIdOf, partitionResult } from './group-requests.ts';

export async function deleteOffsets(
  context: BrokerContext,
  request: DeleteOffsetsRequestOutput,
  call: UnaryCallInfo,
): Promise<DeleteOffsetsResponse> {
  const response = await asked<'deleteOffsets'>(context, call, {
    type: 'deleteOffsets',
    groupId: groupIdOf(request.groupId),
    partitions: request.partitions.map(({ topic, partition }) => ({
      topic,
      partition: partition as PartitionIndex,
    })),
  });
  if (!response.ok) return { error: failureDetail(response) };
  return { results: response.partitions.map((each) => partitionResult(each, each.outcome)) };
}
