// A record as the application reads it. Key and value stay bytes, views into the batch that was pushed, until they are asked for.
import type { SpanContext } from '@opentelemetry/api';
import { TidemarkError } from '@tidemark/core';
import type { RecordCursor, RecordHeader } from '@tidemark/record';
import type { Deserializer } from './serializers.ts';
import { traceContextIn } from './trace-context.ts';

const NO_HEADERS: readonly RecordHeader[] = [];

export interface RecordDeserializers<K, V> {
  readonly key: Deserializer<K>;
  readonly value: Deserializer<V>;
}

export class ConsumerRecord<K, V> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the Unix epoch; -1: none. */
  readonly timestampMs: number;
  readonly leaderEpoch: number;
  /** In the order written; names may repeat. */
  readonly headers: readonly RecordHeader[];
  /** Null: no key. */
  readonly keyBytes: Uint8Array | null;
  /** Null: a tombstone. */
  readonly valueBytes: Uint8Array | null;
  readonly #deserializers: RecordDeserializers<K, V>;

  /** From the record the cursor is at. */
  constructor(
    topic: string,
    partition: number,
    cursor: RecordCursor,
    deserializers: RecordDeserializers<K, V>,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.offset = cursor.offset;
    this.timestampMs = cursor.timestampMs;
    this.leaderEpoch = cursor.leaderEpoch;
    this.headers = cursor.headerCount === 0 ? NO_HEADERS : cursor.headers();
    this.keyBytes = cursor.key();
    this.valueBytes = cursor.value();
    this.#deserializers = deserializers;
  }

  /** Deserialized on each call. INVALID_RECORD when the deserializer throws. */
  get key(): K | null {
    return this.keyBytes === null ? null : this.#decode('key', this.#deserializers.key, this.keyBytes);
  }

  /** Deserialized on each call. INVALID_RECORD when the deserializer throws. */
  get value(): V | null {
    return this.valueBytes === null
      ? null
      : this.#decode('value', this.#deserializers.value, this.valueBytes);
  }

  /** The value of the first header of this name; undefined when there is none. */
  header(name: string): Uint8Array | null | undefined {
    return this.headers.find(({ key }) => key === name)?.value;
  }

  /** The OpenTelemetry span it was sent in, as its headers say, to link to or to go on from; undefined when they do not. */
  get traceContext(): SpanContext | undefined {
    return this.headers.length === 0 ? undefined : traceContextIn(this.headers);
  }

  #decode<T>(what: string, deserializer: Deserializer<T>, bytes: Uint8Array): T {
    try {
      return deserializer(bytes, this.topic);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const at = `${this.topic}-${this.partition}@${this.offset}`;
      throw new TidemarkError('INVALID_RECORD', `the ${what} of ${at} cannot be deserialized: ${reason}`, {
        cause,
      });
    }
  }
}
