// What is written: values and keys made before the measurement, so that writing a record allocates nothing; and when each
// record is due. Values are letters, so that codecs find what they find in text, not what they find in zeroes.

const VALUE_POOL = 64;
const MAX_KEY_POOL = 65_536;
const LETTERS = 'etaoin shrdlu cmfwyp vbgkjq xz ';

/** A fixed sequence: every run writes the same bytes. */
function* letters(seed: number): Generator<number, never, undefined> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield LETTERS.charCodeAt((state >>> 16) % LETTERS.length);
  }
}

export class Payload {
  readonly #values: readonly Buffer[];
  readonly #keys: readonly Buffer[];

  /** `keys` is how many different keys there are; 0 is no key at all. */
  constructor(sizeBytes: number, keys: number) {
    const source = letters(1);
    this.#values = Array.from({ length: VALUE_POOL }, () => {
      const value = Buffer.allocUnsafe(sizeBytes);
      for (let at = 0; at < sizeBytes; at++) value[at] = source.next().value;
      return value;
    });
    this.#keys = Array.from({ length: Math.min(keys, MAX_KEY_POOL) }, (_, at) => Buffer.from(`key-${at}`));
  }

  value(record: number): Buffer {
    return this.#values[record % VALUE_POOL]!;
  }

  key(record: number): Buffer | null {
    return this.#keys.length === 0 ? null : this.#keys[record % this.#keys.length]!;
  }
}

/** When records are due. Without a rate every record is due now. */
export class Schedule {
  readonly #startMs: number;
  readonly #perMs: number;

  constructor(startMs: number, ratePerSecond: number | undefined) {
    this.#startMs = startMs;
    this.#perMs = ratePerSecond === undefined ? Infinity : ratePerSecond / 1_000;
  }

  /** How many of the records 0, 1, 2, ... should have been sent by now. */
  due(nowMs: number): number {
    return this.#perMs === Infinity ? Infinity : Math.floor((nowMs - this.#startMs) * this.#perMs) + 1;
  }

  /** The moment a latency counts from: when the record should have been sent, however late it was (coordinated omission). */
  intendedMs(record: number, nowMs: number): number {
    return this.#perMs === Infinity ? nowMs : this.#startMs + record / this.#perMs;
  }
}
