// Who may lead a partition, in the order in which the controller would take them, and which offsets would be lost. In sync and eligible
// replicas have everything committed and lose nothing that was acknowledged by acks=all. Of any other, the range from its end to the high
// watermark would be gone; above the high watermark nothing was acknowledged by acks=all, but by acks=1 it was. Pure.
import type { ExplainedReplica, KnownHighWatermark } from './partition-explanation.ts';
import type { PartitionSituation } from './partition-situation.ts';

/** Offsets `from` (inclusive) to `to` (exclusive). */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

export interface CandidateLoss {
  /** Committed records that would surely be lost; null when none is known to be. */
  readonly committed: OffsetRange | null;
  /** From the high watermark (or the candidate's end) to the leader's end, or the furthest that is known: acks=1 may have acknowledged it. */
  readonly uncommitted: OffsetRange | null;
  /** More may be lost than the ranges say. */
  readonly mayBeMore: boolean;
  readonly text: string;
}

export interface LeaderCandidate {
  readonly brokerId: number;
  readonly by: 'in-sync' | 'eligible' | 'last-known-leader' | 'unclean';
  /** Registered and not fenced: it can be elected now. */
  readonly available: boolean;
  /** By itself; or only when somebody asks for an unclean election. */
  readonly automatic: boolean;
  readonly loss: CandidateLoss;
}

/**
 * The leader first while it may lead, then by the order of the replicas. An unclean election takes the first available of the replicas, not the
 * one that has most.
 */
export function candidatesOf(
  situation: PartitionSituation,
  replicas: readonly ExplainedReplica[],
  highWatermark: KnownHighWatermark | undefined,
): readonly LeaderCandidate[] {
  const { inSyncReplicas: isr, eligibleLeaderReplicas: elr, lastKnownLeaderReplicas, leaderId } = situation;
  const clean = isr.length > 0 ? isr : elr;
  const lastKnown = isr.length === 0 && elr.length === 0 ? lastKnownLeaderReplicas[0] : undefined;
  const rank = (id: number): number =>
    clean.includes(id) ? (id === leaderId ? 0 : 1) : id === lastKnown ? 2 : 3;
  return replicas
    .toSorted((a, b) => rank(a.brokerId) - rank(b.brokerId))
    .map((replica): LeaderCandidate => {
      const { brokerId } = replica;
      const isClean = clean.includes(brokerId);
      const by = isClean
        ? isr.length > 0
          ? 'in-sync'
          : 'eligible'
        : brokerId === lastKnown
          ? 'last-known-leader'
          : 'unclean';
      return {
        brokerId,
        by,
        available: !replica.fenced,
        automatic: by !== 'unclean' || situation.uncleanElection,
        loss: isClean ? cleanLoss(replica) : lossOf(situation, replica, replicas, highWatermark),
      };
    });
}

/** A replica that shall be in sync and is not there has just been created, or its disk was lost: nobody can tell which from here. */
function cleanLoss({ role }: ExplainedReplica): CandidateLoss {
  const text =
    role === 'absent'
      ? 'is in sync by the metadata, yet its broker has NO such replica'
      : role === 'unopened'
        ? 'is in sync by the metadata, yet its broker could NOT open the log'
        : 'loses nothing committed';
  return { committed: null, uncommitted: null, mayBeMore: role === 'absent' || role === 'unopened', text };
}

function lossOf(
  { leaderId }: PartitionSituation,
  candidate: ExplainedReplica,
  replicas: readonly ExplainedReplica[],
  highWatermark: KnownHighWatermark | undefined,
): CandidateLoss {
  const { brokerId, role } = candidate;
  const nothingKnown = { committed: null, uncommitted: null, mayBeMore: true };
  const leader = replicas.find((replica) => replica.brokerId === leaderId && replica.role === 'leader');
  if (brokerId === leaderId && leader !== undefined) {
    return { committed: null, uncommitted: null, mayBeMore: false, text: 'loses nothing: it leads' };
  }
  if (role === 'absent') {
    const all =
      highWatermark === undefined ? '' : `, at least up to the high watermark ${highWatermark.offset}`;
    return { ...nothingKnown, text: `has no records: would lose EVERYTHING${all}` };
  }
  const end = durableEnd(candidate);
  if (end < 0) {
    return { ...nothingKnown, text: 'would lose an UNKNOWN number of records: its end is not known' };
  }
  const ends = replicas.filter((replica) => replica.brokerId !== brokerId).map(durableEnd);
  const furthest = leader?.logEndOffset ?? Math.max(-1, ...ends);
  const committed = rangeOf(end, highWatermark?.offset);
  const uncommitted = rangeOf(Math.max(end, highWatermark?.offset ?? 0), furthest);
  const known = [
    ...(committed === null ? [] : [`${records(committed)}, committed`]),
    ...(uncommitted === null ? [] : [`${records(uncommitted)}, not known to be committed`]),
  ].join('; ');
  if (leader !== undefined) {
    const text = known === '' ? 'would lose nothing that the leader knows of' : `would lose ${known}`;
    return { committed, uncommitted, mayBeMore: false, text };
  }
  // Without the leader's end no number is the whole loss, and none must read like it.
  const atLeast = known === '' ? '' : `; of these are known: ${known}`;
  const text = `would lose EVERYTHING from offset ${end} on; how much that is is NOT KNOWN, as no leader answers${atLeast}`;
  return { committed, uncommitted, mayBeMore: true, text };
}

/** What the replica surely has: of one that does not answer, what the leader was told is there for good. -1 when not known. */
function durableEnd({ role, logEndOffset, acknowledgedOffset }: ExplainedReplica): number {
  return role === 'unknown' ? Math.min(logEndOffset, acknowledgedOffset) : logEndOffset;
}

function rangeOf(from: number, to: number | undefined): OffsetRange | null {
  return to === undefined || from >= to ? null : { from, to };
}

function records({ from, to }: OffsetRange): string {
  const count = to - from;
  return `${count} ${count === 1 ? 'record' : 'records'}, offsets ${from} to ${to - 1}`;
}
