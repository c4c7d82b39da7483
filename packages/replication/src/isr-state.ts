// The in-sync replicas of a partition as its leader knows them: what the controller has committed, and the one proposal that may
// be on its way (KIP-497, Kafka's PartitionState).
//
// While it is not known what became of a proposal, everybody in it counts as in sync and so does everybody committed: the maximal
// ISR, which the high watermark waits for. A refusal that leaves no doubt ends the proposal; time-outs and lost answers do not, it
// is asked again as it was; whatever says that the controller knows a later state leaves it to the metadata to tell.

import type { BrokerEpoch, BrokerId, ErrorName, Failure, LeaderEpoch, PartitionEpoch } from '@tidemark/core';
import type { PartitionView } from './partition-view.ts';

export interface ProposedMember {
  readonly brokerId: BrokerId;
  /** Of the incarnation that caught up; for a member that stays, the registered one. */
  readonly brokerEpoch: BrokerEpoch;
}

/** To be sent to the controller; the two epochs make it a compare and set. */
export interface IsrProposal {
  readonly newIsr: readonly ProposedMember[];
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
}

/** Where the partition stands after a proposal; the controller's `AlteredPartition` is one. */
export interface AlteredIsr {
  readonly ok: true;
  readonly isr: readonly BrokerId[];
  readonly leaderEpoch: LeaderEpoch;
  readonly partitionEpoch: PartitionEpoch;
  readonly leaderRecoveryState: 'recovered' | 'recovering';
}

/** Any failure that is not the controller's own answer stands for an unknown outcome: REQUEST_TIMED_OUT, NETWORK_EXCEPTION. */
export type ProposalOutcome = AlteredIsr | Failure;

/** How long before a proposal is sent again, or another one made after a refusal. */
export const PROPOSAL_BACKOFF_MS = 200;

interface Pending {
  readonly proposal: IsrProposal;
  /** When to send it again: -Infinity before the first time, Infinity while it is on its way or the metadata has to tell. */
  sendAtMs: number;
}

/** It was looked at against the present state and refused; nothing has changed. */
const REFUSED: ReadonlySet<ErrorName> = new Set<ErrorName>(['INELIGIBLE_REPLICA', 'OPERATION_NOT_ATTEMPTED']);

/** The controller knows of something that this broker will hear of. */
const METADATA_TELLS: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'FENCED_LEADER_EPOCH',
  'INVALID_UPDATE_VERSION',
  'NEW_LEADER_ELECTED',
  'INVALID_REQUEST',
  'UNKNOWN_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'STALE_BROKER_EPOCH',
  'BROKER_ID_NOT_REGISTERED',
]);

export class IsrState {
  #committed: readonly BrokerId[];
  #leaving: readonly BrokerId[] = [];
  #partitionEpoch: PartitionEpoch;
  #isRecovering: boolean;
  #pending: Pending | undefined;
  #notBeforeMs = -Infinity;

  constructor(view: PartitionView) {
    this.#committed = view.isr;
    this.#partitionEpoch = view.partitionEpoch;
    this.#isRecovering = view.leaderRecoveryState === 'recovering';
  }

  get committed(): readonly BrokerId[] {
    return this.#committed;
  }

  get partitionEpoch(): PartitionEpoch {
    return this.#partitionEpoch;
  }

  /** The leader was elected uncleanly and has not taken its ISR in hand yet (KIP-704). */
  get isRecovering(): boolean {
    return this.#isRecovering;
  }

  get pending(): IsrProposal | undefined {
    return this.#pending?.proposal;
  }

  isCommitted(id: BrokerId): boolean {
    return this.#committed.includes(id);
  }

  /** Whether it may be in sync, for all this leader knows. */
  isMaximal(id: BrokerId): boolean {
    if (this.#committed.includes(id)) return true;
    return (
      this.#pending !== undefined && this.#pending.proposal.newIsr.some(({ brokerId }) => brokerId === id)
    );
  }

  /**
   * Nothing is committed, or deleted for good, without it. So it is with one, too, that was in sync as far as the metadata here say, and
   * has left by an answer that has overtaken them: a min.insync.replicas that was raised before may have made it eligible, for having
   * everything committed.
   */
  holdsBack(id: BrokerId): boolean {
    return this.isMaximal(id) || this.#leaving.includes(id);
  }

  mayPropose(nowMs: number): boolean {
    return this.#pending === undefined && nowMs >= this.#notBeforeMs;
  }

  propose(newIsr: readonly ProposedMember[], leaderEpoch: LeaderEpoch): void {
    const proposal: IsrProposal = { newIsr, leaderEpoch, partitionEpoch: this.#partitionEpoch };
    this.#pending = { proposal, sendAtMs: -Infinity };
  }

  /** The proposal, if it is time to send it. */
  takeProposal(nowMs: number): IsrProposal | undefined {
    if (this.#pending === undefined || nowMs < this.#pending.sendAtMs) return undefined;
    this.#pending.sendAtMs = Infinity;
    return this.#pending.proposal;
  }

  /** When the next proposal may be sent; Infinity when that does not depend on the time. */
  get nextSendMs(): number {
    return this.#pending?.sendAtMs ?? (this.#notBeforeMs === -Infinity ? Infinity : this.#notBeforeMs);
  }

  /** What the metadata say, and nothing older than what is known. */
  shown(view: PartitionView): void {
    this.#adopt(view);
    if (view.partitionEpoch === this.#partitionEpoch) this.#leaving = [];
  }

  /** Takes over a state that is later than the one known; answers whether it is. A pending proposal can then not be taken any more. */
  #adopt({
    isr,
    partitionEpoch,
    leaderRecoveryState,
  }: Omit<PartitionView, 'replicas' | 'leaderEpoch'>): boolean {
    if (partitionEpoch <= this.#partitionEpoch) return false;
    this.#committed = isr;
    this.#partitionEpoch = partitionEpoch;
    this.#isRecovering = leaderRecoveryState === 'recovering';
    this.#pending = undefined;
    this.#notBeforeMs = -Infinity;
    return true;
  }

  /** `leaderEpoch` is this leader's. */
  answered(proposal: IsrProposal, outcome: ProposalOutcome, leaderEpoch: LeaderEpoch, nowMs: number): void {
    if (outcome.ok) {
      // With another leader epoch somebody leads anew, and so does this broker if it is the one: the metadata will say.
      const isMine = outcome.leaderEpoch === leaderEpoch;
      const before = this.#committed;
      if (isMine && this.#adopt(outcome)) {
        this.#leaving = [...this.#leaving, ...before].filter((id) => !this.isCommitted(id));
        return;
      }
      if (isMine && outcome.partitionEpoch === this.#partitionEpoch && this.#pending?.proposal === proposal) {
        // Nothing had to be changed for it.
        this.#isRecovering = outcome.leaderRecoveryState === 'recovering';
        this.#settle(nowMs);
      }
      return;
    }
    if (this.#pending?.proposal !== proposal) return;
    if (REFUSED.has(outcome.error)) this.#settle(nowMs);
    else if (!METADATA_TELLS.has(outcome.error)) this.#pending.sendAtMs = nowMs + PROPOSAL_BACKOFF_MS;
  }

  #settle(nowMs: number): void {
    this.#pending = undefined;
    this.#notBeforeMs = nowMs + PROPOSAL_BACKOFF_MS;
  }
}
