// One group as its coordinator has it in memory: who its members are, what they can do, and which time-outs run. It holds and counts;
// what happens when is in `rebalance.ts` and `handlers/`.
//
// Contract: everything here can be built anew from the group's record. The generation never goes back while the coordinator stays.

import { failure, invariant, type Failure, type TimestampMs } from '@tidemark/core';
import { subscribedTopics } from './consumer-protocol.ts';
import type { Generation, GroupId, InstanceId, MemberId } from './group-ids.ts';
import { NO_MEMBER_ID } from './group-ids.ts';
import { deadlineOf, memberFromStore, metadataFor, storedMember, type GroupMember } from './group-member.ts';
import type { GroupMetadataRecord, StoredGroup } from './group-record.ts';
import type { GroupProtocol } from './group-request.ts';
import type { GroupTime } from './group-settings.ts';
import { RebalanceHistory } from './rebalance-history.ts';

/** Kafka's names. Dead: the coordinator has resigned. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

/** From where a group comes into a state: Kafka's `ClassicGroupState`, but for Dead, which is left and entered by nobody who is in it. */
export const statesBefore: Readonly<Record<GroupState, readonly GroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Empty', 'CompletingRebalance', 'Stable'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable'],
};

/** `ConsumerProtocol.PROTOCOL_TYPE`: groups whose subscriptions the coordinator can read. */
export const CONSUMER_PROTOCOL_TYPE = 'consumer';

/** What the leader has worked out, on its way to the log. */
export interface PendingAssignment {
  readonly assignments: ReadonlyMap<MemberId, Uint8Array>;
  /** Where it was replayed; undefined until then. */
  offset: number | undefined;
  /** Who waits for it then is told to come again. */
  replyDeadlineMs: number;
}

const NO_BYTES = new Uint8Array(0);

export class ClassicGroup {
  readonly groupId: GroupId;
  readonly members = new Map<MemberId, GroupMember>();
  readonly staticMembers = new Map<InstanceId, MemberId>();
  /** Ids that were given with MEMBER_ID_REQUIRED, and until when they are waited for. */
  readonly pendingMembers = new Map<MemberId, number>();
  /** Who was told of the current generation and has not asked for its assignment. */
  readonly pendingSync = new Set<MemberId>();
  readonly history = new RebalanceHistory();
  state: GroupState = 'Empty';
  stateTimestampMs: TimestampMs = -1;
  /** Empty as long as it never had a member. */
  protocolType = '';
  protocol: string | undefined;
  generation = 0 as Generation;
  leader: MemberId | undefined;
  joinDeadlineMs = Infinity;
  /** Set while a group that was empty waits for more members: by how much that can still be drawn out. */
  initialDelayLeftMs: number | undefined;
  hasNewMember = false;
  syncDeadlineMs = Infinity;
  pendingAssignment: PendingAssignment | undefined;
  /** No deadline of the group is earlier; heartbeats do not bring it up to date. */
  earliestDeadlineMs = Infinity;

  constructor(groupId: GroupId) {
    this.groupId = groupId;
  }

  static fromStore(groupId: GroupId, stored: StoredGroup | undefined, nowMs: number): ClassicGroup {
    const group = new ClassicGroup(groupId);
    if (stored === undefined) return group;
    group.stateTimestampMs = stored.stateTimestampMs;
    group.protocolType = stored.protocolType;
    group.generation = stored.generation;
    if (stored.members.length === 0) return group;
    group.state = 'Stable';
    group.protocol = stored.protocol ?? '';
    group.leader = stored.leader;
    for (const member of stored.members) group.add(memberFromStore(member, group.protocol, nowMs));
    group.refreshDeadline();
    return group;
  }

  /** The record that stores the group as it is, with these assignments. */
  record(assignments: ReadonlyMap<MemberId, Uint8Array>): GroupMetadataRecord {
    const { groupId, protocolType, generation, protocol, leader, stateTimestampMs } = this;
    const members = [...this.members.values()].map((member) =>
      storedMember(member, protocol ?? '', assignments.get(member.memberId) ?? NO_BYTES),
    );
    const value = { protocolType, generation, protocol, leader, stateTimestampMs, members };
    return { type: 'group', groupId, value };
  }

  currentAssignments(): ReadonlyMap<MemberId, Uint8Array> {
    return new Map([...this.members].map(([memberId, { assignment }]) => [memberId, assignment]));
  }

  transition(state: GroupState, time: GroupTime): void {
    const { groupId, state: from } = this;
    invariant(statesBefore[state].includes(from), 'a group changes its state as Kafka’s do', {
      groupId,
      from,
      to: state,
    });
    this.state = state;
    this.stateTimestampMs = time.timestampMs;
  }

  add(member: GroupMember): void {
    this.members.set(member.memberId, member);
    if (member.instanceId !== undefined) this.staticMembers.set(member.instanceId, member.memberId);
    this.leader ??= member.memberId;
    this.pendingMembers.delete(member.memberId);
  }

  remove(member: GroupMember): void {
    const { memberId, instanceId } = member;
    this.members.delete(memberId);
    this.pendingSync.delete(memberId);
    if (instanceId !== undefined && this.staticMembers.get(instanceId) === memberId) {
      this.staticMembers.delete(instanceId);
    }
    if (this.leader === memberId) this.leader = this.members.keys().next().value;
  }

  /** The static member goes on under another id, with its assignment. */
  replaceStatic(old: GroupMember, memberId: MemberId): GroupMember {
    const member = { ...old, memberId, parkedJoin: undefined, parkedSync: undefined };
    const wasLeader = this.leader === old.memberId;
    this.remove(old);
    this.add(member);
    if (wasLeader) this.leader = memberId;
    return member;
  }

  /** Whether it can be a member's id, and is that of the instance (KIP-345). */
  checkMember(memberId: MemberId, instanceId: InstanceId | undefined): Failure | undefined {
    if (instanceId !== undefined) {
      const current = this.staticMembers.get(instanceId);
      if (current !== undefined && current !== memberId) {
        return failure(
          'FENCED_INSTANCE_ID',
          `Instance ${instanceId} of group ${this.groupId} is ${current} now.`,
        );
      }
      if (current === undefined) return this.unknown(memberId);
    }
    return memberId !== NO_MEMBER_ID && this.members.has(memberId) ? undefined : this.unknown(memberId);
  }

  unknown(memberId: MemberId): Failure {
    const name = memberId === NO_MEMBER_ID ? 'without an id' : memberId;
    return failure('UNKNOWN_MEMBER_ID', `Group ${this.groupId} has no member ${name}.`);
  }

  get rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const { rebalanceTimeoutMs } of this.members.values())
      longest = Math.max(longest, rebalanceTimeoutMs);
    return longest;
  }

  get joinedCount(): number {
    let count = 0;
    for (const { parkedJoin } of this.members.values()) if (parkedJoin !== undefined) count++;
    return count;
  }

  get hasAllJoined(): boolean {
    return this.pendingMembers.size === 0 && this.joinedCount === this.members.size;
  }

  /** Whether somebody with these protocols can be a member: there is one that everybody else has too. */
  accepts(protocolType: string, protocols: readonly GroupProtocol[]): boolean {
    if (protocolType === '' || protocols.length === 0) return false;
    if (this.members.size === 0) return true;
    if (protocolType !== this.protocolType) return false;
    const shared = this.#sharedProtocols();
    return protocols.some(({ name }) => shared.has(name));
  }

  /** Everybody votes for the first in its list that all have; among equals the one the first member likes best. */
  chooseProtocol(): string | undefined {
    const shared = this.#sharedProtocols();
    const votes = new Map<string, number>();
    for (const { protocols } of this.members.values()) {
      const vote = protocols.find(({ name }) => shared.has(name))?.name;
      if (vote !== undefined) votes.set(vote, (votes.get(vote) ?? 0) + 1);
    }
    let chosen: string | undefined;
    for (const [name, count] of votes) if (count > (votes.get(chosen ?? '') ?? 0)) chosen = name;
    return chosen;
  }

  #sharedProtocols(): ReadonlySet<string> {
    const counts = new Map<string, number>();
    for (const { protocols } of this.members.values()) {
      for (const name of new Set(protocols.map((protocol) => protocol.name))) {
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    }
    return new Set([...counts.keys()].filter((name) => counts.get(name) === this.members.size));
  }

  /** Undefined when it cannot be told: a member's subscription does not parse. */
  subscribedTopics(): ReadonlySet<string> | undefined {
    const topics = new Set<string>();
    for (const member of this.members.values()) {
      const subscribed = subscribedTopics(
        metadataFor(member, this.protocol ?? member.protocols[0]?.name ?? ''),
      );
      if (subscribed === undefined) return undefined;
      for (const topic of subscribed) topics.add(topic);
    }
    return topics;
  }

  /** The exact next deadline; at the cost of a walk over the members. */
  refreshDeadline(): void {
    let earliest = Math.min(this.joinDeadlineMs, this.syncDeadlineMs);
    if (this.pendingAssignment !== undefined) {
      earliest = Math.min(earliest, this.pendingAssignment.replyDeadlineMs);
    }
    for (const deadlineMs of this.pendingMembers.values()) earliest = Math.min(earliest, deadlineMs);
    for (const member of this.members.values()) earliest = Math.min(earliest, deadlineOf(member));
    this.earliestDeadlineMs = earliest;
  }
}
