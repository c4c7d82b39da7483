// Changes of the quorum itself, done where it is led: another voter, one voter less, another leader. Each answers once that has
// come about, or says that it is not known.

import { failure, type Clock, type Failure, type NodeId, type Offset } from '@tidemark/core';
import type { VoterChange } from '@tidemark/raft';
import type { AppliedBarriers } from './applied-barriers.ts';
import { tooLate } from './leader-caller.ts';
import { Pauses } from './pauses.ts';
import type { RaftQuorum } from './quorum/raft-quorum.ts';

export interface QuorumChangesOptions {
  readonly self: NodeId;
  readonly quorum: Pick<RaftQuorum, 'proposeVoters' | 'transferLeadership' | 'term' | 'leader'>;
  readonly barriers: AppliedBarriers;
  readonly clock: Clock;
  /** Between two looks, in milliseconds. */
  readonly retryBackoffMs: number;
}

type Done = { readonly ok: true } | Failure;

export class QuorumChanges {
  readonly #options: QuorumChangesOptions;
  readonly #pauses: Pauses;

  constructor(options: QuorumChangesOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.clock);
  }

  async changeVoters(change: VoterChange, timeoutMs: number): Promise<Done> {
    const { clock, quorum, barriers } = this.#options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    let proposed = quorum.proposeVoters(change);
    // A replica that has just come may be a moment behind.
    while (!proposed.ok && proposed.error === 'REPLICA_NOT_AVAILABLE' && clock.monotonicMs() < deadlineMs) {
      if (this.#pauses.isClosed) break;
      await this.#pauses.wait(this.#options.retryBackoffMs);
      proposed = quorum.proposeVoters(change);
    }
    if (!proposed.ok) return proposed;
    const endOffset = (proposed.baseOffset + 1) as Offset;
    if (!(await barriers.reach(endOffset, deadlineMs - clock.monotonicMs()))) return tooLate(timeoutMs);
    // Applied up to there: but in another term it is another entry.
    if (quorum.term === proposed.term) return { ok: true };
    return failure(
      'REQUEST_TIMED_OUT',
      'The leader changed meanwhile; quorum status shows whether the voters did.',
    );
  }

  async transfer(to: NodeId | undefined, timeoutMs: number): Promise<Done> {
    const { clock, quorum, self, retryBackoffMs } = this.#options;
    const begun = quorum.transferLeadership(to);
    if (!begun.ok || to === self) return begun;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    while (clock.monotonicMs() < deadlineMs && !this.#pauses.isClosed) {
      const { leader } = quorum;
      if (leader !== undefined && leader.nodeId !== self) return { ok: true };
      await this.#pauses.wait(retryBackoffMs);
    }
    return failure('REQUEST_TIMED_OUT', `No other node has taken over within ${Math.round(timeoutMs)} ms.`);
  }

  /** What waits is given up. */
  close(): void {
    this.#pauses.close();
  }
}
