// LeaveGroup: members go, or an operator removes static ones (KIP-345). One answer for each, in the order of the request.

import { type Failure } from '@tidemark/core';
import type { ClassicGroup } from '../classic-group.ts';
import { NO_MEMBER_ID } from '../group-ids.ts';
import type { GroupContext } from '../group-output.ts';
import type { LeaveRequest, LeavingMember, Outcome } from '../group-request.ts';
import { maybeCompleteJoin, rebalanceAfterRemoval, removeMember } from '../rebalance.ts';

export function leave(group: ClassicGroup, request: LeaveRequest, context: GroupContext): void {
  const members = request.members.map((leaving) => {
    const { memberId, instanceId } = leaving;
    const outcome: Outcome = leaveOne(group, leaving, context) ?? { ok: true };
    return { memberId, instanceId, outcome };
  });
  context.replies.push({
    type: 'leave',
    requestId: request.requestId,
    response: { ok: true, members },
  });
}

function leaveOne(
  group: ClassicGroup,
  { memberId: asked, instanceId, reason }: LeavingMember,
  context: GroupContext,
): Failure | undefined {
  if (instanceId === undefined && group.pendingMembers.delete(asked)) {
    maybeCompleteJoin(group, context);
    return undefined;
  }
  // An operator who removes an instance does not know its member id.
  const current = instanceId === undefined ? undefined : group.staticMembers.get(instanceId);
  const memberId = asked === NO_MEMBER_ID && current !== undefined ? current : asked;
  const refused = group.checkMember(memberId, instanceId);
  if (refused !== undefined) return refused;
  removeMember(group, group.members.get(memberId)!, context);
  rebalanceAfterRemoval(group, { type: 'memberLeft', memberId, clientReason: reason }, context);
  return undefined;
}
