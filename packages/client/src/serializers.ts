// From what the application has to the bytes of a key or value, and back. `undefined` and `null` are both a null key or a
// tombstone, which no serializer sees.
import { Buffer } from 'node:buffer';

/** `topic` is there for serializers that look a schema up. */
export type Serializer<T> = (value: T, topic: string) => Uint8Array;
/** The bytes are a view into a received batch: copy what outlives the record. */
export type Deserializer<T> = (bytes: Uint8Array, topic: string) => T;

export type Bytes = Uint8Array | string;

/** What producers do unless told otherwise: text as UTF-8, bytes as they are. */
export const bytesSerializer: Serializer<Bytes> = (value) =>
  typeof value === 'string' ? Buffer.from(value, 'utf8') : value;

export const stringSerializer: Serializer<string> = (value) => Buffer.from(value, 'utf8');

export const jsonSerializer: Serializer<unknown> = (value) => Buffer.from(JSON.stringify(value), 'utf8');

/** What consumers do unless told otherwise. */
export const bytesDeserializer: Deserializer<Uint8Array> = (bytes) => bytes;

export const stringDeserializer: Deserializer<string> = (bytes) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');

/** Throws SyntaxError, like JSON.parse. */
export const jsonDeserializer: Deserializer<unknown> = (bytes): unknown =>
  JSON.parse(stringDeserializer(bytes, ''));
