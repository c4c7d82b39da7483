// Puts the pieces of a snapshot together. One snapshot at a time: another one begins anew, and a piece that is not the next is
// not kept.

import type { SnapshotId, SnapshotRequest } from './message.ts';

export interface Received {
  /** Where the next piece must begin; undefined when it is whole. */
  readonly nextPosition: number | undefined;
  /** All of them, when it is whole. */
  readonly pieces: readonly Uint8Array[] | undefined;
}

export class SnapshotReceiver {
  readonly #maxBytes: number;
  #snapshot: SnapshotId | undefined;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  receive({ snapshot, position, bytes, isLast }: SnapshotRequest): Received {
    const isSame = this.#snapshot?.endOffset === snapshot.endOffset && this.#snapshot.term === snapshot.term;
    if (!isSame) this.#begin(snapshot);
    if (position !== this.#bytes) return { nextPosition: this.#bytes, pieces: undefined };
    if (this.#bytes + bytes.length > this.#maxBytes) {
      this.#begin(undefined);
      return { nextPosition: 0, pieces: undefined };
    }
    // The bytes may be a view into a message.
    this.#pieces.push(bytes.slice());
    this.#bytes += bytes.length;
    if (!isLast) return { nextPosition: this.#bytes, pieces: undefined };
    const pieces = this.#pieces;
    this.#begin(undefined);
    return { nextPosition: undefined, pieces };
  }

  #begin(snapshot: SnapshotId | undefined): void {
    this.#snapshot = snapshot;
    this.#pieces = [];
    this.#bytes = 0;
  }
}
