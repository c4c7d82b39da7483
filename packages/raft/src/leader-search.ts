// How a replica that hears of no leader finds one: it asks the nodes it knows in turn for the log; who leads sends it, and who does
// not says who may. A hint decides nothing; what the leader itself sends does.

import type { NodeId } from '@tidemark/core';
import type { LeaderHint } from './message.ts';
import type { ReplicaKey } from './replica.ts';
import type { ReplicaState } from './replica-state.ts';

/** In a message to a node whose directory id is not known. */
export const NO_DIRECTORY = '';

export class LeaderSearch {
  readonly #state: ReplicaState;
  #turn = 0;

  constructor(state: ReplicaState) {
    this.#state = state;
  }

  /** As an observer: nobody leads as far as it knows, and it asks the next one. */
  join(nowMs: number): void {
    this.#state.electionMs = this.#state.drawRetry(nowMs);
    this.#state.changeRole('observer', undefined);
    this.ask();
  }

  ask(): void {
    const to = this.#whomToAsk();
    if (to !== undefined) this.#askForLog(to);
  }

  /** To one who asks and had better ask somebody else. */
  hint(to: ReplicaKey): void {
    const { outbox, leader, voters } = this.#state;
    outbox.messages.push({
      ...this.#state.envelope(to),
      type: 'leaderHint',
      leader,
      voters: voters.current,
    });
  }

  onHint({ leader }: LeaderHint): void {
    const state = this.#state;
    if (state.leader !== undefined || leader === undefined) return;
    if (state.role !== 'observer' && state.role !== 'prospective') return;
    if (leader.nodeId !== state.self.nodeId) this.#askForLog(leader);
  }

  #askForLog(to: ReplicaKey): void {
    const { outbox, log, options } = this.#state;
    outbox.messages.push({
      ...this.#state.envelope(to),
      type: 'join',
      last: log.end,
      endpoint: options.endpoint,
    });
  }

  /** In turn: the voters as far as they are known, and the nodes named at the start, whatever their directory ids. */
  #whomToAsk(): ReplicaKey | undefined {
    const { self, voters, options } = this.#state;
    const named = (nodeId: NodeId): ReplicaKey => ({ nodeId, directoryId: NO_DIRECTORY });
    const known = [...voters.current, ...options.bootstrapNodes.map(named)].filter(
      ({ nodeId }) => nodeId !== self.nodeId,
    );
    return known.length === 0 ? undefined : known[this.#turn++ % known.length];
  }
}
