// How a rebalance goes: prepare (everybody joins), complete (the leader's assignment is stored), and what ends it early. Time-outs are
// looked at here; requests are in `handlers/`.
//
// Contract: a parked join or sync is answered exactly once, by whatever happens first: the phase ends, its member goes, the time is up,
// the member asks again. A generation begins when the join phase ends, and holds once its assignment is committed.

import { failure, type ErrorName, type Failure } from '@tidemark/core';
import type { ClassicGroup } from './classic-group.ts';
import type { Generation, MemberId } from './group-ids.ts';
import { deadlineOf, joinedMember, type GroupMember } from './group-member.ts';
import type { GroupContext } from './group-output.ts';
import type { JoinResponse } from './group-request.ts';
import type { GroupSettings, GroupTime } from './group-settings.ts';
import type { RebalanceCause } from './rebalance-history.ts';

const NO_BYTES = new Uint8Array(0);

export function prepareRebalance(group: ClassicGroup, cause: RebalanceCause, context: GroupContext): void {
  const { time, settings } = context;
  const isInitial = group.state === 'Empty';
  if (group.state === 'CompletingRebalance') {
    failParkedSyncs(group, failure('REBALANCE_IN_PROGRESS'), context);
  }
  group.pendingAssignment = undefined;
  group.pendingSync.clear();
  group.syncDeadlineMs = Infinity;
  const { generation } = group;
  group.history.add({ timestampMs: time.timestampMs, generation, cause }, settings.maxRememberedRebalances);
  group.transition('PreparingRebalance', time);
  const { rebalanceTimeoutMs } = group;
  const delayMs = settings.initialRebalanceDelayMs;
  if (isInitial && delayMs > 0) {
    group.hasNewMember = false;
    group.initialDelayLeftMs = Math.max(rebalanceTimeoutMs - delayMs, 0);
    group.joinDeadlineMs = time.nowMs + delayMs;
    return;
  }
  group.joinDeadlineMs = time.nowMs + rebalanceTimeoutMs;
  maybeCompleteJoin(group, context);
}

/** After a change of who there is: begins a rebalance, or ends the join phase if this was what it waited for. */
export function rebalanceOrCompleteJoin(
  group: ClassicGroup,
  cause: RebalanceCause,
  context: GroupContext,
): void {
  if (group.state === 'PreparingRebalance') maybeCompleteJoin(group, context);
  else prepareRebalance(group, cause, context);
}

/** A group that was empty waits its delay out, whoever is there. */
export function maybeCompleteJoin(group: ClassicGroup, context: GroupContext): void {
  if (group.state !== 'PreparingRebalance' || group.initialDelayLeftMs !== undefined) return;
  if (group.hasAllJoined) completeJoin(group, context);
}

function completeJoin(group: ClassicGroup, context: GroupContext): void {
  const { time } = context;
  group.initialDelayLeftMs = undefined;
  group.joinDeadlineMs = Infinity;
  // Static members have until their session ends (KIP-345).
  for (const member of [...group.members.values()]) {
    if (member.parkedJoin === undefined && member.instanceId === undefined) group.remove(member);
  }
  if (group.members.size > 0 && !electJoinedLeader(group)) {
    // Only static members, none of which has come: their sessions decide. A rebalance time-out may be 0, which would be due at once for ever.
    const delayMs = Math.max(group.rebalanceTimeoutMs, context.settings.minSessionTimeoutMs);
    group.joinDeadlineMs = time.nowMs + delayMs;
    return;
  }
  group.generation = (group.generation + 1) as Generation;
  if (group.members.size === 0) {
    group.protocol = undefined;
    group.leader = undefined;
    group.transition('Empty', time);
    context.records.push(group.record(new Map()));
    return;
  }
  group.protocol = group.chooseProtocol();
  group.transition('CompletingRebalance', time);
  group.syncDeadlineMs = time.nowMs + group.rebalanceTimeoutMs;
  for (const member of group.members.values()) {
    member.assignment = NO_BYTES;
    if (member.parkedJoin === undefined) continue;
    group.pendingSync.add(member.memberId);
    answerJoin(member, generationInfo(group, member), context);
  }
}

/** Whether there is a leader that has joined. */
function electJoinedLeader(group: ClassicGroup): boolean {
  const leader = group.leader === undefined ? undefined : group.members.get(group.leader);
  if (leader?.parkedJoin !== undefined) return true;
  for (const { memberId, parkedJoin } of group.members.values()) {
    if (parkedJoin === undefined) continue;
    group.leader = memberId;
    return true;
  }
  return false;
}

/** What a member is told that belongs to the current generation. */
export function generationInfo(
  group: ClassicGroup,
  member: GroupMember,
  skipAssignment = false,
): JoinResponse {
  const protocol = group.protocol ?? '';
  const isLeader = member.memberId === group.leader;
  return {
    ok: true,
    memberId: member.memberId,
    generation: group.generation,
    protocolType: group.protocolType,
    protocol,
    leader: group.leader!,
    members: isLeader ? [...group.members.values()].map((each) => joinedMember(each, protocol)) : [],
    skipAssignment,
  };
}

/** The assignment of the current generation is committed. */
export function assignmentCommitted(group: ClassicGroup, context: GroupContext): void {
  const { pendingAssignment: pending } = group;
  if (pending === undefined || group.state !== 'CompletingRebalance') return;
  group.pendingAssignment = undefined;
  group.transition('Stable', context.time);
  for (const member of group.members.values()) {
    member.assignment = pending.assignments.get(member.memberId) ?? NO_BYTES;
    if (member.parkedSync !== undefined) answerAssigned(group, member, context);
  }
}

export function assignmentNotStored(group: ClassicGroup, failed: Failure, context: GroupContext): void {
  if (group.pendingAssignment === undefined || group.state !== 'CompletingRebalance') return;
  failParkedSyncs(group, failed, context);
  prepareRebalance(group, { type: 'assignmentNotStored', detail: failed.message }, context);
}

/** Whoever waits is answered: the coordinator is no longer one. */
export function resignGroup(group: ClassicGroup, failed: Failure, context: GroupContext): void {
  failParked(group, failed, context);
  group.transition('Dead', context.time);
}

export function failParked(group: ClassicGroup, failed: Failure, context: GroupContext): void {
  failParkedSyncs(group, failed, context);
  for (const member of group.members.values()) failJoin(member, failed, context);
}

/** As if it had all begun now: nobody could come in time. Nothing is due earlier than it was. */
export function renewDeadlines(group: ClassicGroup, { nowMs }: GroupTime, settings: GroupSettings): void {
  const { members, pendingMembers, rebalanceTimeoutMs, initialDelayLeftMs } = group;
  const notBefore = (deadlineMs: number, leftMs: number): number => Math.max(deadlineMs, nowMs + leftMs);
  for (const member of members.values()) {
    member.deadlineMs = notBefore(member.deadlineMs, member.sessionTimeoutMs);
  }
  for (const [memberId, deadlineMs] of pendingMembers) {
    pendingMembers.set(memberId, notBefore(deadlineMs, settings.minSessionTimeoutMs));
  }
  const joinMs = initialDelayLeftMs === undefined ? rebalanceTimeoutMs : settings.initialRebalanceDelayMs;
  group.joinDeadlineMs = notBefore(group.joinDeadlineMs, joinMs);
  group.syncDeadlineMs = notBefore(group.syncDeadlineMs, rebalanceTimeoutMs);
}

export function answerJoin(member: GroupMember, response: JoinResponse, context: GroupContext): void {
  if (member.parkedJoin === undefined) return;
  context.replies.push({ type: 'join', requestId: member.parkedJoin, response });
  member.parkedJoin = undefined;
  if (response.ok) member.isNew = false;
  member.deadlineMs = context.time.nowMs + member.sessionTimeoutMs;
}

export function failJoin(member: GroupMember, failed: Failure, context: GroupContext): void {
  if (member.parkedJoin === undefined) return;
  const { memberId } = member;
  context.replies.push({ type: 'join', requestId: member.parkedJoin, response: { ...failed, memberId } });
  member.parkedJoin = undefined;
}

export function failSync(member: GroupMember, failed: Failure, context: GroupContext): void {
  if (member.parkedSync === undefined) return;
  context.replies.push({ type: 'sync', requestId: member.parkedSync, response: failed });
  member.parkedSync = undefined;
  member.deadlineMs = context.time.nowMs + member.sessionTimeoutMs;
}

function failParkedSyncs(group: ClassicGroup, failed: Failure, context: GroupContext): void {
  for (const member of group.members.values()) failSync(member, failed, context);
}

/** Answers its parked sync with its assignment. */
export function answerAssigned(group: ClassicGroup, member: GroupMember, context: GroupContext): void {
  const { protocolType, protocol } = group;
  const { assignment, parkedSync } = member;
  if (parkedSync === undefined) return;
  const response = { ok: true as const, protocolType, protocol: protocol ?? '', assignment };
  context.replies.push({ type: 'sync', requestId: parkedSync, response });
  member.parkedSync = undefined;
  member.deadlineMs = context.time.nowMs + member.sessionTimeoutMs;
}

/** Takes a member out; what it waits for is answered. What that means to the group is the caller's next question. */
export function removeMember(
  group: ClassicGroup,
  member: GroupMember,
  context: GroupContext,
  error: ErrorName = 'UNKNOWN_MEMBER_ID',
): void {
  const failed = failure(error, `${member.memberId} is no longer a member of group ${group.groupId}.`);
  failJoin(member, failed, context);
  failSync(member, failed, context);
  group.remove(member);
}

export function rebalanceAfterRemoval(
  group: ClassicGroup,
  cause: RebalanceCause,
  context: GroupContext,
): void {
  if (group.state === 'Stable' || group.state === 'CompletingRebalance') {
    prepareRebalance(group, cause, context);
  } else maybeCompleteJoin(group, context);
}

/** Everything whose time is up. */
export function tickGroup(group: ClassicGroup, context: GroupContext): void {
  const { nowMs } = context.time;
  let hasDropped = false;
  for (const [memberId, deadlineMs] of group.pendingMembers) {
    if (deadlineMs <= nowMs) hasDropped = group.pendingMembers.delete(memberId);
  }
  if (hasDropped) maybeCompleteJoin(group, context);
  for (const member of [...group.members.values()]) {
    // An earlier one may have ended the phase: it is looked at as it is now.
    if (group.members.get(member.memberId) !== member || deadlineOf(member) > nowMs) continue;
    removeMember(group, member, context);
    rebalanceAfterRemoval(group, { type: 'sessionExpired', memberId: member.memberId }, context);
  }
  const { pendingAssignment: pending } = group;
  if (pending !== undefined && pending.replyDeadlineMs <= nowMs) {
    pending.replyDeadlineMs = Infinity;
    const message = `The assignment of group ${group.groupId} is not committed yet.`;
    failParkedSyncs(group, failure('COORDINATOR_NOT_AVAILABLE', message), context);
  }
  if (group.syncDeadlineMs <= nowMs) expireSync(group, context);
  if (group.joinDeadlineMs <= nowMs) expireJoin(group, context);
}

function expireJoin(group: ClassicGroup, context: GroupContext): void {
  const left = group.initialDelayLeftMs;
  if (left !== undefined && left > 0 && group.hasNewMember) {
    // Somebody came during the delay: more may follow.
    const delayMs = Math.min(context.settings.initialRebalanceDelayMs, left);
    group.hasNewMember = false;
    group.initialDelayLeftMs = left - delayMs;
    group.joinDeadlineMs = context.time.nowMs + delayMs;
    return;
  }
  completeJoin(group, context);
}

function expireSync(group: ClassicGroup, context: GroupContext): void {
  group.syncDeadlineMs = Infinity;
  const missing: readonly MemberId[] = [...group.pendingSync];
  if (missing.length === 0) return;
  for (const memberId of missing) {
    const member = group.members.get(memberId);
    if (member !== undefined) removeMember(group, member, context);
  }
  prepareRebalance(group, { type: 'syncTimedOut', members: missing }, context);
}
