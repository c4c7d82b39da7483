// How a leader is found: pre-votes, votes, and campaigns that a leader has asked for. Only who would win raises the term (Raft
// thesis, 9.6; KIP-996), and nobody votes against a leader that is there, unless that leader wants it (3.10, 4.2.3).

import type { Term } from '@tidemark/core';
import { isUpToDate } from './entry.ts';
import type { TimeoutNow, VoteRequest, VoteResponse } from './message.ts';
import { isSameReplica, majorityOf, replicaName } from './replica.ts';
import type { ReplicaState } from './replica-state.ts';

export interface ElectionsContext {
  /** A majority has voted for this replica. */
  won(nowMs: number): void;
  /** None of the voters it knows has answered. */
  foundNobody(): void;
  /** Somebody campaigns though there is a leader. */
  hint(to: VoteRequest['from']): void;
}

export class Elections {
  readonly #state: ReplicaState;
  readonly #context: ElectionsContext;
  /** Who answered the present campaign, and how. */
  readonly #votes = new Map<string, boolean>();

  constructor(state: ReplicaState, context: ElectionsContext) {
    this.#state = state;
    this.#context = context;
  }

  /** Asks for pre-votes first: only who would win raises the term. */
  campaign(nowMs: number): void {
    const state = this.#state;
    const isUnanswered = state.role === 'prospective' && this.#votes.size <= 1;
    state.changeRole('prospective', undefined);
    this.#ask(true, false, nowMs);
    // The voters it knows may all have been replaced while it was down.
    if (isUnanswered) this.#context.foundNobody();
  }

  onVote(message: VoteRequest, nowMs: number): void {
    const { from, term, pre, last, transfer } = message;
    const state = this.#state;
    const isFree = transfer || !state.hasLeaderContact(nowMs);
    const mayVote =
      isSameReplica(state.vote, from) || (state.vote === undefined && state.leader === undefined);
    const isOpen = (pre && term > state.term) || (term === state.term && mayVote);
    const granted = isFree && isOpen && isUpToDate(last, state.log.end);
    if (granted && !pre) {
      state.vote = from;
      state.electionMs = state.drawElection(nowMs);
      state.options.observer?.voted?.(state.term, from);
    }
    state.outbox.messages.push({
      ...state.envelope(from),
      type: 'voteResponse',
      pre,
      term: granted ? term : state.term,
      granted,
    });
    // Whoever campaigns while there is a leader does not hear it: because it was removed while it was down, for one.
    if (!isFree) this.#context.hint(from);
  }

  onVoteResponse({ from, pre, granted, term }: VoteResponse, nowMs: number): void {
    const state = this.#state;
    if (state.role !== (pre ? 'prospective' : 'candidate')) return;
    if (granted && term !== state.term + (pre ? 1 : 0)) return;
    this.#votes.set(replicaName(from), granted);
    this.#count(nowMs);
  }

  onTimeoutNow({ from }: TimeoutNow, nowMs: number): void {
    const state = this.#state;
    if (!state.isElectable || state.isLeading || !isSameReplica(from, state.leader)) return;
    state.becomeCandidate();
    this.#ask(false, true, nowMs);
  }

  #ask(pre: boolean, transfer: boolean, nowMs: number): void {
    const state = this.#state;
    state.electionMs = state.drawRetry(nowMs);
    this.#votes.clear();
    this.#votes.set(replicaName(state.self), true);
    if (this.#count(nowMs)) return;
    for (const voter of state.voters.current) {
      if (isSameReplica(voter, state.self)) continue;
      state.outbox.messages.push({
        ...state.envelope(voter),
        type: 'vote',
        pre,
        term: (pre ? state.term + 1 : state.term) as Term,
        last: state.log.end,
        transfer,
      });
    }
  }

  #count(nowMs: number): boolean {
    const state = this.#state;
    const voters = state.voters.current;
    const yes = voters.filter((voter) => this.#votes.get(replicaName(voter)) === true).length;
    if (yes < majorityOf(voters.length)) return false;
    if (state.role === 'prospective') {
      state.becomeCandidate();
      this.#ask(false, false, nowMs);
    } else this.#context.won(nowMs);
    return true;
  }
}
