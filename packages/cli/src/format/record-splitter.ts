// Cuts a stream of chunks into records at a terminator. Records are views into the chunks; only one that crosses a border
// between two chunks is copied. What it holds back is bounded: a record longer than the limit is an error, not a full memory.
import { CommandFailure } from '../exit.ts';

export class RecordSplitter {
  readonly #terminator: Buffer;
  readonly #perRecord: number;
  readonly #maxRecordBytes: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Terminators seen in what is held. */
  #heldTerminators = 0;
  /** Where the search in what is held goes on. */
  #searched = 0;

  constructor(terminator: Buffer, terminatorsPerRecord: number, maxRecordBytes: number) {
    this.#terminator = terminator;
    this.#perRecord = terminatorsPerRecord;
    this.#maxRecordBytes = maxRecordBytes;
  }

  /** The records that end in `chunk`, without their last terminator. Consume all before the next call. */
  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    const length = this.#terminator.length;
    // A longer terminator may lie across the border, so it is searched in one piece, from where it could begin.
    const bytes = length === 1 ? chunk : Buffer.concat([...this.#held, chunk]);
    let from = length === 1 ? 0 : Math.max(this.#searched, this.#heldBytes - length + 1, 0);
    if (length > 1) this.#hold([]);
    let begin = 0;
    for (;;) {
      const found = bytes.indexOf(this.#terminator, from);
      if (found === -1) break;
      from = found + length;
      if (++this.#heldTerminators < this.#perRecord) continue;
      this.#heldTerminators = 0;
      yield this.#complete(bytes.subarray(begin, found));
      begin = from;
    }
    this.#searched = from - begin;
    if (begin < bytes.length) this.#hold([...this.#held, bytes.subarray(begin)]);
  }

  /** What is left when the input has ended: a last record without its terminator, or undefined. */
  end(): Buffer | undefined {
    return this.#heldBytes === 0 ? undefined : this.#complete(Buffer.alloc(0));
  }

  #hold(pieces: Buffer[]): void {
    this.#held = pieces;
    this.#heldBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#check(this.#heldBytes);
  }

  #complete(end: Buffer): Buffer {
    this.#check(this.#heldBytes + end.length);
    if (this.#heldBytes === 0) return end;
    const record = Buffer.concat([...this.#held, end]);
    this.#hold([]);
    return record;
  }

  #check(bytes: number): void {
    if (bytes <= this.#maxRecordBytes) return;
    throw new CommandFailure(`a record of the input is longer than ${this.#maxRecordBytes} bytes`, {
      hint: 'does the format end a record where the input does? see `tidemark produce --format help`',
    });
  }
}
