// Trace: a running hash of what a simulation did, event by event. Two runs of one seed must end with the same digest;
// where they do not, something outside the seed took part. Keeps the last events as text, for the failure's message.

const KEPT_EVENTS = 64;

export class Trace {
  #low = 0x811c9dc5;
  #high = 0x1b873593;
  #count = 0;
  readonly #last: string[] = [];

  note(...parts: readonly (string | number | boolean | undefined)[]): void {
    const event = parts.join(' ');
    for (let at = 0; at < event.length; at++) this.#mix(event.charCodeAt(at));
    this.#mix(0x0a);
    this.#last[this.#count++ % KEPT_EVENTS] = event;
  }

  /** Mixes bytes in without keeping them as text. */
  noteBytes(bytes: Uint8Array): void {
    for (const byte of bytes) this.#mix(byte);
  }

  #mix(unit: number): void {
    // Two FNV-1a lanes with different offsets and primes make 64 bits.
    this.#low = Math.imul(this.#low ^ unit, 0x01000193);
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

  /** The last events, oldest first; at most 64. */
  tail(): readonly string[] {
    const from = this.#count % KEPT_EVENTS;
    return this.#count <= KEPT_EVENTS
      ? [...this.#last]
      : [...this.#last.slice(from), ...this.#last.slice(0, from)];
  }
}
