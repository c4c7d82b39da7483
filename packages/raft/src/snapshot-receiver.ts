// Puts the pieces of a snapshot together. One snapshot at a time: another one begins anew, and a piece that is not the next is
// not kept.

import type { Term } from '@tidemark/core';
import type { SnapshotId, SnapshotRequest } from './message.ts';

export interface Received {
  /** Where the next piece must begin; undefined when it is whole. */
  readonly nextPosition: number | undefined;
  /** All of them, when it is whole. */
  readonly pieces: readonly Uint8Array[] | undefined;
}

/** Pieces of one stream: a leader that begins anew may divide the same snapshot in another way. */
interface Stream extends SnapshotId {
  readonly leaderTerm: Term;
}

export class SnapshotReceiver {
  readonly #maxBytes: number;
  #stream: Stream | undefined;
  /** Of the piece taken last; every piece that is sent has a higher one than those before. */
  #round = 0;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  receive({ snapshot, term, position, bytes, isLast, round }: SnapshotRequest): Received {
    const isSame =
      this.#stream?.leaderTerm === term &&
      this.#stream.endOffset === snapshot.endOffset &&
      this.#stream.term === snapshot.term;
    if (!isSame) this.#begin({ ...snapshot, leaderTerm: term });
    else if (round <= this.#round) return { nextPosition: this.#bytes, pieces: undefined };
    else if (position === 0) this.#begin(this.#stream);
    this.#round = round;
    if (position !== this.#bytes) return { nextPosition: this.#bytes, pieces: undefined };
    if (this.#bytes + bytes.length > this.#maxBytes) {
      this.reset();
      return { nextPosition: 0, pieces: undefined };
    }
    // The bytes may be a view into a message.
    this.#pieces.push(bytes.slice());
    this.#bytes += bytes.length;
    if (!isLast) return { nextPosition: this.#bytes, pieces: undefined };
    const pieces = this.#pieces;
    this.reset();
    return { nextPosition: undefined, pieces };
  }

  /** Of a snapshot that is not whole. */
  get keptBytes(): number {
    return this.#bytes;
  }

  /** A leader of `term` has spoken: what one before it has sent is of no use any more. */
  heard(term: Term): void {
    if (this.#stream !== undefined && this.#stream.leaderTerm < term) this.reset();
  }

  /** Lets go of everything. */
  reset(): void {
    this.#begin(undefined);
  }

  #begin(stream: Stream | undefined): void {
    this.#stream = stream;
    this.#pieces = [];
    this.#bytes = 0;
  }
}
