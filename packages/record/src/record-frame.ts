// One record inside a batch: where its fields are. The cursor and the validator share it, so that what the broker lets in
// is exactly what a consumer can read. Contract: never reads outside [at, end), never throws, allocates nothing; a record
// whose lengths do not add up is refused with a reason. Keys, values and header keys are not looked into.
//
//   length varint | attributes int8 | timestampDelta varlong | offsetDelta varint | keyLength varint, key
//   | valueLength varint, value | headerCount varint | { keyLength varint, key, valueLength varint, value } ...

/** A record with nothing in it: seven varints and attributes of one byte each. */
export const MIN_RECORD_BYTES = 7;
const MIN_HEADER_BYTES = 2;
/** A position behind every end: once a varint is cut short, all later reads of the record come out here too. */
const OVERRUN = 0x7fffffff;
const TWO_28 = 2 ** 28;

export class RecordFrame {
  /** May be outside the safe integers; the caller checks the sum with the base timestamp. */
  timestampDelta = 0;
  offsetDelta = 0;
  keyAt = 0;
  /** -1: null. */
  keyLength = -1;
  valueAt = 0;
  /** -1: null. */
  valueLength = -1;
  /** Position of the first header's key length. */
  headersAt = 0;
  headerCount = 0;
  /** What was wrong, after `read` answered -1. */
  fault = '';
  #next = 0;

  /** Reads the record at `at`. Answers the position behind it, or -1. */
  read(bytes: Uint8Array, at: number, end: number): number {
    const length = this.varint(bytes, at, end);
    let next = this.#next;
    if (next > end) return this.#refuse('its length is cut off');
    if (length < MIN_RECORD_BYTES - 1 || length > end - next) {
      return this.#refuse(`its length says ${length} bytes, and ${end - next} are left in the batch`);
    }
    const recordEnd = next + length;
    this.timestampDelta = this.#varlong(bytes, next + 1, recordEnd);
    this.offsetDelta = this.varint(bytes, this.#next, recordEnd);
    this.keyLength = this.varint(bytes, this.#next, recordEnd);
    this.keyAt = next = this.#next;
    if (this.keyLength > 0) next += this.keyLength;
    this.valueLength = this.varint(bytes, next, recordEnd);
    this.valueAt = next = this.#next;
    if (this.valueLength > 0) next += this.valueLength;
    this.headerCount = this.varint(bytes, next, recordEnd);
    this.headersAt = next = this.#next;
    if (next > recordEnd || this.keyLength < -1 || this.valueLength < -1) {
      return this.#refuse(
        `its key (${this.keyLength} bytes) and value (${this.valueLength}) do not fit into its ${length} bytes`,
      );
    }
    if (this.headerCount !== 0) next = this.#skipHeaders(bytes, next, recordEnd);
    if (next === recordEnd) return recordEnd;
    return this.#refuse(`its ${this.headerCount} headers do not end where its ${length} bytes do`);
  }

  /** Reads a varint (int32) at `at`; `position` is behind it, or behind `end` when it is cut off or too long. */
  varint(bytes: Uint8Array, at: number, end: number): number {
    if (at < end) {
      const first = bytes[at]!;
      if (first < 0x80) {
        this.#next = at + 1;
        return (first >>> 1) ^ -(first & 1);
      }
      if (at + 1 < end) {
        const second = bytes[at + 1]!;
        if (second < 0x80) {
          this.#next = at + 2;
          const zigzag = (first & 0x7f) | (second << 7);
          return (zigzag >>> 1) ^ -(zigzag & 1);
        }
      }
    }
    return this.#longVarint(bytes, at, end);
  }

  /** Behind the varint that was read last. */
  get position(): number {
    return this.#next;
  }

  #longVarint(bytes: Uint8Array, at: number, end: number): number {
    let zigzag = 0;
    let next = at;
    for (let shift = 0; shift <= 28; shift += 7) {
      if (next >= end) break;
      const byte = bytes[next++]!;
      zigzag |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#next = next;
        return (zigzag >>> 1) ^ -(zigzag & 1);
      }
    }
    this.#next = OVERRUN;
    return 0;
  }

  #varlong(bytes: Uint8Array, at: number, end: number): number {
    let low = 0;
    let next = at;
    for (let shift = 0; shift < 28; shift += 7) {
      if (next >= end) return this.#cutOff();
      const byte = bytes[next++]!;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#next = next;
        return (low >>> 1) ^ -(low & 1);
      }
    }
    // 29 to 49 bits are exact in floating point, with the sign in the lowest bit.
    let high = 0;
    for (let shift = 0; shift < 21; shift += 7) {
      if (next >= end) return this.#cutOff();
      const byte = bytes[next++]!;
      high |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#next = next;
        const zigzag = low + high * TWO_28;
        return (low & 1) === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
      }
    }
    let zigzag = BigInt(low) + (BigInt(high) << 28n);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      if (next >= end) return this.#cutOff();
      const byte = bytes[next++]!;
      zigzag |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#next = next;
        zigzag = BigInt.asUintN(64, zigzag);
        return Number((zigzag >> 1n) ^ -(zigzag & 1n));
      }
    }
    return this.#cutOff();
  }

  #cutOff(): number {
    this.#next = OVERRUN;
    return 0;
  }

  /** The position behind the headers, or anything that is not `end`. */
  #skipHeaders(bytes: Uint8Array, at: number, end: number): number {
    // Before the loop, so that a count of two billion costs nothing.
    if (this.headerCount < 0 || this.headerCount * MIN_HEADER_BYTES > end - at) return OVERRUN;
    let next = at;
    for (let left = this.headerCount; left > 0; left--) {
      const keyLength = this.varint(bytes, next, end);
      if (keyLength < 0) return OVERRUN;
      const valueLength = this.varint(bytes, this.#next + keyLength, end);
      next = this.#next;
      if (valueLength < -1 || next > end) return OVERRUN;
      if (valueLength > 0) next += valueLength;
    }
    return next;
  }

  #refuse(fault: string): number {
    this.fault = fault;
    return -1;
  }
}
