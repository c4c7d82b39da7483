// All that is known of one partition at one time: what the metadata says, and what each broker that shall have a replica said, or why
// it said nothing. Pure.
import type {
  ConfigDescription,
  PartitionDescription,
  ReplicaInfo,
  ReplicasDescription,
  TopicDescription,
} from './admin-types.ts';
import type { BrokerInfo } from './cluster-metadata.ts';

export type ReplicaAnswer =
  | { readonly kind: 'described'; readonly brokerId: number; readonly replica: ReplicaInfo }
  /** The broker answers and has no such replica, or not yet. */
  | { readonly kind: 'absent'; readonly brokerId: number }
  /** It has the replica and could not open its log. */
  | { readonly kind: 'unopened'; readonly brokerId: number; readonly cause: string }
  | { readonly kind: 'unknown'; readonly brokerId: number; readonly cause: string };

export interface PartitionSituation extends PartitionDescription {
  readonly topic: string;
  readonly topicId: string;
  /** In-sync replicas that acks=all needs here, the leader included. */
  readonly minInsyncReplicas: number;
  /** `unclean.leader.election.enable`. */
  readonly uncleanElection: boolean;
  /** One for each replica, in their order. */
  readonly answers: readonly ReplicaAnswer[];
}

/** `brokers`: those that were asked. */
export function partitionSituations(
  topics: readonly TopicDescription[],
  brokers: readonly BrokerInfo[],
  { replicas, unreachable }: ReplicasDescription,
  configs: readonly ConfigDescription[],
): readonly PartitionSituation[] {
  const described = new Map(
    replicas.map((replica) => [`${replica.topic}-${replica.partition}@${replica.brokerId}`, replica]),
  );
  const causes = new Map(unreachable.map(({ brokerId, error }) => [brokerId, error.message]));
  const asked = new Set(brokers.map(({ id }) => id));
  const answerOf = (topic: string, partition: number, brokerId: number): ReplicaAnswer => {
    const replica = described.get(`${topic}-${partition}@${brokerId}`);
    if (replica?.brokerId === brokerId) {
      if (replica.error === undefined) return { kind: 'described', brokerId, replica };
      return { kind: 'unopened', brokerId, cause: replica.error.message };
    }
    const cause = causes.get(brokerId);
    if (cause !== undefined) return { kind: 'unknown', brokerId, cause };
    if (!asked.has(brokerId)) {
      return { kind: 'unknown', brokerId, cause: 'it is not registered with the cluster' };
    }
    return { kind: 'absent', brokerId };
  };
  return topics.flatMap(({ name, topicId, partitions }) => {
    const entries = configs.find(({ resource }) => resource.name === name)?.entries ?? [];
    return partitions.map((partition): PartitionSituation => ({
      ...partition,
      topic: name,
      topicId,
      minInsyncReplicas: minimumOf(entries, partition.replicas.length),
      uncleanElection: entries.some(
        (entry) => entry.name === 'unclean.leader.election.enable' && entry.value === 'true',
      ),
      answers: partition.replicas.map((brokerId) => answerOf(name, partition.partition, brokerId)),
    }));
  });
}

/** The rule of the brokers: what is configured, never above the replicas there are; unless it is, 2 of 3 or more and else 1. */
function minimumOf(entries: ConfigDescription['entries'], replicaCount: number): number {
  const entry = entries.find(({ name }) => name === 'min.insync.replicas');
  if (entry === undefined || entry.source === 'default') return replicaCount >= 3 ? 2 : 1;
  return Math.min(Number(entry.value), replicaCount);
}
