// Building blocks of the binary forms that are not Kafka's (metadata records, what nodes say to each other): a growing
// buffer, a cursor that never reads past its end, and codecs for single fields that combine into structs. Integers are
// unsigned varints (LEB128) up to 2^53 - 1.
//
// A declared count is checked against the bytes that are left before anything is allocated for it.

import { isTopicId, topicIdFromBytes, topicIdToBytes } from './ids.ts';
import { decodeUtf8Strict, encodeUtf8 } from './utf8.ts';

/** Thrown by the readers; whoever decodes a whole turns it into a `Failure`. */
export class MalformedRecord extends Error {
  override readonly name = 'MalformedRecord';
}

/** In UTF-16 units; the length of what is no longer is one byte. */
const MAX_SHORT_TEXT = 0x7f;

export class FieldWriter {
  #bytes: Uint8Array;
  #size = 0;

  /** `capacityBytes`: what it can take without growing, for who knows. */
  constructor(capacityBytes = 128) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#size++] = value;
  }

  unsigned(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#size);
    this.#size += value.length;
  }

  /** Its length in UTF-8, then that. */
  text(value: string): void {
    if (value.length <= MAX_SHORT_TEXT && this.#shortAscii(value)) return;
    const bytes = encodeUtf8(value);
    this.unsigned(bytes.length);
    this.bytes(bytes);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  /** What was written, without a copy; nothing can be written any more. */
  handOver(): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#size);
    this.#bytes = new Uint8Array(0);
    this.#size = 0;
    return bytes;
  }

  /** Most texts are names, where asking for an encoder costs more than the bytes. Answers false, and writes nothing, for any other. */
  #shortAscii(value: string): boolean {
    const { length } = value;
    this.#reserve(1 + length);
    const bytes = this.#bytes;
    const from = this.#size + 1;
    for (let at = 0; at < length; at++) {
      const unit = value.charCodeAt(at);
      if (unit > 0x7f) return false;
      bytes[from + at] = unit;
    }
    bytes[from - 1] = length;
    this.#size = from + length;
    return true;
  }

  #reserve(count: number): void {
    if (this.#size + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#size + count));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}

export class FieldReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    if (this.left < 1) throw new MalformedRecord('ends in the middle of a field');
    return this.#bytes[this.#at++]!;
  }

  unsigned(maximum = Number.MAX_SAFE_INTEGER): number {
    let byte = this.byte();
    if (byte < 0x80 && byte <= maximum) return byte;
    let value = 0;
    let scale = 1;
    for (; ; byte = this.byte()) {
      value += (byte & 0x7f) * scale;
      if (value > maximum) throw new MalformedRecord(`holds a number above ${maximum}`);
      if (byte < 0x80) return value;
      scale *= 0x80;
      if (scale > Number.MAX_SAFE_INTEGER) throw new MalformedRecord('holds a number of too many bytes');
    }
  }

  /** How many members follow, none of which may be empty. */
  count(): number {
    const count = this.unsigned();
    if (count > this.left) throw new MalformedRecord(`declares ${count} members in ${this.left} bytes`);
    return count;
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    if (length > this.left) throw new MalformedRecord(`declares ${length} bytes and has ${this.left}`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

export interface FieldCodec<T> {
  readonly write: (writer: FieldWriter, value: T) => void;
  readonly read: (reader: FieldReader) => T;
}

/** An integer from `minimum` (0 or -1) to `maximum`. The type parameter is the brand it comes back with. */
export function integer<T extends number>(maximum: number, minimum: 0 | -1 = 0): FieldCodec<T> {
  return {
    write: (writer, value) => writer.unsigned(value - minimum),
    read: (reader) => (reader.unsigned(maximum - minimum) + minimum) as T,
  };
}

export const flag: FieldCodec<boolean> = {
  write: (writer, value) => writer.byte(value ? 1 : 0),
  read: (reader) => {
    const byte = reader.byte();
    if (byte > 1) throw new MalformedRecord(`holds ${byte} where there must be 0 or 1`);
    return byte === 1;
  },
};

export const text: FieldCodec<string> = {
  write: (writer, value) => writer.text(value),
  read: (reader) => {
    const value = decodeUtf8Strict(reader.bytes(reader.unsigned()));
    if (value === undefined) throw new MalformedRecord('holds a text that is not UTF-8');
    return value;
  },
};

/** A text for which `accepts` holds; `what` names it. */
export function textThat<T extends string>(
  accepts: (value: string) => value is T,
  what: string,
): FieldCodec<T> {
  return {
    write: text.write,
    read: (reader) => {
      const value = text.read(reader);
      if (!accepts(value)) throw new MalformedRecord(`holds a text that is not ${what}`);
      return value;
    },
  };
}

/** 16 bytes, in text form outside. */
export function uuid<T extends string>(): FieldCodec<T> {
  return {
    write: (writer, value) => {
      if (!isTopicId(value)) throw new RangeError(`${JSON.stringify(value)} is not a UUID`);
      writer.bytes(topicIdToBytes(value));
    },
    read: (reader) => topicIdFromBytes(reader.bytes(16)) as string as T,
  };
}

/** `null` as 0, anything else after a 1. */
export function nullable<T>(codec: FieldCodec<T>): FieldCodec<T | null> {
  return {
    write: (writer, value) => {
      flag.write(writer, value !== null);
      if (value !== null) codec.write(writer, value);
    },
    read: (reader) => (flag.read(reader) ? codec.read(reader) : null),
  };
}

/** As `nullable`, for undefined. */
export function optional<T>(codec: FieldCodec<T>): FieldCodec<T | undefined> {
  return {
    write: (writer, value) => {
      flag.write(writer, value !== undefined);
      if (value !== undefined) codec.write(writer, value);
    },
    read: (reader) => (flag.read(reader) ? codec.read(reader) : undefined),
  };
}

/** A count, then the members, none of which may be empty. */
export function listOf<T>(codec: FieldCodec<T>): FieldCodec<readonly T[]> {
  return {
    write: (writer, value) => {
      writer.unsigned(value.length);
      for (const member of value) codec.write(writer, member);
    },
    read: (reader) => {
      const members: T[] = [];
      for (let left = reader.count(); left > 0; left--) members.push(codec.read(reader));
      return members;
    },
  };
}

/** The fields in the order they are given. Keys that come back undefined are left out. */
export function struct<T extends object>(fields: {
  readonly [K in keyof Required<T>]: FieldCodec<T[K]>;
}): FieldCodec<T> {
  const entries = Object.entries(fields) as [keyof T, FieldCodec<unknown>][];
  return {
    write: (writer, value) => {
      for (const [key, codec] of entries) codec.write(writer, value[key]);
    },
    read: (reader) => {
      const value: Partial<Record<keyof T, unknown>> = {};
      for (const [key, codec] of entries) {
        const field = codec.read(reader);
        if (field !== undefined) value[key] = field;
      }
      return value as T;
    },
  };
}

/** A length, then that many bytes. Reading answers a view, not a copy. */
export const byteString: FieldCodec<Uint8Array> = {
  write: (writer, value) => {
    writer.unsigned(value.length);
    writer.bytes(value);
  },
  read: (reader) => reader.bytes(reader.unsigned()),
};
