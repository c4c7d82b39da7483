// The calls behind Admin's methods about the cluster as a whole: its quorum, its health, who leads and where partitions are. Wire in,
// plain objects out; errors of the whole request are thrown.
import { TidemarkError } from '@tidemark/core';
import { adminService, clusterService, errorFromDetail, quorumService, throwFromDetail } from '@tidemark/rpc';
import type { QuorumReplicaOutput, QuorumRoleOutput } from '@tidemark/rpc';
import type {
  ClusterHealth,
  HealthReasonInfo,
  MoveOptions,
  NewVoter,
  NodeRole,
  OngoingMove,
  PartitionMove,
  QuorumDescription,
  QuorumReplicaInfo,
  QuorumReplicaStateName,
  QuorumRoleName,
  AdminReadOptions,
  VoterReference,
} from './admin-quorum-types.ts';
import { quorumWaitMs } from './admin-settings.ts';
import type { AdminSettings } from './admin-settings.ts';
import type { ClusterDescription } from './admin-types.ts';
import type { AnyBroker } from './any-broker.ts';
import type { TopicPartition } from './leader-calls.ts';
import { partitionOutcome, type PartitionOutcome } from './partition-outcome.ts';

/** `QUORUM_ROLE_LEADER` -> `leader`. A value of a later version is `unknown`. */
function nameOf<T extends string>(value: string, prefix: string, names: readonly T[]): T | 'unknown' {
  const name = value.slice(prefix.length).toLowerCase();
  return names.find((known) => known === name) ?? 'unknown';
}

const roles = ['observer', 'follower', 'prospective', 'candidate', 'leader'] as const;
const roleName = (role: QuorumRoleOutput): QuorumRoleName => nameOf(role, 'QUORUM_ROLE_', roles);
const states = ['leader', 'probing', 'replicating', 'snapshot'] as const;
const nodeRoles = ['broker', 'controller'] as const satisfies readonly NodeRole[];
const memberships = ['voter', 'observer'] as const;

function replicaInfo({ state, ...replica }: QuorumReplicaOutput): QuorumReplicaInfo {
  const name: QuorumReplicaStateName = nameOf(state, 'QUORUM_REPLICA_STATE_', states);
  return { ...replica, state: name };
}

export class QuorumCalls {
  readonly #any: AnyBroker;
  readonly #settings: AdminSettings;

  constructor(any: AnyBroker, settings: AdminSettings) {
    this.#any = any;
    this.#settings = settings;
  }

  async describeCluster({ allowStale = false, timeoutMs }: AdminReadOptions): Promise<ClusterDescription> {
    const request = { allowStale, timeoutMs: quorumWaitMs(this.#settings, timeoutMs) };
    const answer = await this.#any.read(clusterService.DescribeCluster, request, timeoutMs);
    const { error, nodes, ...rest } = answer;
    return {
      ...rest,
      nodes: nodes.map((node) => ({
        ...node,
        roles: node.roles
          .map((role) => nameOf(role, 'NODE_ROLE_', nodeRoles))
          .filter((role) => role !== 'unknown'),
        membership: nameOf(node.membership, 'QUORUM_MEMBERSHIP_', memberships),
      })),
      stale: errorFromDetail(error),
    };
  }

  async describeQuorum({ allowStale = false, timeoutMs }: AdminReadOptions): Promise<QuorumDescription> {
    const request = { allowStale, timeoutMs: quorumWaitMs(this.#settings, timeoutMs) };
    const answer = await this.#any.read(quorumService.DescribeQuorum, request, timeoutMs);
    const { error, role, voters, observers, ...rest } = answer;
    throwFromDetail(error);
    return {
      ...rest,
      role: roleName(role),
      voters: voters.map(replicaInfo),
      observers: observers.map(replicaInfo),
    };
  }

  async addVoter(voter: NewVoter): Promise<void> {
    const { nodeId, directoryId, host, port } = voter;
    const request = { nodeId, directoryId, host, port, timeoutMs: quorumWaitMs(this.#settings) };
    throwFromDetail((await this.#any.change(quorumService.AddVoter, request)).error);
  }

  async removeVoter({ nodeId, directoryId = '' }: VoterReference): Promise<void> {
    const request = { nodeId, directoryId, timeoutMs: quorumWaitMs(this.#settings) };
    throwFromDetail((await this.#any.change(quorumService.RemoveVoter, request)).error);
  }

  async transferLeadership(to: number | undefined): Promise<number> {
    const timeoutMs = quorumWaitMs(this.#settings);
    const request = to === undefined ? { timeoutMs } : { nodeId: to, timeoutMs };
    const answer = await this.#any.change(quorumService.TransferLeadership, request);
    throwFromDetail(answer.error);
    return answer.leaderId;
  }

  /** What the active controller says; where it cannot be reached, that and what some other node can tell. */
  async clusterHealth(options: AdminReadOptions): Promise<ClusterHealth> {
    if (options.allowStale === true) return this.#health(options);
    try {
      return await this.#health(options);
    } catch (error) {
      if (!(error instanceof TidemarkError) || !error.retriable) throw error;
      // When nobody answers at all, this throws: that is another thing than an unhealthy cluster.
      const told = await this.#health({ ...options, allowStale: true });
      if (told.controllerId < 0) return told;
      const unreachable: HealthReasonInfo = {
        severity: 'critical',
        what: 'controller-unreachable',
        detail: `the active controller (node ${told.controllerId}) does not answer: ${error.message}`,
        remedy: 'wait for the next election, then look who leads',
        command: 'tidemark quorum status',
      };
      return { ...told, healthy: false, reasons: [unreachable, ...told.reasons] };
    }
  }

  async #health({ allowStale = false, timeoutMs }: AdminReadOptions): Promise<ClusterHealth> {
    const request = { allowStale, timeoutMs: quorumWaitMs(this.#settings, timeoutMs) };
    const answer = await this.#any.read(clusterService.DescribeClusterHealth, request, timeoutMs);
    const { error, reasons, ...rest } = answer;
    throwFromDetail(error);
    return {
      ...rest,
      reasons: reasons.map(({ severity, ...reason }) => ({
        // One that this version does not know is surely no better.
        severity: severity === 'HEALTH_SEVERITY_WARNING' ? 'warning' : 'critical',
        ...reason,
      })),
    };
  }

  async unregisterBroker(brokerId: number): Promise<void> {
    const request = { brokerId, timeoutMs: quorumWaitMs(this.#settings) };
    throwFromDetail((await this.#any.change(adminService.UnregisterBroker, request)).error);
  }

  async electLeaders(
    type: 'preferred' | 'unclean',
    partitions: readonly TopicPartition[],
  ): Promise<readonly PartitionOutcome[]> {
    const answer = await this.#any.change(adminService.ElectLeaders, {
      type: type === 'preferred' ? 'ELECTION_TYPE_PREFERRED' : 'ELECTION_TYPE_UNCLEAN',
      partitions: partitions.map(({ topic, partition }) => ({ topic, partition })),
      timeoutMs: quorumWaitMs(this.#settings),
    });
    throwFromDetail(answer.error);
    return answer.results.map(partitionOutcome);
  }

  async reassignPartitions(
    moves: readonly PartitionMove[],
    { keepReplicationFactor = false }: MoveOptions,
  ): Promise<readonly PartitionOutcome[]> {
    const empty = moves.find(({ brokerIds }) => brokerIds?.length === 0);
    if (empty !== undefined) {
      const text = `${empty.topic}-${empty.partition}: no broker is named; null takes back a move`;
      throw new TidemarkError('INVALID_REPLICA_ASSIGNMENT', text);
    }
    const answer = await this.#any.change(adminService.ReassignPartitions, {
      partitions: moves.map(({ topic, partition, brokerIds }) => ({
        topic,
        partition,
        brokerIds: [...(brokerIds ?? [])],
      })),
      keepReplicationFactor,
      timeoutMs: quorumWaitMs(this.#settings),
    });
    throwFromDetail(answer.error);
    return answer.results.map(partitionOutcome);
  }

  async listPartitionReassignments(
    partitions: readonly TopicPartition[],
    { allowStale = false, timeoutMs }: AdminReadOptions,
  ): Promise<readonly OngoingMove[]> {
    const answer = await this.#any.read(
      adminService.ListPartitionReassignments,
      {
        partitions: partitions.map(({ topic, partition }) => ({ topic, partition })),
        allowStale,
        timeoutMs: quorumWaitMs(this.#settings, timeoutMs),
      },
      timeoutMs,
    );
    throwFromDetail(answer.error);
    return answer.reassignments;
  }
}
