// The one place that decides what becomes of a partition: who is in sync, who stays eligible, who leads, and with it the epochs
// (a record with a leader raises the leader epoch; every record raises the partition epoch). The rules are those of Kafka's
// PartitionChangeBuilder with eligible leader replicas (KIP-966) and reassignment (KIP-455).
//
// An ISR may become empty: its last members are then eligible replicas, and when those are lost too the last leader is
// remembered, or another replica where that one's disk is gone. So a partition is never given up while a replica is left that may
// have its records.

import type { BrokerId, TopicId } from '@tidemark/core';
import type { PartitionImage } from './metadata-image.ts';
import { NO_LEADER, type LeaderId, type PartitionChangeRecord } from './metadata-record.ts';

/** What shall be different. What is undefined is as before. */
export interface WantedChange {
  readonly isr?: readonly BrokerId[];
  readonly replicas?: readonly BrokerId[];
  readonly adding?: readonly BrokerId[];
  readonly removing?: readonly BrokerId[];
  /** A replica that may have lost records (unclean restart): neither in sync nor eligible any more. */
  readonly unclean?: BrokerId;
  /** A replica that has nothing any more (another disk): whoever else is left has at least as much. */
  readonly emptied?: BrokerId | undefined;
  /** The leader has taken its in-sync replicas in hand; see LeaderRecoveryState. */
  readonly recovered?: boolean;
  /**
   * `online` (default) keeps a leader that may lead. `preferred` takes the first replica if it may. `unclean` is `online`, and
   * takes a replica out of sync before none.
   */
  readonly election?: 'online' | 'preferred' | 'unclean';
}

export interface PartitionRules {
  /** Neither fenced nor shutting down. */
  readonly isActive: (id: BrokerId) => boolean;
  /** `min.insync.replicas` in force for a partition of so many replicas. */
  readonly minInSync: (replicaCount: number) => number;
  /** `flush.policy` of the topic itself; undefined: each broker's says. */
  readonly flushPolicy?: 'ack' | 'os' | undefined;
  /** `unclean.leader.election.enable`. */
  readonly mayElectUnclean: boolean;
}

interface Target {
  replicas: readonly BrokerId[];
  isr: readonly BrokerId[];
  elr: readonly BrokerId[];
  adding: readonly BrokerId[];
  removing: readonly BrokerId[];
}

interface Elected {
  readonly leader: LeaderId;
  readonly isUnclean: boolean;
}

/** The record of the change; undefined when nothing is different in the end. */
export function changePartition(
  topicId: TopicId,
  before: PartitionImage,
  wanted: WantedChange,
  rules: PartitionRules,
): PartitionChangeRecord | undefined {
  const target = targetOf(before, wanted);
  completeReassignment(target);
  target.elr = eligibleReplicas(before, target, wanted, rules);
  const { leader, isUnclean } = electLeader(before, target, wanted, rules);
  const isRemoving = before.replicas.some((id) => !target.replicas.includes(id));
  if (leader !== NO_LEADER && !target.isr.includes(leader)) {
    // From the eligible replicas, or uncleanly: nobody else surely has what the new leader has.
    target.isr = [leader];
    // One in sync may be enough by now: the minimum can have been lowered while nobody led.
    const isEnough = rules.minInSync(target.replicas.length) <= 1;
    target.elr = isUnclean || isEnough ? [] : target.elr.filter((id) => id !== leader);
  }
  const lastKnownElr = lastKnownLeader(before, target, leader, wanted, rules);
  const recovery = isUnclean ? 'recovering' : wanted.recovered ? 'recovered' : before.leaderRecoveryState;
  return unlessEmpty({
    type: 'partitionChange',
    topicId,
    partition: before.partition,
    replicas: unlessSame(target.replicas, before.replicas),
    isr: unlessSame(target.isr, before.isr),
    // Naming the leader raises its epoch: also when replicas go, so that their fetches are told from those of members.
    leader: leader !== before.leader || isRemoving ? leader : undefined,
    elr: unlessSame(target.elr, before.elr),
    lastKnownElr: unlessSame(lastKnownElr, before.lastKnownElr),
    leaderRecoveryState: recovery === before.leaderRecoveryState ? undefined : recovery,
    addingReplicas: unlessSame(target.adding, before.addingReplicas),
    removingReplicas: unlessSame(target.removing, before.removingReplicas),
  });
}

function targetOf(
  before: PartitionImage,
  { isr, replicas, adding, removing, unclean }: WantedChange,
): Target {
  const wantedIsr = isr ?? before.isr;
  return {
    replicas: replicas ?? before.replicas,
    isr: unclean === undefined ? wantedIsr : wantedIsr.filter((id) => id !== unclean),
    elr: before.elr,
    adding: adding ?? before.addingReplicas,
    removing: removing ?? before.removingReplicas,
  };
}

/**
 * A reassignment is done when all added replicas are in sync and, where the partition ends up with fewer replicas than it had,
 * all that remain (else it could be left with a single replica that is there).
 */
function completeReassignment(target: Target): void {
  const { replicas, isr, adding, removing } = target;
  if (adding.length === 0 && removing.length === 0) return;
  const remaining = replicas.filter((id) => !removing.includes(id));
  const mustBeInSync = removing.length > adding.length ? remaining : adding;
  if (!mustBeInSync.every((id) => isr.includes(id))) return;
  target.replicas = remaining;
  target.isr = isr.filter((id) => remaining.includes(id));
  target.adding = [];
  target.removing = [];
}

/**
 * Whoever leaves an ISR that is below min.insync.replicas has all that was committed, and will have: nothing is committed
 * below the minimum. With enough in sync again others may commit without them, and they are eligible no more.
 */
function eligibleReplicas(
  before: PartitionImage,
  { replicas, isr }: Target,
  { unclean }: WantedChange,
  { minInSync }: PartitionRules,
): readonly BrokerId[] {
  if (isr.length >= minInSync(replicas.length)) return [];
  const hasCommitted = (id: BrokerId) => before.isr.includes(id) || before.elr.includes(id);
  return replicas.filter((id) => hasCommitted(id) && !isr.includes(id) && id !== unclean);
}

/**
 * In sync and active; when nobody is in sync, eligible and active; when nobody is either, the last leader: it may have lost
 * records, but no other replica surely has more. Each in the order of preference. Out of sync only as far as that is allowed.
 */
function electLeader(
  before: PartitionImage,
  { replicas, isr, elr }: Target,
  { election = 'online' }: WantedChange,
  { isActive, mayElectUnclean }: PartitionRules,
): Elected {
  const mayLead = (id: LeaderId): id is BrokerId =>
    id !== NO_LEADER && (isr.length > 0 ? isr : elr).includes(id) && isActive(id);
  const clean = (leader: BrokerId) => ({ leader, isUnclean: false });
  const preferred = replicas[0]!;
  if (election === 'preferred' && mayLead(preferred)) return clean(preferred);
  if (mayLead(before.leader)) return clean(before.leader);
  const next = replicas.find(mayLead);
  if (next !== undefined) return clean(next);
  const unclean = (leader: BrokerId) => ({ leader, isUnclean: true });
  if (isr.length === 0 && elr.length === 0) {
    const last = before.lastKnownElr[0];
    if (last !== undefined && replicas.includes(last) && isActive(last)) return unclean(last);
  }
  if (election === 'unclean' || mayElectUnclean) {
    const any = replicas.find(isActive);
    if (any !== undefined) return unclean(any);
  }
  return { leader: NO_LEADER, isUnclean: false };
}

/**
 * Kept from when the ISR becomes empty until there is a leader again. One that has lost its disk would cut all others down to nothing:
 * another one takes its place.
 */
function lastKnownLeader(
  before: PartitionImage,
  { replicas, isr }: Target,
  leader: LeaderId,
  { emptied }: WantedChange,
  { isActive }: PartitionRules,
): readonly BrokerId[] {
  if (leader !== NO_LEADER) return [];
  const kept = before.lastKnownElr.filter((id) => replicas.includes(id));
  const isKept = isr.length > 0 || before.leader === NO_LEADER || !replicas.includes(before.leader);
  const [last] = isKept ? kept : [before.leader];
  if (last === undefined) return [];
  if (last !== emptied) return [last];
  // From those behind it on, so that several empty disks one after another do not lead back to the first.
  const at = replicas.indexOf(last);
  const others = [...replicas.slice(at + 1), ...replicas.slice(0, at)];
  return [others.find(isActive) ?? others[0] ?? last];
}

function unlessSame<T>(list: readonly T[], before: readonly T[]): readonly T[] | undefined {
  const isSame = list.length === before.length && list.every((member, at) => member === before[at]);
  return isSame ? undefined : list;
}

const FIELDS = [
  'replicas',
  'isr',
  'leader',
  'elr',
  'lastKnownElr',
  'leaderRecoveryState',
  'addingReplicas',
  'removingReplicas',
] as const;

function unlessEmpty(record: PartitionChangeRecord): PartitionChangeRecord | undefined {
  return FIELDS.some((field) => record[field] !== undefined) ? record : undefined;
}
