// SyncGroup: members of the new generation ask for their assignments, the leader brings them. Answers wait until the assignment is
// committed, so that no two coordinators can give the same generation two assignments.

import { failure, type Failure } from '@tidemark/core';
import type { ClassicGroup } from '../classic-group.ts';
import type { GroupContext } from '../group-output.ts';
import type { SyncRequest } from '../group-request.ts';
import { answerAssigned, failSync } from '../rebalance.ts';
import { checkGeneration } from './heartbeat.ts';

export function sync(group: ClassicGroup, request: SyncRequest, context: GroupContext): void {
  const { requestId, memberId, instanceId, generation } = request;
  const refused =
    group.checkMember(memberId, instanceId) ??
    checkGeneration(group, generation) ??
    checkProtocol(group, request) ??
    checkState(group);
  if (refused !== undefined) {
    context.replies.push({ type: 'sync', requestId, response: refused });
    return;
  }
  const member = group.members.get(memberId)!;
  group.pendingSync.delete(memberId);
  failSync(member, failure('REBALANCE_IN_PROGRESS', `${memberId} has asked again since.`), context);
  member.parkedSync = requestId;
  if (group.state === 'Stable') {
    answerAssigned(group, member, context);
    return;
  }
  const replyDeadlineMs = context.time.nowMs + context.settings.commitTimeoutMs;
  if (group.pendingAssignment !== undefined) {
    if (group.pendingAssignment.replyDeadlineMs === Infinity) {
      group.pendingAssignment.replyDeadlineMs = replyDeadlineMs;
    }
    return;
  }
  if (group.leader !== memberId) return;
  group.pendingAssignment = { assignments: request.assignments, offset: undefined, replyDeadlineMs };
  context.records.push(group.record(request.assignments));
}

function checkProtocol(group: ClassicGroup, request: SyncRequest): Failure | undefined {
  const { protocolType, protocol } = request;
  const isSame =
    (protocolType === undefined || protocolType === group.protocolType) &&
    (protocol === undefined || group.protocol === undefined || protocol === group.protocol);
  if (isSame) return undefined;
  return failure(
    'INCONSISTENT_GROUP_PROTOCOL',
    `Group ${group.groupId} has chosen ${group.protocol ?? 'no protocol'} of type ${group.protocolType}.`,
  );
}

function checkState(group: ClassicGroup): Failure | undefined {
  return group.state === 'PreparingRebalance' ? failure('REBALANCE_IN_PROGRESS') : undefined;
}
