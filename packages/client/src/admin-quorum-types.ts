// What the admin client takes and answers about nodes, the quorum of controllers, health, and moves of partitions.
import type { TopicPartition } from './leader-calls.ts';

export interface AdminReadOptions {
  /** Take what some node knows, which may be old, instead of asking the quorum how far it is. */
  readonly allowStale?: boolean | undefined;
  /** For the whole call, repetitions included; default.api.timeout.ms if absent. */
  readonly timeoutMs?: number | undefined;
}

export type NodeRole = 'broker' | 'controller';

export interface EndpointInfo {
  /** Name of the listener: CLIENT, PEER, HTTP, CLIENT_<SUFFIX>. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface NodeInfo {
  readonly id: number;
  readonly roles: readonly NodeRole[];
  /** Empty if it has none. */
  readonly rack: string;
  /** -1 for a node that is no broker. */
  readonly brokerEpoch: number;
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly endpoints: readonly EndpointInfo[];
  readonly membership: 'voter' | 'observer' | 'unknown';
}

export interface FeatureInfo {
  readonly name: string;
  readonly level: number;
}

export type QuorumRoleName = 'observer' | 'follower' | 'prospective' | 'candidate' | 'leader' | 'unknown';
export type QuorumReplicaStateName = 'leader' | 'probing' | 'replicating' | 'snapshot' | 'unknown';

export interface QuorumReplicaInfo {
  readonly nodeId: number;
  readonly directoryId: string;
  /** Its PEER listener; empty and 0 when unknown. */
  readonly host: string;
  readonly port: number;
  /** Its log equals the leader's up to here, exclusive; -1 when unknown. */
  readonly matchOffset: number;
  /** In offsets; -1 when unknown. */
  readonly lag: number;
  /** Since the leader last heard of it; -1 when unknown. */
  readonly lastContactMs: number;
  readonly state: QuorumReplicaStateName;
}

export interface QuorumDescription {
  /** Who answered: the leader, unless `allowStale`. */
  readonly nodeId: number;
  readonly role: QuorumRoleName;
  /** -1 when none is known. */
  readonly leaderId: number;
  readonly leaderDirectoryId: string;
  readonly term: number;
  /** Offsets of the metadata log on that node; ends are exclusive. */
  readonly commitOffset: number;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly appliedOffset: number;
  /** -1 without a snapshot. */
  readonly snapshotOffset: number;
  readonly voters: readonly QuorumReplicaInfo[];
  /** Known to the leader alone. */
  readonly observers: readonly QuorumReplicaInfo[];
}

export interface NewVoter {
  readonly nodeId: number;
  readonly directoryId: string;
  /** Its PEER listener. */
  readonly host: string;
  readonly port: number;
}

export interface VoterReference {
  readonly nodeId: number;
  /** Absent: of the voter that has this node id. */
  readonly directoryId?: string | undefined;
}

export type HealthSeverityName = 'critical' | 'warning';

export interface HealthReasonInfo {
  readonly severity: HealthSeverityName;
  /** For scripts: `offline-partitions`, `silent-voters`, ... */
  readonly what: string;
  readonly detail: string;
  readonly remedy: string;
  /** To try next. */
  readonly command: string;
}

export interface ClusterHealth {
  readonly healthy: boolean;
  /** The worst first. */
  readonly reasons: readonly HealthReasonInfo[];
  /** The active controller answered; otherwise what only it knows was not judged. */
  readonly complete: boolean;
  /** Who answered. */
  readonly nodeId: number;
  /** -1 when none is known. */
  readonly controllerId: number;
  readonly metadataOffset: number;
}

export interface PartitionMove extends TopicPartition {
  /** Where it shall be, the preferred leader first. Null: take back the move that is under way. */
  readonly brokerIds: readonly number[] | null;
}

export interface MoveOptions {
  /** Refuse a move that would change the number of replicas. */
  readonly keepReplicationFactor?: boolean | undefined;
}

export interface OngoingMove extends TopicPartition {
  readonly topicId: string;
  /** Everything that has a replica now. */
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}
