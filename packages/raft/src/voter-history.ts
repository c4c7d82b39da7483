// The sets of voters in the log: the newest is in force whether it is committed or not, and one that is taken off the log gives
// way to the one before (Raft thesis, 4.1).

import { invariant, type Offset } from '@tidemark/core';
import type { Entry } from './entry.ts';
import type { VoterSet } from './replica.ts';
import { decodeVoters } from './voters-codec.ts';

interface VotersAt {
  /** Of the entry that holds them; the snapshot's end for those of a snapshot. */
  readonly endOffset: Offset;
  readonly voters: VoterSet;
}

export class VoterHistory {
  #sets: VotersAt[];

  constructor(voters: VoterSet, endOffset: Offset) {
    this.#sets = [{ voters, endOffset }];
  }

  get current(): VoterSet {
    return this.#sets.at(-1)!.voters;
  }

  /** The set before the present one, as far as it is kept. */
  get previous(): VoterSet | undefined {
    return this.#sets.at(-2)?.voters;
  }

  /** Where the entry of the present ones ends: they are committed when this is. */
  get endOffset(): Offset {
    return this.#sets.at(-1)!.endOffset;
  }

  /** Those in force with everything below `offset`. */
  asOf(offset: Offset): VoterSet {
    return (this.#sets.findLast(({ endOffset }) => endOffset <= offset) ?? this.#sets[0]!).voters;
  }

  /** Answers whether the voters are others now. */
  appended({ kind, payload, endOffset }: Entry): boolean {
    if (kind !== 'voters') return false;
    const decoded = decodeVoters(payload);
    invariant(decoded.ok, 'the voters in the log can be read', { endOffset });
    this.#sets.push({ voters: decoded.voters, endOffset });
    return true;
  }

  truncated(offset: Offset): boolean {
    const before = this.#sets.length;
    while (this.#sets.length > 1 && this.#sets.at(-1)!.endOffset > offset) this.#sets.pop();
    return this.#sets.length < before;
  }

  restarted(voters: VoterSet, endOffset: Offset): void {
    this.#sets = [{ voters, endOffset }];
  }

  /** Forgets what can neither be in force again nor be asked for: nobody asks below `offset`. */
  forgetBefore(offset: Offset): void {
    while (this.#sets.length > 1 && this.#sets[1]!.endOffset <= offset) this.#sets.shift();
  }
}
