// GroupService.Heartbeat.

import type { Generation } from '@tidemark/group';
import type { HeartbeatRequestOutput, HeartbeatResponse } from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import type { UnaryCallInfo } from '../grpc-call.ts';
import { asked, errorOf, groupIdOf, instanceIdOf, memberIdOf } from './group-requests.ts';

export async function groupHeartbeat(
  context: BrokerContext,
  request: HeartbeatRequestOutput,
  call: UnaryCallInfo,
): Promise<HeartbeatResponse> {
  const response = await asked<'heartbeat'>(context, call, {
    type: 'heartbeat',
    groupId: groupIdOf(request.groupId),
    memberId: memberIdOf(request.memberId),
    instanceId: instanceIdOf(request.groupInstanceId),
    generation: request.generationId as Generation,
  });
  return { error: errorOf(response) };
}
