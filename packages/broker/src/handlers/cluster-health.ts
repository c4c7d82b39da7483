// Why a cluster is not healthy, each reason with what to do about it. A pure function of the metadata and of what the quorum's
// replicas have shown; what only the leader knows is judged on the leader alone.

import type { BrokerConfig, BrokerId } from '@tidemark/core';
import type { MetadataImage } from '@tidemark/controller';
import { isSameReplica, majorityOf, type ReplicaKey } from '@tidemark/raft';
import type { QuorumStatus, ReplicaProgress } from '../quorum-context.ts';
import { partitionHealth, type PartitionCount } from './partition-health.ts';

export type HealthProblem =
  | 'no-controller'
  | 'offline-partitions'
  | 'under-min-isr-partitions'
  | 'under-replicated-partitions'
  | 'fenced-brokers'
  | 'silent-voters'
  | 'quorum-at-risk'
  | 'lagging-observers';

export interface HealthReason {
  readonly severity: 'warning' | 'critical';
  readonly what: HealthProblem;
  readonly detail: string;
  readonly remedy: string;
  /** To try next. */
  readonly command: string;
}

export interface HealthInputs {
  readonly self: ReplicaKey;
  readonly image: MetadataImage;
  readonly quorum: QuorumStatus;
  readonly config: BrokerConfig;
}

/** An observer so many offsets behind the leader is not merely on its way. */
export const FAR_BEHIND_OFFSETS = 10_000;
const MAX_NAMED = 5;

/** The worst first. */
export function healthReasons(inputs: HealthInputs): readonly HealthReason[] {
  const reasons = [...quorumReasons(inputs), ...partitionReasons(inputs), ...brokerReasons(inputs)];
  return [
    ...reasons.filter(({ severity }) => severity === 'critical'),
    ...reasons.filter(({ severity }) => severity === 'warning'),
  ];
}

function quorumReasons({ self, quorum, config }: HealthInputs): HealthReason[] {
  const { voters } = quorum;
  const majority = majorityOf(voters.length);
  if (quorum.leader === undefined) {
    return [
      {
        severity: 'critical',
        what: 'no-controller',
        detail: `node ${self.nodeId} knows of no active controller: no topic can be created and no leader elected. ${majority} of the voters ${ids(voters)} must be up`,
        remedy: 'start the voters that are down, or mend the network between them',
        command: 'tidemark quorum status',
      },
    ];
  }
  if (quorum.role !== 'leader') return [];
  const silentMs = config.get('controller.quorum.fetch.timeout.ms');
  const silent = voters.filter((voter) => {
    if (isSameReplica(voter, self)) return false;
    const seen = quorum.replicas.find(({ key }) => isSameReplica(key, voter));
    return seen === undefined || seen.lastContactMsAgo > silentMs;
  });
  const reasons: HealthReason[] = [];
  if (silent.length > 0) {
    reasons.push({
      severity: voters.length - silent.length < majority ? 'critical' : 'warning',
      what: 'silent-voters',
      detail: `${counted(silent.length, 'voter')} of ${voters.length} ${silent.length === 1 ? 'has' : 'have'} not answered for ${silentMs} ms: ${ids(silent)}`,
      remedy:
        'start the node again; only if its disk is lost take its vote away, and add it anew (docs/quorum.md)',
      command: 'tidemark quorum status',
    });
  }
  if (voters.length > 1 && voters.length - silent.length === majority) {
    reasons.push(atRisk(voters.length, silent.length));
  }
  return [...reasons, ...laggingReasons(quorum, self, silentMs)];
}

function atRisk(voters: number, silent: number): HealthReason {
  const left = `${voters - silent} of ${counted(voters, 'voter')}`;
  return {
    severity: 'warning',
    what: 'quorum-at-risk',
    detail: `${left} answer: with one fewer there is no majority and nothing can be decided`,
    ...(silent > 0
      ? {
          remedy: 'bring a silent voter back before you stop another',
          command: 'tidemark quorum status',
        }
      : {
          remedy: 'add a voter, so that one may fail',
          command: 'tidemark quorum add-voter --node NODE_ID',
        }),
  };
}

function laggingReasons(quorum: QuorumStatus, self: ReplicaKey, silentMs: number): HealthReason[] {
  const behind = ({ key, matchOffset, lastContactMsAgo }: ReplicaProgress): boolean =>
    !quorum.voters.some((voter) => isSameReplica(voter, key)) &&
    !isSameReplica(key, self) &&
    // One that is silent is a fenced broker, or a node that has been taken away.
    lastContactMsAgo <= silentMs &&
    quorum.logEndOffset - matchOffset > FAR_BEHIND_OFFSETS;
  const lagging = quorum.replicas.filter(behind);
  if (lagging.length === 0) return [];
  const furthest = Math.max(...lagging.map(({ matchOffset }) => quorum.logEndOffset - matchOffset));
  return [
    {
      severity: 'warning',
      what: 'lagging-observers',
      detail: `${counted(lagging.length, 'observer')} ${lagging.length === 1 ? 'is' : 'are'} up to ${furthest} offsets behind the metadata log: ${ids(lagging.map(({ key }) => key))}`,
      remedy: 'look at their disk and network, and whether they catch up',
      command: 'tidemark quorum status',
    },
  ];
}

function partitionReasons({ image, config }: HealthInputs): HealthReason[] {
  const { offline, underMinIsr, underReplicated } = partitionHealth(image, config);
  const reasons: HealthReason[] = [];
  const add = (
    found: PartitionCount,
    reason: Omit<HealthReason, 'detail' | 'command'>,
    verb: string,
  ): void => {
    const [first] = found.first;
    if (first === undefined) return;
    const command = `tidemark topic describe ${first.slice(0, first.lastIndexOf('-'))}`;
    const detail = `${counted(found.count, 'partition')} ${verb}: ${named(found.first, found.count)}`;
    reasons.push({ ...reason, detail, command });
  };
  add(
    offline,
    {
      severity: 'critical',
      what: 'offline-partitions',
      remedy: 'start the brokers that hold their replicas',
    },
    'without a leader, which can be neither written nor read',
  );
  add(
    underMinIsr,
    {
      severity: 'critical',
      what: 'under-min-isr-partitions',
      remedy: 'bring back the brokers that are missing in their ISR',
    },
    'below min.insync.replicas, which refuse writes with acks=all',
  );
  add(
    underReplicated,
    {
      severity: 'warning',
      what: 'under-replicated-partitions',
      remedy: 'bring back the brokers that are missing in their ISR',
    },
    'short of in-sync replicas',
  );
  return reasons;
}

function brokerReasons({ image }: HealthInputs): HealthReason[] {
  const fenced = image.brokers().filter((broker) => broker.fenced);
  if (fenced.length === 0) return [];
  const text = named(
    fenced.slice(0, MAX_NAMED).map(({ id }) => String(id)),
    fenced.length,
  );
  return [
    {
      severity: 'warning',
      what: 'fenced-brokers',
      detail: `${counted(fenced.length, 'broker')} without a heartbeat: ${text}`,
      ...remedyFor(image, fenced),
    },
  ];
}

/** One that has nothing may be gone for good, and need not be waited for. */
function remedyFor(
  image: HealthInputs['image'],
  fenced: readonly { readonly id: BrokerId }[],
): { readonly remedy: string; readonly command: string } {
  const [idle] = fenced.filter(({ id }) => image.holdings(id).replicas === 0);
  if (idle === undefined) {
    return { remedy: 'start them again, or look into their logs', command: 'tidemark cluster info' };
  }
  const remedy =
    'start them again, or take those that are gone for good and have no replicas out of the list';
  return { remedy, command: `tidemark cluster unregister --id ${idle.id}` };
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const named = (first: readonly string[], count: number): string =>
  `${first.join(', ')}${count > first.length ? ` and ${count - first.length} more` : ''}`;

const ids = (replicas: readonly ReplicaKey[]): string =>
  named(
    replicas.slice(0, MAX_NAMED).map(({ nodeId }) => String(nodeId)),
    replicas.length,
  );
