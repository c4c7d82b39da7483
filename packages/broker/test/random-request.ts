// Requests by chance, out of the descriptors of what an RPC takes: mostly well formed, with values at the edges of what is allowed and
// names of what there is, so that they come further than a decoder; and what mutation makes of their bytes. The same seed says the same.

import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader';
import { descriptorSet } from '@tidemark/rpc';

/** Of a field descriptor what is read here. */
interface Field {
  readonly name: string;
  readonly number: number;
  readonly label: string | number;
  readonly type: string | number;
  readonly typeName: string;
}

interface Message {
  readonly field: readonly Field[];
  readonly nestedType: readonly (Message & { readonly name: string })[];
}

export interface Names {
  /** What fields of a name hold for the most part. */
  readonly fields: Readonly<Record<string, readonly (string | number)[]>>;
  readonly bytes: readonly Buffer[];
}

const messages = new Map<string, Message>();

function remember(name: string, message: Message): void {
  messages.set(name, message);
  for (const nested of message.nestedType) remember(`${name}.${nested.name}`, nested);
}

for (const [name, definition] of Object.entries(loadFileDescriptorSetFromBuffer(descriptorSet))) {
  const { type } = definition as { type?: object };
  if (type !== undefined && 'field' in type) remember(name, type as Message);
}

function fieldsOf(type: string): readonly Field[] {
  const message = messages.get(type);
  if (message === undefined) throw new RangeError(`there is no message ${type}`);
  return message.field;
}

/** A message's name as its field says it: of a message within it, or of its package. */
function inScope(name: string, scope: string): string {
  const within = `${scope}.${name}`;
  return messages.has(within) ? within : `${scope.slice(0, scope.lastIndexOf('.'))}.${name}`;
}

/** mulberry32: 0 up to 1. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const INTS = [0, 0, 0, 1, 1, 2, 3, 5, 100, -1, -2, -3, 2 ** 31 - 1, -(2 ** 31), 65_536].map(BigInt);
const LONGS = [...INTS, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 53n)];
const DOUBLES = [0, -1, 1, 0.001, 1e9, 1e308, Infinity, -Infinity, NaN];
const TEXTS = [
  '',
  '.',
  '..',
  '-1',
  '1',
  '\u0000',
  'a\nb',
  '\u{1f600}'.repeat(40),
  'x'.repeat(250),
  '__proto__',
  '*',
];

export class RandomRequest {
  readonly #chance: () => number;
  readonly #names: Names;

  constructor(seed: number, names: Names) {
    this.#chance = random(seed);
    this.#names = names;
  }

  /** `type`: a full name such as `tidemark.v1.FetchRequest`. */
  of(type: string): Buffer {
    const bytes = this.#message(type, 0);
    return this.#chance() < 0.25 ? this.#mutated(bytes) : bytes;
  }

  /** Bytes without any sense. */
  noise(): Buffer {
    return Buffer.from(Array.from({ length: this.#below(200) }, () => this.#below(256)));
  }

  #below(limit: number): number {
    return Math.floor(this.#chance() * limit);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)]!;
  }

  #message(type: string, depth: number): Buffer {
    const parts: Buffer[] = [];
    for (const field of fieldsOf(type)) {
      for (let left = this.#count(field, depth); left > 0; left--)
        parts.push(this.#field(field, type, depth));
    }
    return Buffer.concat(parts);
  }

  #count({ label }: Field, depth: number): number {
    const isRepeated = label === 'LABEL_REPEATED' || label === 3;
    if (!isRepeated) return this.#chance() < 0.75 ? 1 : 0;
    if (depth > 0) return this.#below(4);
    return this.#pick([0, 1, 1, 1, 2, 3, 20]);
  }

  #field({ name, number, type, typeName }: Field, scope: string, depth: number): Buffer {
    const kind = String(type).replace('TYPE_', '');
    switch (kind) {
      case 'STRING':
        return lengthAndBytes(number, Buffer.from(this.#text(name)));
      case 'BYTES':
        return lengthAndBytes(number, this.#chance() < 0.7 ? this.#pick(this.#names.bytes) : this.noise());
      case 'MESSAGE':
        return lengthAndBytes(number, this.#message(inScope(typeName, scope), depth + 1));
      case 'DOUBLE': {
        const bytes = Buffer.alloc(8);
        bytes.writeDoubleLE(this.#pick(DOUBLES));
        return Buffer.concat([varint(BigInt(number * 8 + 1)), bytes]);
      }
      case 'BOOL':
        return varintField(number, BigInt(this.#below(2)));
      case 'ENUM':
        return varintField(number, BigInt(this.#below(5)));
      case 'INT32':
        return varintField(number, this.#usual(name) ?? this.#pick(INTS));
      case 'INT64':
        return varintField(number, this.#usual(name) ?? this.#pick(LONGS));
      default:
        throw new RangeError(`a field of type ${kind}`);
    }
  }

  #usual(field: string): bigint | undefined {
    const values = this.#names.fields[field];
    return values === undefined || this.#chance() < 0.2 ? undefined : BigInt(this.#pick(values));
  }

  #text(field: string): string {
    const values = this.#chance() < 0.85 ? this.#names.fields[field] : undefined;
    return String(this.#pick(values ?? TEXTS));
  }

  #mutated(bytes: Buffer): Buffer {
    let mutated = Buffer.from(bytes);
    for (let left = 1 + this.#below(4); left > 0; left--) {
      const at = this.#below(mutated.length);
      switch (this.#below(4)) {
        case 0:
          if (mutated.length > 0) mutated[at] = mutated[at]! ^ (1 << this.#below(8));
          break;
        case 1:
          mutated = mutated.subarray(0, at);
          break;
        case 2:
          mutated = Buffer.concat([mutated.subarray(0, at), this.noise(), mutated.subarray(at)]);
          break;
        default:
          // One part once more, in another place.
          mutated = Buffer.concat([mutated, mutated.subarray(at, at + this.#below(64))]);
      }
    }
    return mutated;
  }
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

const varintField = (number: number, value: bigint): Buffer =>
  Buffer.concat([varint(BigInt(number * 8)), varint(value)]);

const lengthAndBytes = (number: number, bytes: Buffer): Buffer =>
  Buffer.concat([varint(BigInt(number * 8 + 2)), varint(BigInt(bytes.length)), bytes]);
