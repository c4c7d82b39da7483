// The calls behind Admin's methods about consumer groups: each goes to the group's coordinator, but for the list, which every broker has a
// part of. What only looks, and what can be said twice without harm, is repeated while the error may pass.
import { TidemarkError } from '@tidemark/core';
import { decodeAssignment, subscribedTopics } from '@tidemark/group';
import { errorFromDetail, groupService, throwFromDetail } from '@tidemark/rpc';
import type { GroupDescriptionOutput, RebalanceCauseOutput } from '@tidemark/rpc';
import type {
  CommittedOffset,
  GroupInfo,
  GroupList,
  GroupListing,
  GroupMemberInfo,
  GroupOutcome,
  GroupStateName,
  OffsetToCommit,
  RebalanceCauseName,
} from './admin-groups-types.ts';
import type { AdminSettings } from './admin-settings.ts';
import type { Wiring } from './client-settings.ts';
import type { BrokerInfo } from './cluster-metadata.ts';
import { committedOffset } from './group/committed-offsets.ts';
import { CoordinatorCalls, transportOf } from './group/coordinator-calls.ts';
import type { Coordinator, CoordinatorCallOptions } from './group/coordinator-calls.ts';
import { wireOffset } from './group/offset-commits.ts';
import type { TopicPartition } from './leader-calls.ts';
import { partitionOutcome, type PartitionOutcome } from './partition-outcome.ts';

const CAUSES: Readonly<Partial<Record<RebalanceCauseOutput, RebalanceCauseName>>> = {
  REBALANCE_CAUSE_MEMBER_JOINED: 'member-joined',
  REBALANCE_CAUSE_MEMBER_REJOINED: 'member-rejoined',
  REBALANCE_CAUSE_LEADER_REJOINED: 'leader-rejoined',
  REBALANCE_CAUSE_MEMBER_LEFT: 'member-left',
  REBALANCE_CAUSE_SESSION_EXPIRED: 'session-expired',
  REBALANCE_CAUSE_STATIC_MEMBER_REPLACED: 'static-member-replaced',
  REBALANCE_CAUSE_SYNC_TIMED_OUT: 'sync-timed-out',
  REBALANCE_CAUSE_ASSIGNMENT_NOT_STORED: 'assignment-not-stored',
};

export class GroupCalls {
  readonly #wiring: Wiring;
  readonly #settings: AdminSettings;

  constructor(wiring: Wiring, settings: AdminSettings) {
    this.#wiring = wiring;
    this.#settings = settings;
  }

  /** Of each broker those it coordinates. While partitions move, one may be told by two brokers or by none. */
  async list(brokers: readonly BrokerInfo[], states: readonly GroupStateName[]): Promise<GroupList> {
    const { connections } = this.#wiring;
    const timeoutMs = this.#settings.requestTimeoutMs;
    const groups = new Map<string, GroupListing>();
    const incomplete: { brokerId: number; error: TidemarkError }[] = [];
    await Promise.all(
      brokers.map(async ({ id, host, port }) => {
        try {
          const channel = connections.channel(addressOf(host, port));
          const answer = await channel.unary(groupService.ListGroups, { states: [...states] }, { timeoutMs });
          for (const group of answer.groups) groups.set(group.groupId, { ...group, coordinatorId: id });
          const error = errorFromDetail(answer.error);
          if (error !== undefined) incomplete.push({ brokerId: id, error });
        } catch (error) {
          if (!(error instanceof TidemarkError)) throw error;
          incomplete.push({ brokerId: id, error });
        }
      }),
    );
    const sorted = [...groups.values()].sort((one, other) => (one.groupId < other.groupId ? -1 : 1));
    return { groups: sorted, incomplete };
  }

  /** Throws GROUP_ID_NOT_FOUND. */
  async describe(groupId: string): Promise<GroupInfo> {
    return this.#coordinated(groupId, async (calls, options) => {
      const answer = await calls.call(
        {
          ...groupService.DescribeGroups,
          // The one group's error is the call's: it is waited out as any other.
          responseDeserialize: (bytes: Buffer) => {
            const [group] = groupService.DescribeGroups.responseDeserialize(bytes).groups;
            if (group === undefined) throw new TidemarkError('UNKNOWN_SERVER_ERROR', 'the answer is empty');
            return group;
          },
        },
        () => ({ groupIds: [groupId] }),
        options,
      );
      throwFromDetail(answer.error);
      return groupInfo(answer, calls.coordinator);
    });
  }

  async delete(groupIds: readonly string[]): Promise<readonly GroupOutcome[]> {
    return Promise.all(
      groupIds.map(async (groupId) => {
        try {
          const answer = await this.#coordinated(groupId, (calls, options) =>
            calls.call(
              {
                ...groupService.DeleteGroups,
                responseDeserialize: (bytes: Buffer) => ({
                  error: groupService.DeleteGroups.responseDeserialize(bytes).results[0]?.error ?? null,
                }),
              },
              () => ({ groupIds: [groupId] }),
              options,
            ),
          );
          return { groupId, error: errorFromDetail(answer.error) };
        } catch (error) {
          if (error instanceof TidemarkError) return { groupId, error };
          throw error;
        }
      }),
    );
  }

  /** All that the group has committed, or of these partitions what it has. */
  async offsets(
    groupId: string,
    partitions: readonly TopicPartition[] | undefined,
  ): Promise<readonly CommittedOffset[]> {
    const answer = await this.#coordinated(groupId, (calls, options) =>
      calls.call(
        groupService.FetchOffsets,
        () => ({
          groupId,
          partitions: (partitions ?? []).map(({ topic, partition }) => ({ topic, partition })),
          allPartitions: partitions === undefined,
        }),
        options,
      ),
    );
    throwFromDetail(answer.error);
    return answer.offsets.map(committedOffset).filter((each) => each !== undefined);
  }

  /** Only a group without members takes it. */
  async alterOffsets(
    groupId: string,
    offsets: readonly OffsetToCommit[],
  ): Promise<readonly PartitionOutcome[]> {
    const answer = await this.#coordinated(groupId, (calls, options) =>
      calls.call(
        groupService.CommitOffsets,
        () => ({
          groupId,
          generationId: -1,
          memberId: '',
          groupInstanceId: '',
          offsets: offsets.map(wireOffset),
        }),
        options,
      ),
    );
    throwFromDetail(answer.error);
    return answer.results.map(partitionOutcome);
  }

  /** Only of topics that no member subscribes to. */
  async deleteOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly PartitionOutcome[]> {
    const answer = await this.#coordinated(groupId, (calls, options) =>
      calls.call(
        groupService.DeleteOffsets,
        () => ({ groupId, partitions: partitions.map(({ topic, partition }) => ({ topic, partition })) }),
        options,
      ),
    );
    throwFromDetail(answer.error);
    return answer.results.map(partitionOutcome);
  }

  #coordinated<T>(
    groupId: string,
    body: (calls: CoordinatorCalls, options: CoordinatorCallOptions) => Promise<T>,
  ): Promise<T> {
    const { clock, random } = this.#wiring;
    const { requestTimeoutMs, retryBackoff, apiTimeoutMs } = this.#settings;
    const calls = new CoordinatorCalls({
      groupId,
      transport: transportOf(this.#wiring),
      clock,
      random,
      requestTimeoutMs,
      retryBackoff,
    });
    return body(calls, { deadlineMs: clock.monotonicMs() + apiTimeoutMs });
  }
}

function addressOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function groupInfo(group: GroupDescriptionOutput, coordinator: Coordinator | undefined): GroupInfo {
  const { groupId, state, stateTimestampMs, protocolType, protocolName, generationId, leader } = group;
  return {
    groupId,
    state,
    stateTimestampMs,
    protocolType,
    protocol: protocolName,
    generation: generationId,
    coordinatorId: coordinator?.nodeId ?? -1,
    coordinator: coordinator?.address ?? '',
    members: group.members.map(({ metadata, assignment, ...member }): GroupMemberInfo => {
      const decoded = decodeAssignment(assignment);
      const { memberId, groupInstanceId, clientId, clientHost, awaited } = member;
      return {
        memberId,
        groupInstanceId,
        clientId,
        clientHost,
        topics: subscribedTopics(metadata),
        partitions: decoded.ok
          ? decoded.assignment.partitions.map(({ topic, partition }) => ({ topic, partition }))
          : [],
        awaited,
        isLeader: memberId === leader,
      };
    }),
    rebalances: group.rebalances.map((each) => ({
      timestampMs: each.timestampMs,
      generation: each.generationId,
      cause: CAUSES[each.cause] ?? 'unknown',
      memberIds: each.memberIds,
      detail: each.detail,
    })),
  };
}
