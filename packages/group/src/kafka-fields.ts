// The fields of Kafka's old (not "flexible") message formats: big-endian integers, strings after an int16 length, bytes and arrays
// after an int32 one, -1 for null. Reading past the end, or a count that cannot be, throws `MalformedRecord`.

import {
  decodeUtf8Strict,
  encodeUtf8,
  FieldReader,
  FieldWriter,
  MalformedRecord,
  readInt16,
  readInt32,
  readInt64,
  writeInt16,
  writeInt32,
  writeInt64,
} from '@tidemark/core';

/** What an int16 length can say. */
export const MAX_STRING_BYTES = 2 ** 15 - 1;

export class KafkaWriter {
  readonly #fields = new FieldWriter();

  int16(value: number): void {
    const bytes = new Uint8Array(2);
    writeInt16(bytes, 0, value);
    this.#fields.bytes(bytes);
  }

  int32(value: number): void {
    const bytes = new Uint8Array(4);
    writeInt32(bytes, 0, value);
    this.#fields.bytes(bytes);
  }

  int64(value: number): void {
    const bytes = new Uint8Array(8);
    writeInt64(bytes, 0, value);
    this.#fields.bytes(bytes);
  }

  string(value: string): void {
    const bytes = encodeUtf8(value);
    if (bytes.length > MAX_STRING_BYTES) {
      throw new RangeError(`a string of ${bytes.length} bytes; the format takes ${MAX_STRING_BYTES}`);
    }
    this.int16(bytes.length);
    this.#fields.bytes(bytes);
  }

  nullableString(value: string | undefined): void {
    if (value === undefined) this.int16(-1);
    else this.string(value);
  }

  bytes(value: Uint8Array): void {
    this.int32(value.length);
    this.#fields.bytes(value);
  }

  nullableBytes(value: Uint8Array | undefined): void {
    if (value === undefined) this.int32(-1);
    else this.bytes(value);
  }

  array<T>(values: readonly T[], write: (value: T) => void): void {
    this.int32(values.length);
    for (const value of values) write(value);
  }

  finish(): Uint8Array {
    return this.#fields.handOver();
  }
}

export class KafkaReader {
  readonly #fields: FieldReader;

  constructor(bytes: Uint8Array) {
    this.#fields = new FieldReader(bytes);
  }

  get left(): number {
    return this.#fields.left;
  }

  int16(): number {
    return readInt16(this.#fields.bytes(2), 0);
  }

  int32(): number {
    return readInt32(this.#fields.bytes(4), 0);
  }

  int64(): number {
    const value = readInt64(this.#fields.bytes(8), 0);
    if (!Number.isSafeInteger(value)) throw new MalformedRecord(`holds the number ${value}, beyond 2^53`);
    return value;
  }

  string(): string {
    const value = this.nullableString();
    if (value === undefined) throw new MalformedRecord('holds null where there must be a string');
    return value;
  }

  nullableString(): string | undefined {
    const length = this.int16();
    if (length === -1) return undefined;
    const value = decodeUtf8Strict(this.#fields.bytes(this.#length(length)));
    if (value === undefined) throw new MalformedRecord('holds a string that is not UTF-8');
    return value;
  }

  /** A copy: what it was read from can be let go. */
  bytes(): Uint8Array {
    const value = this.nullableBytes();
    if (value === undefined) throw new MalformedRecord('holds null where there must be bytes');
    return value;
  }

  nullableBytes(): Uint8Array | undefined {
    const length = this.int32();
    return length === -1 ? undefined : this.#fields.bytes(this.#length(length)).slice();
  }

  /** Every member takes at least two bytes. */
  array<T>(read: () => T): T[] {
    const count = this.#length(this.int32());
    if (count * 2 > this.left) throw new MalformedRecord(`declares ${count} members in ${this.left} bytes`);
    return Array.from({ length: count }, read);
  }

  #length(length: number): number {
    if (length < 0) throw new MalformedRecord(`declares the length ${length}`);
    return length;
  }
}
