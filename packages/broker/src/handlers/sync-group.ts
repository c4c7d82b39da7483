// GroupService.SyncGroup. It waits until the leader's assignment is committed.

import type { Generation } from '@tidemark/group';
import { failureDetail, type SyncGroupRequestOutput, type SyncGroupResponse } from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import type { UnaryCallInfo } from '../grpc-call.ts';
import { asked, groupIdOf, instanceIdOf, memberIdOf } from './group-requests.ts';

export async function syncGroup(
  context: BrokerContext,
  request: SyncGroupRequestOutput,
  call: UnaryCallInfo,
): Promise<SyncGroupResponse> {
  const { protocolType, protocolName, assignments } = request;
  const response = await asked<'sync'>(context, call, {
    type: 'sync',
    groupId: groupIdOf(request.groupId),
    memberId: memberIdOf(request.memberId),
    instanceId: instanceIdOf(request.groupInstanceId),
    generation: request.generationId as Generation,
    protocolType: protocolType === '' ? undefined : protocolType,
    protocol: protocolName === '' ? undefined : protocolName,
    assignments: new Map(assignments.map(({ memberId, assignment }) => [memberIdOf(memberId), assignment])),
  });
  if (!response.ok) return { error: failureDetail(response) };
  return {
    protocolType: response.protocolType,
    protocolName: response.protocol,
    assignment: response.assignment,
  };
}
