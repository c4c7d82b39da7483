// JoinGroup: a member comes, comes back, or asks again because the answer was lost. The rules are those of Kafka's classic protocol:
// KIP-394 (an id first), KIP-345 (static members), KIP-814 (a leader that comes back as static member computes nothing).

import { failure, invariant, type Failure } from '@tidemark/core';
import { CONSUMER_PROTOCOL_TYPE, type ClassicGroup } from '../classic-group.ts';
import { decodeAssignment, decodeSubscription } from '../consumer-protocol.ts';
import { NO_MEMBER_ID, type MemberId } from '../group-ids.ts';
import { metadataFor, sameProtocols, type GroupMember } from '../group-member.ts';
import type { GroupContext } from '../group-output.ts';
import type { JoinRequest } from '../group-request.ts';
import { offsetKey } from '../offset-key.ts';
import {
  failJoin,
  failSync,
  generationInfo,
  prepareRebalance,
  rebalanceOrCompleteJoin,
} from '../rebalance.ts';

const NO_BYTES = new Uint8Array(0);

export function join(group: ClassicGroup, request: JoinRequest, context: GroupContext): void {
  const { memberId, instanceId, protocolType, protocols } = request;
  if (!hasRoom(group, request, context.settings.maxSize)) {
    refuse(request, failure('GROUP_MAX_SIZE_REACHED', `Group ${group.groupId} is full.`), context);
  } else if (!group.accepts(protocolType, protocols)) {
    refuse(request, inconsistent(group, request), context, memberId);
  } else if (memberId === NO_MEMBER_ID) {
    const { newMemberId } = request;
    invariant(!group.members.has(newMemberId), 'a member id is given twice', { newMemberId });
    if (instanceId === undefined) giveMemberId(group, request, context);
    else joinStatic(group, request, context);
  } else joinKnown(group, request, context);
}

/** Members that only come back are let in. While members join, those that have not come back yet do not count. */
function hasRoom(group: ClassicGroup, { memberId, instanceId }: JoinRequest, maxSize: number): boolean {
  if (instanceId !== undefined && group.staticMembers.has(instanceId)) return true;
  const member = group.members.get(memberId);
  switch (group.state) {
    case 'PreparingRebalance':
      return member?.parkedJoin !== undefined || group.joinedCount < maxSize;
    case 'CompletingRebalance':
    case 'Stable':
      return member !== undefined || group.members.size < maxSize;
    case 'Empty':
    case 'Dead':
      return maxSize > 0;
  }
}

function inconsistent(group: ClassicGroup, { protocolType, protocols }: JoinRequest): Failure {
  const asked = `${protocolType || 'no type'}: ${protocols.map(({ name }) => name).join(', ') || 'none'}`;
  const has = group.members.size === 0 ? '' : `, and the group is of type ${group.protocolType}`;
  return failure(
    'INCONSISTENT_GROUP_PROTOCOL',
    `The member of group ${group.groupId} has ${asked}${has}; it needs the group's type and a protocol that all members have.`,
  );
}

function refuse(
  { requestId }: JoinRequest,
  failed: Failure,
  context: GroupContext,
  memberId: MemberId = NO_MEMBER_ID,
): void {
  context.replies.push({ type: 'join', requestId, response: { ...failed, memberId } });
}

/** KIP-394: without this, every join whose answer is lost would leave a member behind that nobody is. */
function giveMemberId(group: ClassicGroup, request: JoinRequest, context: GroupContext): void {
  const { newMemberId, sessionTimeoutMs } = request;
  group.pendingMembers.set(newMemberId, context.time.nowMs + sessionTimeoutMs);
  if (group.pendingMembers.size > context.settings.maxPendingMembers) {
    const [oldest] = group.pendingMembers.keys();
    group.pendingMembers.delete(oldest!);
  }
  refuse(request, failure('MEMBER_ID_REQUIRED'), context, newMemberId);
}

function joinStatic(group: ClassicGroup, request: JoinRequest, context: GroupContext): void {
  const current = group.staticMembers.get(request.instanceId!);
  const member = current === undefined ? undefined : group.members.get(current);
  if (member === undefined) addMember(group, request, request.newMemberId, context);
  else replaceStatic(group, member, request, context);
}

function joinKnown(group: ClassicGroup, request: JoinRequest, context: GroupContext): void {
  const { memberId, instanceId } = request;
  if (group.pendingMembers.has(memberId) && instanceId === undefined) {
    addMember(group, request, memberId, context);
    return;
  }
  const failed = group.checkMember(memberId, instanceId);
  if (failed !== undefined) refuse(request, failed, context, memberId);
  else rejoin(group, group.members.get(memberId)!, request, context);
}

function addMember(
  group: ClassicGroup,
  request: JoinRequest,
  memberId: MemberId,
  context: GroupContext,
): void {
  const { instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols } = request;
  if (group.members.size === 0) group.protocolType = request.protocolType;
  if (group.initialDelayLeftMs !== undefined) group.hasNewMember = true;
  group.add({
    memberId,
    instanceId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    sessionTimeoutMs,
    protocols,
    assignment: NO_BYTES,
    isNew: true,
    deadlineMs: context.time.nowMs + context.settings.newMemberJoinTimeoutMs,
    parkedJoin: request.requestId,
    parkedSync: undefined,
  });
  const cause = { type: 'memberJoined', memberId, clientReason: request.reason } as const;
  rebalanceOrCompleteJoin(group, cause, context);
}

function update(member: GroupMember, request: JoinRequest): void {
  const { clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols } = request;
  Object.assign(member, { clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols });
}

function rejoin(group: ClassicGroup, member: GroupMember, request: JoinRequest, context: GroupContext): void {
  const { memberId } = member;
  const clientReason = request.reason;
  const isUnchanged = sameProtocols(member.protocols, request.protocols);
  const isLeader = group.leader === memberId;
  if (group.state === 'CompletingRebalance' || group.state === 'Stable') {
    // The answer was lost. A leader that joins a stable group wants a rebalance: what it watches has changed.
    if (isUnchanged && !(isLeader && group.state === 'Stable')) {
      context.replies.push({
        type: 'join',
        requestId: request.requestId,
        response: generationInfo(group, member),
      });
      member.deadlineMs = context.time.nowMs + member.sessionTimeoutMs;
      return;
    }
  }
  failJoin(member, failure('REBALANCE_IN_PROGRESS', `${memberId} has joined again since.`), context);
  update(member, request);
  // Before the rebalance begins, so that its parked sync is answered like everybody's.
  const type = isLeader && isUnchanged ? 'leaderRejoined' : 'memberRejoined';
  failSync(member, failure('REBALANCE_IN_PROGRESS'), context);
  member.parkedJoin = request.requestId;
  rebalanceOrCompleteJoin(group, { type, memberId, clientReason }, context);
}

/** The instance has started again under a new member id: whoever has the old one is fenced (KIP-345). */
function replaceStatic(
  group: ClassicGroup,
  old: GroupMember,
  request: JoinRequest,
  context: GroupContext,
): void {
  const { requestId, newMemberId: memberId } = request;
  const fenced = failure(
    'FENCED_INSTANCE_ID',
    `Instance ${request.instanceId ?? ''} of group ${group.groupId} has started again as ${memberId}.`,
  );
  failJoin(old, fenced, context);
  failSync(old, fenced, context);
  const owes = owesPartitions(group, old);
  const wasToSync = group.pendingSync.has(old.memberId);
  const member = group.replaceStatic(old, memberId);
  update(member, request);
  member.deadlineMs = context.time.nowMs + member.sessionTimeoutMs;
  if (group.state === 'Stable' && group.chooseProtocol() === group.protocol && !owes) {
    if (wasToSync) group.pendingSync.add(memberId);
    const skipAssignment = group.leader === memberId;
    context.replies.push({
      type: 'join',
      requestId,
      response: generationInfo(group, member, skipAssignment),
    });
    context.records.push(group.record(group.currentAssignments()));
    return;
  }
  // Also what the former self was to give up goes to others by a rebalance alone: this one does not know of it.
  member.parkedJoin = requestId;
  const cause = { type: 'staticMemberReplaced', memberId } as const;
  if (group.state === 'PreparingRebalance') rebalanceOrCompleteJoin(group, cause, context);
  else prepareRebalance(group, cause, context);
}

/** Cooperative (KIP-429): it has joined with partitions that the assignment does not leave it, and others get once it joins without. */
function owesPartitions(group: ClassicGroup, member: GroupMember): boolean {
  if (group.protocolType !== CONSUMER_PROTOCOL_TYPE) return false;
  const said = decodeSubscription(metadataFor(member, group.protocol ?? ''));
  if (!said.ok || said.subscription.ownedPartitions.length === 0) return false;
  const got = decodeAssignment(member.assignment);
  if (!got.ok) return false;
  const kept = new Set(got.assignment.partitions.map(offsetKey));
  return said.subscription.ownedPartitions.some((place) => !kept.has(offsetKey(place)));
}
