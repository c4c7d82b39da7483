// Trace: a running hash of what a simulation did, event by event. Two runs of one seed must end with the same digest;
// where they do not, something outside the seed took part. Keeps the last events, and makes them text only for who asks: a
// simulation notes millions, and a failure shows a few.

const DEFAULT_KEPT_EVENTS = 64;
/** Texts whose hash is remembered; paths and names are few, and noted over and over. */
const MAX_REMEMBERED = 10_000;

type Part = string | number | boolean | undefined;

export class Trace {
  readonly #kept: number;
  readonly #last: (readonly Part[])[] = [];
  readonly #hashes = new Map<string, number>();
  readonly #float = new Float64Array(1);
  readonly #words = new Int32Array(this.#float.buffer);
  #low = 0x811c9dc5;
  #high = 0x1b873593;
  #count = 0;

  /** `keptEvents`: how many of the last events `tail` can show. */
  constructor(keptEvents = DEFAULT_KEPT_EVENTS) {
    this.#kept = keptEvents;
  }

  note(...parts: readonly Part[]): void {
    for (const part of parts) {
      if (typeof part === 'number') this.#mixNumber(part);
      else if (typeof part === 'string') this.#mix(this.#hashOf(part));
      else this.#mix(part === undefined ? 0x75 : part ? 0x74 : 0x66);
    }
    this.#mix(0x0a);
    this.#last[this.#count++ % this.#kept] = parts;
  }

  /** Mixes bytes in without keeping them as text. */
  noteBytes(bytes: Uint8Array): void {
    let hash = bytes.length;
    const whole = bytes.length & ~3;
    for (let at = 0; at < whole; at += 4) {
      const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      hash = Math.imul(hash ^ word, 0x01000193);
      hash ^= hash >>> 15;
    }
    for (let at = whole; at < bytes.length; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    this.#mix(hash);
  }

  #mixNumber(number: number): void {
    if ((number | 0) === number) {
      this.#mix(number);
      return;
    }
    this.#float[0] = number;
    this.#mix(this.#words[0]!);
    this.#mix(this.#words[1]!);
  }

  #hashOf(text: string): number {
    let hash = this.#hashes.get(text);
    if (hash !== undefined) return hash;
    hash = 0x811c9dc5 ^ text.length;
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    if (this.#hashes.size >= MAX_REMEMBERED) this.#hashes.clear();
    this.#hashes.set(text, hash);
    return hash;
  }

  #mix(unit: number): void {
    // Two FNV-1a lanes with different offsets and primes make 64 bits.
    this.#low = Math.imul(this.#low ^ unit, 0x01000193);
    this.#low ^= this.#low >>> 15;
    this.#high = Math.imul(this.#high ^ unit, 0x85ebca6b) ^ (this.#high >>> 13);
  }

  /** 16 hexadecimal digits. */
  get digest(): string {
    const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  get count(): number {
    return this.#count;
  }

  /** The last events, oldest first; at most as many as are kept. */
  tail(): readonly string[] {
    const from = this.#count % this.#kept;
    const events =
      this.#count <= this.#kept ? this.#last : [...this.#last.slice(from), ...this.#last.slice(0, from)];
    return events.map((parts) => parts.join(' '));
  }
}
