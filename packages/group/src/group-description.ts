// A group as people see it: state, members, assignments, and why it last rebalanced.

import type { TimestampMs } from '@tidemark/core';
import type { ClassicGroup, GroupState } from './classic-group.ts';
import type { Generation, GroupId, InstanceId, MemberId } from './group-ids.ts';
import { metadataFor } from './group-member.ts';
import type { RememberedRebalance } from './rebalance-history.ts';

export interface ListedGroup {
  readonly groupId: GroupId;
  readonly protocolType: string;
  readonly state: GroupState;
  readonly memberCount: number;
}

export interface GroupSummary extends ListedGroup {
  /** Partitions it has a committed offset of. */
  readonly offsetCount: number;
}

export interface DescribedMember {
  readonly memberId: MemberId;
  readonly instanceId: InstanceId | undefined;
  readonly clientId: string;
  readonly clientHost: string;
  readonly metadata: Uint8Array;
  readonly assignment: Uint8Array;
  /** Whether the coordinator waits for it to join, or to ask for its assignment. */
  readonly isAwaited: boolean;
}

export interface GroupDescription extends ListedGroup {
  readonly stateTimestampMs: TimestampMs;
  readonly generation: Generation;
  readonly protocol: string | undefined;
  readonly leader: MemberId | undefined;
  readonly members: readonly DescribedMember[];
  /** Oldest first. */
  readonly rebalances: readonly RememberedRebalance[];
}

export function listedGroup({ groupId, protocolType, state, members }: ClassicGroup): ListedGroup {
  return { groupId, protocolType, state, memberCount: members.size };
}

export function describeGroup(group: ClassicGroup): GroupDescription {
  const { stateTimestampMs, generation, protocol, leader, state, pendingSync } = group;
  const members = [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    clientId: member.clientId,
    clientHost: member.clientHost,
    metadata: metadataFor(member, protocol ?? ''),
    assignment: member.assignment,
    isAwaited:
      state === 'PreparingRebalance' ? member.parkedJoin === undefined : pendingSync.has(member.memberId),
  }));
  return {
    ...listedGroup(group),
    stateTimestampMs,
    generation,
    protocol,
    leader,
    members,
    rebalances: group.history.entries,
  };
}
