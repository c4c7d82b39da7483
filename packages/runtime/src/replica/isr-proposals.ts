// Carries the leaders' proposals for in-sync replicas to the controller: those of all partitions together, one request at a time.
// Contract: every proposal handed over while its replica leads gets its outcome. One request at a time is what keeps the proposals
// of a partition in order (none is decided after a later one has been answered).

import type { AlterPartitionCommand, AlterPartitionResponse } from '@tidemark/controller';
import {
  failure,
  isFailure,
  type BrokerEpoch,
  type BrokerId,
  type Failure,
  type PartitionIndex,
  type TopicId,
} from '@tidemark/core';
import type { IsrProposal, ProposalOutcome } from '@tidemark/replication';

/** A partition that is led here. */
export interface Proposer {
  readonly topicId: TopicId;
  readonly index: PartitionIndex;
  /** It leads no more: nobody waits for the outcome. */
  readonly isOver: boolean;
  alterPartitionAnswered(proposal: IsrProposal, outcome: ProposalOutcome): void;
}

export interface IsrProposalsOptions {
  readonly self: BrokerId;
  readonly brokerEpoch: BrokerEpoch;
  readonly requestTimeoutMs: number;
  readonly submit: (
    command: AlterPartitionCommand,
    timeoutMs: number,
  ) => Promise<AlterPartitionResponse | Failure>;
  /** A bug: the process ends. */
  readonly onError: (cause: unknown, doing: string) => void;
}

/** Most partitions in one request; more wait for the next. */
const MAX_IN_ONE = 2_000;

const NO_ANSWER = failure('REQUEST_TIMED_OUT', 'The controller did not answer for this partition.');

export class IsrProposals {
  readonly #options: IsrProposalsOptions;
  /** A newer proposal of a partition takes the place of one that was not sent. */
  readonly #waiting = new Map<Proposer, IsrProposal>();
  #isSending = false;
  #isClosed = false;

  constructor(options: IsrProposalsOptions) {
    this.#options = options;
  }

  propose(proposer: Proposer, proposal: IsrProposal): void {
    if (this.#isClosed) return;
    this.#waiting.set(proposer, proposal);
    if (this.#isSending) return;
    this.#isSending = true;
    // What else is proposed in this turn of the event loop goes along.
    void Promise.resolve().then(() => this.#send());
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
  }

  async #send(): Promise<void> {
    while (!this.#isClosed) {
      const sent = this.#take();
      if (sent.length === 0) break;
      const { self, brokerEpoch, requestTimeoutMs, submit } = this.#options;
      const partitions = sent.map(([{ topicId, index }, proposal]) => ({
        topicId,
        partition: index,
        ...proposal,
      }));
      const answer = await submit(
        { type: 'alterPartition', brokerId: self, brokerEpoch, partitions },
        requestTimeoutMs,
      ).catch((cause: unknown) => {
        this.#options.onError(cause, 'proposing in-sync replicas');
        return NO_ANSWER;
      });
      for (const [at, [proposer, proposal]] of sent.entries()) {
        if (proposer.isOver) continue;
        const outcome = isFailure(answer) ? answer : (answer.partitions[at] ?? NO_ANSWER);
        proposer.alterPartitionAnswered(proposal, outcome);
      }
    }
    this.#isSending = false;
  }

  #take(): readonly (readonly [Proposer, IsrProposal])[] {
    const taken: [Proposer, IsrProposal][] = [];
    for (const [proposer, proposal] of this.#waiting) {
      if (taken.length >= MAX_IN_ONE) break;
      this.#waiting.delete(proposer);
      if (!proposer.isOver) taken.push([proposer, proposal]);
    }
    return taken;
  }
}
