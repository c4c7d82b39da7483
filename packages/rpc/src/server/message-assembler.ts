// Puts gRPC messages together from DATA frames, in the place of grpc-js's own decoder: that one keeps every piece as an object until
// the last has come, which for pieces of a byte is two hundred bytes a byte, and nobody counts them. Contract: a message begins small
// and grows with what has come of it, never with what was declared; `held` says every change of what it takes, in bytes.

/** Five bytes before every message: whether it is compressed, and its length. */
export const PREFIX_BYTES = 5;
/** What a declared length gets for its first byte. */
const FIRST_BYTES = 64 * 1024;
/** Up to here a message that goes on gets its whole length at once; beyond it doubles. A usual batch is copied once. */
const AT_ONCE_BYTES = 1024 * 1024 + FIRST_BYTES;

/** A message that comes in more pieces than this has a usual size of them, or is an attack on the time every frame takes. */
const MAX_SMALL_PIECES = 1_000;
const SMALL_PIECE_BYTES = 256;

export class MessageAssembler {
  readonly #maxBytes: number;
  readonly #held: (bytes: number) => void;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixBytes = 0;
  /** With its prefix; undefined between messages. */
  #message: Buffer | undefined;
  #filled = 0;
  #wanted = 0;
  #pieces = 0;

  /** `held`: so many bytes more. When a message is answered they stay held, until whoever took it says otherwise. */
  constructor(maxBytes: number, held: (bytes: number) => void) {
    this.#maxBytes = maxBytes;
    this.#held = held;
  }

  /** Every message that is whole with these bytes, its prefix included. Throws what grpc-js answers with RESOURCE_EXHAUSTED. */
  write(data: Buffer): Buffer[] {
    const whole: Buffer[] = [];
    let at = 0;
    this.#pieces += 1;
    while (at < data.length) {
      if (this.#message === undefined) {
        const taken = data.copy(this.#prefix, this.#prefixBytes, at, at + PREFIX_BYTES - this.#prefixBytes);
        this.#prefixBytes += taken;
        at += taken;
        if (this.#prefixBytes < PREFIX_BYTES) break;
        this.#begin(data.length - at);
      }
      const message = this.#roomFor(Math.min(data.length - at, this.#wanted - this.#filled));
      const taken = data.copy(message, this.#filled, at, at + this.#wanted - this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled < this.#wanted) break;
      whole.push(message);
      this.#message = undefined;
      this.#prefixBytes = 0;
    }
    return whole;
  }

  /** The message that is coming does so in pieces that cost more than what is in them. */
  get isCrumbled(): boolean {
    return this.#pieces > MAX_SMALL_PIECES && this.#filled < this.#pieces * SMALL_PIECE_BYTES;
  }

  /** The rest will not be wanted. */
  drop(): void {
    this.#message = undefined;
    this.#prefixBytes = 0;
  }

  #begin(available: number): void {
    const length = this.#prefix.readUInt32BE(1);
    if (length > this.#maxBytes) {
      throw new Error(`Received message larger than max (${length} vs ${this.#maxBytes})`);
    }
    this.#wanted = PREFIX_BYTES + length;
    const room = Math.min(this.#wanted, PREFIX_BYTES + Math.max(available, FIRST_BYTES));
    this.#message = Buffer.allocUnsafe(room);
    this.#prefix.copy(this.#message);
    this.#filled = PREFIX_BYTES;
    this.#pieces = 1;
    this.#held(room);
  }

  #roomFor(bytes: number): Buffer {
    const message = this.#message!;
    const needed = this.#filled + bytes;
    if (needed <= message.length) return message;
    const room =
      this.#wanted <= AT_ONCE_BYTES
        ? this.#wanted
        : Math.min(this.#wanted, Math.max(needed, message.length * 2));
    const larger = Buffer.allocUnsafe(room);
    message.copy(larger, 0, 0, this.#filled);
    this.#message = larger;
    this.#held(room - message.length);
    return larger;
  }
}
