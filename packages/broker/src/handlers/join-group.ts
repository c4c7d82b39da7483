// GroupService.JoinGroup. It may wait as long as the members of the group have to come back.

import {
  failureDetail,
  type JoinGroupRequestOutput,
  type JoinGroupResponse,
  type JoinedMember,
} from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import type { UnaryCallInfo } from '../grpc-call.ts';
import { asked, groupIdOf, instanceIdOf, memberIdOf } from './group-requests.ts';

export async function joinGroup(
  context: BrokerContext,
  request: JoinGroupRequestOutput,
  call: UnaryCallInfo,
): Promise<JoinGroupResponse> {
  const { clientId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, protocolType, reason } = request;
  const response = await asked<'join'>(context, call, {
    type: 'join',
    groupId: groupIdOf(request.groupId),
    memberId: memberIdOf(request.memberId),
    newMemberId: context.groups.newMemberId(groupInstanceId || clientId),
    instanceId: instanceIdOf(groupInstanceId),
    clientHost: call.peerHost,
    protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata })),
    reason: reason === '' ? undefined : reason,
    ...{ clientId, sessionTimeoutMs, rebalanceTimeoutMs, protocolType },
  });
  if (!response.ok) return { error: failureDetail(response), memberId: response.memberId, generationId: -1 };
  return {
    memberId: response.memberId,
    generationId: response.generation,
    protocolType: response.protocolType,
    protocolName: response.protocol,
    leader: response.leader,
    members: response.members.map(({ memberId, instanceId, metadata }): JoinedMember => ({
      memberId,
      groupInstanceId: instanceId ?? '',
      metadata,
    })),
    skipAssignment: response.skipAssignment,
  };
}
