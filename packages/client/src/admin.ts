// Admin: changes the cluster and looks into it. What only looks is repeated, on another broker, while the error may pass. What
// changes something is sent once, to a broker that has just answered: after a broken connection nobody knows whether it happened. Both follow
// where NOT_CONTROLLER sends them.
// Calls for one thing throw its error; calls for many answer each with its own.
import { TidemarkError } from '@tidemark/core';
import { adminService, clusterService, errorFromDetail, logService } from '@tidemark/rpc';
import type { DeleteRecordsResultOutput, ErrorDetailOutput } from '@tidemark/rpc';
import { GroupCalls } from './admin-groups.ts';
import type {
  CommittedOffset,
  GroupInfo,
  GroupList,
  GroupOutcome,
  GroupStateName,
  OffsetToCommit,
} from './admin-groups-types.ts';
import { QuorumCalls } from './admin-quorum.ts';
import type {
  ClusterHealth,
  MoveOptions,
  NewVoter,
  OngoingMove,
  PartitionMove,
  QuorumDescription,
  AdminReadOptions,
  VoterReference,
} from './admin-quorum-types.ts';
import { SecurityCalls } from './admin-security.ts';
import { adminSettings, quorumWaitMs } from './admin-settings.ts';
import type { AdminSettings } from './admin-settings.ts';
import type {
  ClusterDescription,
  ConfigAlteration,
  ConfigAltered,
  ConfigDescription,
  ConfigOrigin,
  ConfigResourceRef,
  CreatedTopic,
  DeletedRecords,
  DeletedTopic,
  ItemResult,
  NewPartitionsSpec,
  NewTopicSpec,
  RecordsToDelete,
  ReplicasDescription,
  TopicDescription,
  TopicReference,
} from './admin-types.ts';
import { AnyBroker } from './any-broker.ts';
import { wire } from './client-settings.ts';
import type { ClientOptions, Wiring } from './client-settings.ts';
import { LeaderCalls } from './leader-calls.ts';
import type { TopicPartition } from './leader-calls.ts';
import { lookUpOffsets } from './offset-lookup.ts';
import type { FoundOffset, LookupSpec } from './offset-lookup.ts';
import { partitionSituations } from './partition-situation.ts';
import type { PartitionSituation } from './partition-situation.ts';
import { describeReplicasOf } from './replica-descriptions.ts';
import type { PartitionOutcome } from './partition-outcome.ts';

export type AdminOptions = ClientOptions;

export interface ChangeOptions {
  /** Check everything, change nothing. */
  readonly validateOnly?: boolean | undefined;
}

const ORIGINS: Readonly<Record<string, ConfigOrigin>> = {
  CONFIG_SOURCE_DEFAULT: 'default',
  CONFIG_SOURCE_STATIC_BROKER: 'static-broker',
  CONFIG_SOURCE_DYNAMIC_BROKER: 'dynamic-broker',
  CONFIG_SOURCE_DYNAMIC_TOPIC: 'dynamic-topic',
};

export class Admin {
  readonly #wiring: Wiring;
  readonly #settings: AdminSettings;
  readonly #any: AnyBroker;
  readonly #calls: LeaderCalls;
  readonly #quorum: QuorumCalls;
  readonly #groups: GroupCalls;
  /** Users, ACLs and quotas. */
  readonly security: SecurityCalls;

  constructor(options: AdminOptions) {
    this.#settings = adminSettings(options.config);
    this.#wiring = wire(options);
    this.#any = new AnyBroker(this.#wiring, this.#settings);
    this.#calls = new LeaderCalls({ ...this.#wiring, ...this.#settings });
    this.#quorum = new QuorumCalls(this.#any, this.#settings);
    this.#groups = new GroupCalls(this.#wiring, this.#settings);
    this.security = new SecurityCalls(this.#any);
  }

  /** Where the quorum does not answer in time: what some node knows, and `stale` says why. */
  describeCluster(options: AdminReadOptions = {}): Promise<ClusterDescription> {
    return this.#quorum.describeCluster(options);
  }

  /** What is wrong with the cluster and what to do. Throws only when no node answers. */
  clusterHealth(options: AdminReadOptions = {}): Promise<ClusterHealth> {
    return this.#quorum.clusterHealth(options);
  }

  /** As the leader sees it; with `allowStale` as some node does. Throws NOT_CONTROLLER while there is no leader. */
  describeQuorum(options: AdminReadOptions = {}): Promise<QuorumDescription> {
    return this.#quorum.describeQuorum(options);
  }

  /** Gives an observer a vote; returns when that is decided. After REQUEST_TIMED_OUT it may yet happen. */
  addVoter(voter: NewVoter): Promise<void> {
    return this.#quorum.addVoter(voter);
  }

  /** Takes a vote away; returns when that is decided. After REQUEST_TIMED_OUT it may yet happen. */
  removeVoter(voter: VoterReference): Promise<void> {
    return this.#quorum.removeVoter(voter);
  }

  /** Lets another voter lead the quorum, this one or any. Answers who leads then; -1 when that is not known yet. */
  transferLeadership(to?: number): Promise<number> {
    return this.#quorum.transferLeadership(to);
  }

  /** Takes a broker that is gone for good out of the list. Throws INVALID_REQUEST while it is alive or has replicas. */
  unregisterBroker(brokerId: number): Promise<void> {
    return this.#quorum.unregisterBroker(brokerId);
  }

  /**
   * `preferred`: the first replica leads, if it is in sync. `unclean`: where there is no leader, a replica that is not in sync;
   * acknowledged records may be lost. No partitions: all that need it.
   */
  electLeaders(
    type: 'preferred' | 'unclean',
    partitions: readonly TopicPartition[] = [],
  ): Promise<readonly PartitionOutcome[]> {
    return this.#quorum.electLeaders(type, partitions);
  }

  /** Begins to move partitions, or takes moves back. `listPartitionReassignments` tells which are under way still. */
  reassignPartitions(
    moves: readonly PartitionMove[],
    options: MoveOptions = {},
  ): Promise<readonly PartitionOutcome[]> {
    return this.#quorum.reassignPartitions(moves, options);
  }

  /** Moves under way; of all partitions if none are given. */
  listPartitionReassignments(
    partitions: readonly TopicPartition[] = [],
    options: AdminReadOptions = {},
  ): Promise<readonly OngoingMove[]> {
    return this.#quorum.listPartitionReassignments(partitions, options);
  }

  /** All topics, internal ones included. */
  async listTopics(): Promise<readonly TopicDescription[]> {
    const answer = await this.#any.read(clusterService.GetMetadata, { allTopics: true });
    return answer.topics.map((topic) => ({ ...topic, error: errorFromDetail(topic.error) }));
  }

  /** One for each name, in order. A topic that does not exist answers with its error. */
  async describeTopics(names: readonly string[]): Promise<readonly TopicDescription[]> {
    const topics = names.map((name) => ({ name }));
    const answer = await this.#any.read(clusterService.GetMetadata, { topics });
    return answer.topics.map((topic) => ({ ...topic, error: errorFromDetail(topic.error) }));
  }

  async describeTopic(name: string): Promise<TopicDescription> {
    return only(await this.describeTopics([name]));
  }

  /** Answers once the topics are known to the cluster, each with its own outcome. */
  async createTopics(
    topics: readonly NewTopicSpec[],
    options: ChangeOptions = {},
  ): Promise<readonly CreatedTopic[]> {
    const answer = await this.#any.change(adminService.CreateTopics, {
      topics: topics.map(({ name, partitions, replicationFactor, assignments, configs }) => ({
        name,
        partitionCount: partitions ?? 0,
        replicationFactor: replicationFactor ?? 0,
        assignments: replicaAssignments(assignments),
        configs: { ...configs },
      })),
      timeoutMs: quorumWaitMs(this.#settings),
      validateOnly: options.validateOnly ?? false,
    });
    return answer.results.map(withError);
  }

  async createTopic(topic: NewTopicSpec, options: ChangeOptions = {}): Promise<CreatedTopic> {
    return only(await this.createTopics([topic], options));
  }

  async deleteTopics(topics: readonly TopicReference[]): Promise<readonly DeletedTopic[]> {
    const answer = await this.#any.change(adminService.DeleteTopics, {
      topics: topics.map((topic) =>
        typeof topic === 'string' ? { name: topic } : { topicId: topic.topicId },
      ),
      timeoutMs: quorumWaitMs(this.#settings),
    });
    return answer.results.map(withError);
  }

  async deleteTopic(topic: TopicReference): Promise<DeletedTopic> {
    return only(await this.deleteTopics([topic]));
  }

  /** Adds partitions. Keys of existing records stay where they are: the key's partition changes with the count. */
  async createPartitions(
    topics: readonly NewPartitionsSpec[],
    options: ChangeOptions = {},
  ): Promise<readonly ItemResult[]> {
    const answer = await this.#any.change(adminService.CreatePartitions, {
      topics: topics.map(({ name, totalCount, assignments }) => ({
        name,
        totalCount,
        assignments: replicaAssignments(assignments),
      })),
      timeoutMs: quorumWaitMs(this.#settings),
      validateOnly: options.validateOnly ?? false,
    });
    return answer.results.map(withError);
  }

  /** The configs in force. `keys` limits them to these names. */
  async describeConfigs(
    resources: readonly ConfigResourceRef[],
    keys: readonly string[] = [],
  ): Promise<readonly ConfigDescription[]> {
    const answer = await this.#any.read(adminService.DescribeConfigs, {
      resources: resources.map(wireResource),
      keys: [...keys],
    });
    return answer.results.map(({ entries, error }, index) => ({
      resource: resources[index]!,
      entries: entries.map((entry) => ({ ...entry, source: ORIGINS[entry.source] ?? 'unknown' })),
      error: errorFromDetail(error),
    }));
  }

  async alterConfigs(
    alterations: readonly ConfigAlteration[],
    options: ChangeOptions = {},
  ): Promise<readonly ConfigAltered[]> {
    const answer = await this.#any.change(adminService.AlterConfigs, {
      resources: alterations.map(({ resource, changes }) => ({
        resource: wireResource(resource),
        changes: Object.entries(changes).map(([name, value]) =>
          value === null ? { name } : { name, value },
        ),
      })),
      validateOnly: options.validateOnly ?? false,
    });
    return answer.results.map(({ error }, index) => ({
      resource: alterations[index]!.resource,
      error: errorFromDetail(error),
    }));
  }

  /** Every replica as the broker that holds it sees it; no topics: of all topics. A broker has `timeoutMs` to answer. */
  async describeReplicas(
    topics: readonly string[] = [],
    { timeoutMs = this.#settings.requestTimeoutMs }: { readonly timeoutMs?: number } = {},
  ): Promise<ReplicasDescription> {
    const { brokers } = await this.describeCluster({ allowStale: true });
    return describeReplicasOf(this.#wiring.connections, brokers, topics, timeoutMs);
  }

  /** What the metadata and each of its brokers say of every partition; no topics: of all. `explainPartition` reasons about it. */
  async describePartitions(
    topics: readonly string[] = [],
    { timeoutMs = this.#settings.requestTimeoutMs }: { readonly timeoutMs?: number } = {},
  ): Promise<readonly PartitionSituation[]> {
    const found = topics.length === 0 ? await this.listTopics() : await this.describeTopics(topics);
    for (const { error } of found) if (error !== undefined) throw error;
    const { brokers } = await this.describeCluster({ allowStale: true });
    const names = found.map(({ name }) => name);
    const holders = new Set(found.flatMap((topic) => topic.partitions.flatMap(({ replicas }) => replicas)));
    const asked = brokers.filter(({ id }) => holders.has(id));
    const [described, configs] = await Promise.all([
      describeReplicasOf(this.#wiring.connections, asked, topics, timeoutMs),
      names.length === 0
        ? []
        : this.describeConfigs(
            names.map((name) => ({ type: 'topic', name })),
            ['min.insync.replicas', 'unclean.leader.election.enable'],
          ),
    ]);
    return partitionSituations(found, asked, described, configs);
  }

  /** In the order asked. Offset -1: no record is at or after the time. */
  listOffsets(
    targets: readonly (TopicPartition & { readonly spec: LookupSpec })[],
  ): Promise<readonly FoundOffset[]> {
    return lookUpOffsets(this.#calls, targets, this.#settings.apiTimeoutMs);
  }

  /**
   * Raises the log start offsets; what is below is gone from every in-sync replica. Throws the first error, of which REQUEST_TIMED_OUT
   * says that the records are gone from the leader and may come back with the next one.
   */
  async deleteRecords(targets: readonly RecordsToDelete[]): Promise<readonly DeletedRecords[]> {
    // Looked up once, so that a request that is repeated deletes nothing that has come meanwhile.
    const toEnd = targets.filter(({ beforeOffset }) => beforeOffset === 'end');
    const ends = await this.listOffsets(
      toEnd.map(({ topic, partition }) => ({ topic, partition, spec: 'end' })),
    );
    const deletions = targets.map(({ topic, partition, beforeOffset }) => ({
      ...{ topic, partition },
      beforeOffset:
        beforeOffset === 'end'
          ? ends.find((each) => each.topic === topic && each.partition === partition)!.offset
          : beforeOffset,
    }));
    const answers = await this.#calls.call<(typeof deletions)[number], DeleteRecordsResultOutput>(
      deletions,
      (channel, group, timeoutMs) =>
        channel.unary(
          logService.DeleteRecords,
          {
            partitions: [...group],
            timeoutMs: quorumWaitMs(this.#settings),
          },
          { timeoutMs },
        ),
      this.#settings.apiTimeoutMs,
    );
    return answers.map(({ topic, partition, logStartOffset }) => ({ topic, partition, logStartOffset }));
  }

  /** Of all brokers; only those in one of the states, if any is given. */
  async listGroups(states: readonly GroupStateName[] = []): Promise<GroupList> {
    const { brokers } = await this.describeCluster({ allowStale: true });
    return this.#groups.list(brokers, states);
  }

  /** Members, what each has, and why the last rebalances were. Throws GROUP_ID_NOT_FOUND. */
  describeGroup(groupId: string): Promise<GroupInfo> {
    return this.#groups.describe(groupId);
  }

  /** Groups without members, and their offsets; each has its own outcome. */
  deleteGroups(groupIds: readonly string[]): Promise<readonly GroupOutcome[]> {
    return this.#groups.delete(groupIds);
  }

  /** What the group has committed: everything, or of these partitions. */
  groupOffsets(groupId: string, partitions?: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    return this.#groups.offsets(groupId, partitions);
  }

  /** Sets where the group goes on. UNKNOWN_MEMBER_ID while it has members: only they commit then. */
  alterGroupOffsets(
    groupId: string,
    offsets: readonly OffsetToCommit[],
  ): Promise<readonly PartitionOutcome[]> {
    return this.#groups.alterOffsets(groupId, offsets);
  }

  /** Forgets where the group is. GROUP_SUBSCRIBED_TO_TOPIC where a member reads the topic. */
  deleteGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<readonly PartitionOutcome[]> {
    return this.#groups.deleteOffsets(groupId, partitions);
  }

  /** Idempotent. */
  close(): Promise<void> {
    this.#wiring.metadata.close();
    this.#wiring.connections.close();
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function withError<T extends { readonly error: ErrorDetailOutput | null }>(
  result: T,
): Omit<T, 'error'> & { readonly error?: TidemarkError | undefined } {
  return { ...result, error: errorFromDetail(result.error) };
}

/** The one result, or its error thrown. */
function only<T extends { readonly error?: TidemarkError | undefined }>(results: readonly T[]): T {
  const [result] = results;
  if (result === undefined) throw new TidemarkError('UNKNOWN_SERVER_ERROR', 'the answer is empty');
  if (result.error !== undefined) throw result.error;
  return result;
}

function replicaAssignments(assignments: readonly (readonly number[])[] | undefined) {
  return (assignments ?? []).map((brokerIds, partition) => ({ partition, brokerIds: [...brokerIds] }));
}

function wireResource({ type, name }: ConfigResourceRef) {
  return {
    type:
      type === 'topic' ? ('CONFIG_RESOURCE_TYPE_TOPIC' as const) : ('CONFIG_RESOURCE_TYPE_BROKER' as const),
    name,
  };
}
