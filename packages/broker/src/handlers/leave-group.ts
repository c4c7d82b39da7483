// GroupService.LeaveGroup: members that go by themselves, or static ones that an operator removes.

import {
  failureDetail,
  type LeaveGroupRequestOutput,
  type LeaveGroupResponse,
  type LeftMember,
} from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import type { UnaryCallInfo } from '../grpc-call.ts';
import { asked, errorOf, groupIdOf, instanceIdOf, memberIdOf } from './group-requests.ts';

export async function leaveGroup(
  context: BrokerContext,
  request: LeaveGroupRequestOutput,
  call: UnaryCallInfo,
): Promise<LeaveGroupResponse> {
  const response = await asked<'leave'>(context, call, {
    type: 'leave',
    groupId: groupIdOf(request.groupId),
    members: request.members.map(({ memberId, groupInstanceId, reason }) => ({
      memberId: memberIdOf(memberId),
      instanceId: instanceIdOf(groupInstanceId),
      reason: reason === '' ? undefined : reason,
    })),
  });
  if (!response.ok) return { error: failureDetail(response) };
  return {
    members: response.members.map(({ memberId, instanceId, outcome }): LeftMember => ({
      memberId,
      groupInstanceId: instanceId ?? '',
      error: errorOf(outcome),
    })),
  };
}
