// What a receipt remembers of a record's content: the CRC-32 (zlib's) of key, value and headers, each behind its length, so that
// bytes cannot move from one to the other unseen. Neither timestamp nor offset counts: a broker may set both. A CRC finds mistakes,
// not forgery; two different records share one in a chance of 2^-32.
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import type { HeaderView } from '../format/output-format.ts';

const NULL_LENGTH = 0xffffffff;

export class RecordChecksum {
  readonly #length = Buffer.alloc(4);

  /** Over: int32 key length, key, int32 value length, value, int32 header count, and of each header its name and value likewise. */
  of(key: Uint8Array | null, value: Uint8Array | null, headers: readonly HeaderView[]): number {
    let sum = this.#bytes(0, key);
    sum = this.#bytes(sum, value);
    sum = this.#count(sum, headers.length);
    for (const header of headers) {
      sum = this.#bytes(sum, Buffer.from(header.key, 'utf8'));
      sum = this.#bytes(sum, header.value);
    }
    return sum;
  }

  #bytes(sum: number, bytes: Uint8Array | null): number {
    // Java's and Kafka's null: length -1.
    const counted = this.#count(sum, bytes === null ? NULL_LENGTH : bytes.length);
    return bytes === null || bytes.length === 0 ? counted : crc32(bytes, counted);
  }

  #count(sum: number, count: number): number {
    this.#length.writeUInt32BE(count);
    return crc32(this.#length, sum);
  }
}
