// Heartbeat: a member says that it is there, and is told whether it has to join again.

import { failure, type Failure } from '@tidemark/core';
import type { ClassicGroup } from '../classic-group.ts';
import type { Generation } from '../group-ids.ts';
import type { GroupContext } from '../group-output.ts';
import type { HeartbeatRequest, Outcome } from '../group-request.ts';

export function heartbeat(group: ClassicGroup, request: HeartbeatRequest, context: GroupContext): void {
  const { requestId, memberId, instanceId, generation } = request;
  const refused = group.checkMember(memberId, instanceId) ?? checkGeneration(group, generation);
  let response: Outcome = refused ?? { ok: true };
  if (refused === undefined) {
    const member = group.members.get(memberId)!;
    // A join that waits for the first time has a limit that heartbeats do not draw out.
    if (!member.isNew) member.deadlineMs = context.time.nowMs + member.sessionTimeoutMs;
    if (group.state === 'PreparingRebalance') response = failure('REBALANCE_IN_PROGRESS');
  }
  context.replies.push({ type: 'heartbeat', requestId, response });
}

export function checkGeneration(group: ClassicGroup, generation: Generation): Failure | undefined {
  if (generation === group.generation) return undefined;
  return failure(
    'ILLEGAL_GENERATION',
    `Group ${group.groupId} is at generation ${group.generation}, not ${generation}.`,
  );
}
