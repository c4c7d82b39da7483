// GroupService.DescribeGroups: members, assignments, and why a group last rebalanced.

import type {
  GroupDescription as Described,
  RebalanceCause as Cause,
  RememberedRebalance,
} from '@tidemark/group';
import {
  failureDetail,
  type DescribedMember,
  type DescribeGroupsRequestOutput,
  type DescribeGroupsResponse,
  type GroupDescription,
  type RebalanceCause,
  type RememberedRebalance as WireRebalance,
} from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import { checkGroups, groupIdOf } from './group-requests.ts';

export function describeGroups(
  { groups }: BrokerContext,
  { groupIds }: DescribeGroupsRequestOutput,
): DescribeGroupsResponse {
  const refused = checkGroups(groupIds);
  return {
    groups: groupIds.map((groupId): GroupDescription => {
      const described = refused ?? groups.describe(groupIdOf(groupId));
      return described.ok ? descriptionAnswer(described.group) : { groupId, error: failureDetail(described) };
    }),
  };
}

function descriptionAnswer(group: Described): GroupDescription {
  const { groupId, state, stateTimestampMs, protocolType, protocol, generation, leader } = group;
  return {
    ...{ groupId, state, stateTimestampMs, protocolType },
    protocolName: protocol ?? '',
    generationId: generation,
    leader: leader ?? '',
    members: group.members.map(({ instanceId, isAwaited, ...member }): DescribedMember => ({
      ...member,
      groupInstanceId: instanceId ?? '',
      awaited: isAwaited,
    })),
    rebalances: group.rebalances.map(rebalanceAnswer),
  };
}

const causes: Readonly<Record<Cause['type'], RebalanceCause>> = {
  memberJoined: 'REBALANCE_CAUSE_MEMBER_JOINED',
  memberRejoined: 'REBALANCE_CAUSE_MEMBER_REJOINED',
  leaderRejoined: 'REBALANCE_CAUSE_LEADER_REJOINED',
  memberLeft: 'REBALANCE_CAUSE_MEMBER_LEFT',
  sessionExpired: 'REBALANCE_CAUSE_SESSION_EXPIRED',
  staticMemberReplaced: 'REBALANCE_CAUSE_STATIC_MEMBER_REPLACED',
  syncTimedOut: 'REBALANCE_CAUSE_SYNC_TIMED_OUT',
  assignmentNotStored: 'REBALANCE_CAUSE_ASSIGNMENT_NOT_STORED',
};

function rebalanceAnswer({ timestampMs, generation, cause }: RememberedRebalance): WireRebalance {
  return {
    timestampMs,
    generationId: generation,
    cause: causes[cause.type],
    memberIds: membersOf(cause),
    detail: detailOf(cause),
  };
}

function membersOf(cause: Cause): string[] {
  if (cause.type === 'syncTimedOut') return [...cause.members];
  return 'memberId' in cause ? [cause.memberId] : [];
}

function detailOf(cause: Cause): string {
  if (cause.type === 'assignmentNotStored') return cause.detail;
  return 'clientReason' in cause ? (cause.clientReason ?? '') : '';
}
