// Why a partition is as it is, for a person on call: can it be written, who may lead it and in which order, what would be lost, what
// to do next. Pure: a situation in, an explanation out. What is not known is said to be unknown; nothing is assumed of a broker that
// does not answer. The order of candidates is the controller's own (packages/controller/src/partition-change.ts).
import { candidatesOf } from './partition-candidates.ts';
import type { LeaderCandidate } from './partition-candidates.ts';
import { nextSteps } from './partition-next-steps.ts';
import type { NextStep } from './partition-next-steps.ts';
import type { PartitionSituation, ReplicaAnswer } from './partition-situation.ts';

export type { CandidateLoss, LeaderCandidate } from './partition-candidates.ts';
export type { NextStep } from './partition-next-steps.ts';

/** The worst that holds. */
export type PartitionState = 'offline' | 'under-min-isr' | 'at-min-isr' | 'under-replicated' | 'healthy';

export interface ExplainedReplica {
  readonly brokerId: number;
  readonly role: 'leader' | 'follower' | 'changing' | 'absent' | 'unopened' | 'unknown';
  readonly membership: 'in-sync' | 'eligible' | 'out-of-sync';
  readonly fenced: boolean;
  /** -1 where not known; of a replica that does not answer, what the leader knows of it. */
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  /** What the leader was told is there for good; -1 where it does not answer, and for itself. */
  readonly acknowledgedOffset: number;
  readonly flushedOffset: number;
  readonly leaderEpoch: number;
  readonly leaderEpochs: readonly { readonly leaderEpoch: number; readonly startOffset: number }[];
  /** Records behind the leader's end; -1 where one of the two ends is not known. */
  readonly lag: number;
  /** By the leader's clock; -1 where not known or never caught up. */
  readonly lagMs: number;
  /** What to know of it, in a sentence. */
  readonly note: string;
}

export interface Writability {
  readonly possible: boolean;
  readonly reasons: readonly string[];
}

/** The highest of what the replicas that answer know; the true one may be higher while the leader does not answer. */
export interface KnownHighWatermark {
  readonly offset: number;
  readonly brokerId: number;
  readonly fromLeader: boolean;
}

export interface PartitionExplanation {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly state: PartitionState;
  readonly underReplicated: boolean;
  /** -1 when there is none. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly minInsyncReplicas: number;
  readonly uncleanElection: boolean;
  readonly replicaIds: readonly number[];
  readonly inSyncReplicas: readonly number[];
  readonly eligibleLeaderReplicas: readonly number[];
  readonly lastKnownLeaderReplicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
  readonly highWatermark: KnownHighWatermark | null;
  readonly replicas: readonly ExplainedReplica[];
  readonly writableAcksAll: Writability;
  readonly writableAcksOne: Writability;
  /** In the order in which the controller takes them. */
  readonly candidates: readonly LeaderCandidate[];
  readonly next: readonly NextStep[];
}

export function explainPartition(situation: PartitionSituation): PartitionExplanation {
  const highWatermark = knownHighWatermark(situation);
  const replicas = situation.answers.map((answer) => explainReplica(situation, answer));
  const state = partitionState(situation);
  const candidates = candidatesOf(situation, replicas, highWatermark);
  const acksOne = acksOneReasons(situation);
  const acksAll = acksAllReasons(situation, acksOne);
  const { inSyncReplicas, replicas: replicaIds } = situation;
  return {
    topic: situation.topic,
    topicId: situation.topicId,
    partition: situation.partition,
    state,
    underReplicated: inSyncReplicas.length < replicaIds.length,
    leaderId: situation.leaderId,
    leaderEpoch: situation.leaderEpoch,
    partitionEpoch: situation.partitionEpoch,
    minInsyncReplicas: situation.minInsyncReplicas,
    uncleanElection: situation.uncleanElection,
    replicaIds,
    inSyncReplicas,
    eligibleLeaderReplicas: situation.eligibleLeaderReplicas,
    lastKnownLeaderReplicas: situation.lastKnownLeaderReplicas,
    addingReplicas: situation.addingReplicas,
    removingReplicas: situation.removingReplicas,
    highWatermark: highWatermark ?? null,
    replicas,
    writableAcksAll: { possible: acksAll.length === 0, reasons: acksAll },
    writableAcksOne: { possible: acksOne.length === 0, reasons: acksOne },
    candidates,
    next: nextSteps(situation, replicas, candidates, state),
  };
}

export function partitionState({
  leaderId,
  inSyncReplicas: isr,
  replicas,
  minInsyncReplicas: minimum,
}: PartitionSituation): PartitionState {
  if (leaderId < 0) return 'offline';
  if (isr.length < minimum) return 'under-min-isr';
  if (isr.length === replicas.length) return 'healthy';
  return isr.length === minimum ? 'at-min-isr' : 'under-replicated';
}

function knownHighWatermark({ answers, leaderId }: PartitionSituation): KnownHighWatermark | undefined {
  let known: KnownHighWatermark | undefined;
  for (const answer of answers) {
    if (answer.kind !== 'described') continue;
    const { brokerId, replica } = answer;
    const fromLeader = brokerId === leaderId && replica.isLeader;
    if (fromLeader) return { offset: replica.highWatermark, brokerId, fromLeader };
    if (known === undefined || replica.highWatermark > known.offset) {
      known = { offset: replica.highWatermark, brokerId, fromLeader };
    }
  }
  return known;
}

function leaderOf({ answers, leaderId }: PartitionSituation) {
  const answer = answers.find(({ brokerId }) => brokerId === leaderId);
  return answer?.kind === 'described' && answer.replica.isLeader ? answer.replica : undefined;
}

function explainReplica(situation: PartitionSituation, answer: ReplicaAnswer): ExplainedReplica {
  const { brokerId } = answer;
  const leader = leaderOf(situation);
  const followers = leader?.standing.role === 'leader' ? leader.standing.followers : [];
  const told = followers.find((follower) => follower.brokerId === brokerId);
  const fenced = situation.offlineReplicas.includes(brokerId);
  const membership = situation.inSyncReplicas.includes(brokerId)
    ? 'in-sync'
    : situation.eligibleLeaderReplicas.includes(brokerId)
      ? 'eligible'
      : 'out-of-sync';
  const replica = answer.kind === 'described' ? answer.replica : undefined;
  const logEndOffset = replica?.logEndOffset ?? told?.logEndOffset ?? -1;
  const behind = leader !== undefined && logEndOffset >= 0 ? leader.logEndOffset - logEndOffset : -1;
  return {
    brokerId,
    role: answer.kind === 'described' ? roleOf(answer.replica) : answer.kind,
    membership,
    fenced,
    logStartOffset: replica?.logStartOffset ?? -1,
    highWatermark: replica?.highWatermark ?? -1,
    logEndOffset,
    acknowledgedOffset: told?.acknowledgedOffset ?? -1,
    flushedOffset: replica?.flushedOffset ?? -1,
    leaderEpoch: replica?.leaderEpoch ?? -1,
    leaderEpochs: replica?.leaderEpochs ?? [],
    // The two ends are told at different times: a follower may seem to be ahead.
    lag: leader !== undefined && logEndOffset >= 0 ? Math.max(0, behind) : -1,
    lagMs: brokerId === situation.leaderId ? 0 : (told?.lagMs ?? -1),
    note: noteOf(situation, answer, fenced),
  };
}

function roleOf({ standing, isLeader }: Extract<ReplicaAnswer, { kind: 'described' }>['replica']) {
  return standing.role === 'changing' && isLeader ? 'leader' : standing.role;
}

function noteOf(situation: PartitionSituation, answer: ReplicaAnswer, fenced: boolean): string {
  const notes: string[] = [];
  if (fenced) {
    const mayBeFull = answer.kind === 'unknown' ? '' : ', or its disk is full';
    notes.push(`fenced: the controller does not hear from it${mayBeFull}`);
  }
  if (situation.addingReplicas.includes(answer.brokerId)) notes.push('being added by a reassignment');
  if (situation.removingReplicas.includes(answer.brokerId)) notes.push('being removed by a reassignment');
  if (answer.kind === 'unknown') notes.push(`not known: ${answer.cause}`);
  if (answer.kind === 'absent') {
    notes.push('its broker answers and has no such replica: still being created, or its folder was lost');
  }
  if (answer.kind === 'unopened') notes.push(`not open: ${answer.cause}`);
  if (answer.kind === 'described') {
    const { standing, isLeader } = answer.replica;
    if (standing.role === 'leader' && standing.isolated) {
      notes.push('isolated: it has not heard from the controller and takes nothing');
    }
    if (standing.role === 'follower') {
      if (standing.state === 'waiting') notes.push(`waiting: ${standing.refusal ?? 'it does not say why'}`);
      else if (standing.state !== 'fetching') notes.push(standing.state);
      if (standing.leaderId !== situation.leaderId) {
        notes.push(
          standing.leaderId < 0 ? 'knows of no leader' : `still follows broker ${standing.leaderId}`,
        );
      }
    }
    if (standing.role === 'changing' && !isLeader) {
      notes.push(situation.leaderId < 0 ? 'has no leader to follow' : 'between two roles');
    }
    if (isLeader && answer.brokerId !== situation.leaderId) {
      notes.push('believes that it leads; the metadata says otherwise');
    }
  }
  return notes.join('; ');
}

function acksOneReasons(situation: PartitionSituation): string[] {
  const { leaderId, answers } = situation;
  if (leaderId < 0) return ['it has no leader'];
  const answer = answers.find(({ brokerId }) => brokerId === leaderId);
  if (answer === undefined) return [`its leader, broker ${leaderId}, is not among its replicas`];
  if (answer.kind === 'unknown') return [`its leader, broker ${leaderId}, does not answer: ${answer.cause}`];
  if (answer.kind === 'unopened')
    return [`its leader, broker ${leaderId}, has not opened it: ${answer.cause}`];
  if (answer.kind === 'absent' || !answer.replica.isLeader) {
    return [`broker ${leaderId} shall lead and does not yet`];
  }
  const { standing } = answer.replica;
  if (standing.role !== 'leader' || !standing.isolated) return [];
  return [`its leader, broker ${leaderId}, is isolated from the controller`];
}

function acksAllReasons(situation: PartitionSituation, acksOne: readonly string[]): string[] {
  const reasons = [...acksOne];
  const { inSyncReplicas: isr, minInsyncReplicas: minimum } = situation;
  if (situation.leaderId >= 0 && isr.length < minimum) {
    reasons.push(`${isr.length} in sync, and min.insync.replicas is ${minimum}`);
  }
  const standing = leaderOf(situation)?.standing;
  if (standing?.role === 'leader' && standing.refusal !== undefined && reasons.length === 0) {
    reasons.push(`the leader refuses: ${standing.refusal}`);
  }
  return reasons;
}
