// Field codecs that only commands and their answers need. What a client asked for is carried as it was asked, also when it makes
// no sense (a negative count, a topic name that is none): refusing it is the controller's business, and done in one place.

import {
  errorTable,
  FieldReader,
  FieldWriter,
  flag,
  integer,
  MalformedRecord,
  struct,
  text,
  type BrokerEpoch,
  type BrokerId,
  type ErrorName,
  type Failure,
  type FieldCodec,
} from '@tidemark/core';
import type { ControllerCommand } from './command.ts';
import type { Endpoint, LeaderId } from './metadata-record.ts';

export type CommandType = ControllerCommand['type'];

/** A type's code never changes and is never given to another type. */
export const commandCodes: { readonly [T in CommandType]: number } = {
  registerCluster: 1,
  registerBroker: 2,
  fenceBroker: 3,
  unfenceBroker: 4,
  heartbeat: 5,
  settlePartitions: 6,
  alterPartition: 7,
  electLeaders: 8,
  balanceLeaders: 9,
  reassignPartitions: 10,
  createTopics: 11,
  deleteTopics: 12,
  createPartitions: 13,
  alterConfigs: 14,
  allocateProducerIds: 15,
  unregisterBroker: 16,
  alterScramCredentials: 17,
  createAcls: 18,
  deleteAcls: 19,
  alterClientQuotas: 20,
  reportOfflineReplicas: 21,
};

const FRAME_VERSION = 1;

const MAX_INT32 = 2 ** 31 - 1;
const MAX_INT64 = Number.MAX_SAFE_INTEGER - 1;
/** Of `signed`, up and down; more than any int32. */
const MAX_SIGNED = 2 ** 51;

export const int32 = <T extends number>(): FieldCodec<T> => integer<T>(MAX_INT32);
export const int64 = <T extends number>(): FieldCodec<T> => integer<T>(MAX_INT64);
export const int64OrMinusOne = <T extends number>(): FieldCodec<T> => integer<T>(MAX_INT64, -1);
export const leaderId = integer<LeaderId>(MAX_INT32, -1);
export const endpoint = struct<Endpoint>({ name: text, host: text, port: integer(65535) });
export const brokerEpochFields = { brokerId: int32<BrokerId>(), brokerEpoch: int64<BrokerEpoch>() };

/** Any whole number a client may send, in zigzag form. */
export const signed: FieldCodec<number> = {
  write: (writer, value) => {
    if (!Number.isInteger(value) || Math.abs(value) > MAX_SIGNED) {
      throw new RangeError(`${value} is not a whole number up to 2^51`);
    }
    writer.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  },
  read: (reader) => {
    const bits = reader.unsigned(2 * MAX_SIGNED);
    return bits % 2 === 0 ? bits / 2 : -(bits + 1) / 2;
  },
};

/** One of a few words, as its place in the list: new ones go to the end. */
export function wordOf<T extends string>(...words: readonly T[]): FieldCodec<T> {
  return {
    write: (writer, value) => writer.byte(words.indexOf(value)),
    read: (reader) => {
      const place = reader.byte();
      const word = words[place];
      if (word === undefined)
        throw new MalformedRecord(`holds ${place} where there are ${words.length} words`);
      return word;
    },
  };
}

/** In the order of the map. */
export const textMap: FieldCodec<ReadonlyMap<string, string>> = {
  write: (writer, map) => {
    writer.unsigned(map.size);
    for (const [name, value] of map) {
      text.write(writer, name);
      text.write(writer, value);
    }
  },
  read: (reader) => {
    const count = reader.unsigned();
    if (count > reader.left / 2) throw new MalformedRecord(`declares ${count} pairs in ${reader.left} bytes`);
    const map = new Map<string, string>();
    for (let at = 0; at < count; at++) {
      const name = text.read(reader);
      if (map.has(name)) throw new MalformedRecord('names one thing twice');
      map.set(name, text.read(reader));
    }
    return map;
  },
};

/** No fields at all. */
export const nothing: FieldCodec<object> = { write: () => undefined, read: () => ({}) };

/** By name. A name this version does not know, from a newer one, becomes UNKNOWN_SERVER_ERROR; its message stays. */
export const failureFields: FieldCodec<Failure> = {
  write: (writer, { error, message }) => {
    text.write(writer, error);
    text.write(writer, message);
  },
  read: (reader) => {
    const name = text.read(reader);
    const error = Object.hasOwn(errorTable, name) ? (name as ErrorName) : 'UNKNOWN_SERVER_ERROR';
    return { ok: false, error, message: text.read(reader) };
  },
};

/** An outcome of one of several: done, or why not; either with the fields that say which. */
export function resultOf<Done extends { readonly ok: true }, Refused extends Failure>(
  done: FieldCodec<Omit<Done, 'ok'>>,
  refused: FieldCodec<Omit<Refused, keyof Failure>>,
): FieldCodec<Done | Refused> {
  return {
    write: (writer, value) => {
      flag.write(writer, value.ok);
      if (value.ok) {
        done.write(writer, value);
        return;
      }
      failureFields.write(writer, value);
      refused.write(writer, value);
    },
    read: (reader) =>
      flag.read(reader)
        ? ({ ok: true, ...done.read(reader) } as unknown as Done)
        : ({ ...failureFields.read(reader), ...refused.read(reader) } as unknown as Refused),
  };
}

/** A frame of `code` with the newest version of the fields. */
export function encodeFrame<T>(code: number, versions: readonly FieldCodec<T>[], value: T): Uint8Array {
  const writer = new FieldWriter();
  writer.unsigned(FRAME_VERSION);
  writer.unsigned(code);
  writer.unsigned(versions.length - 1);
  versions.at(-1)!.write(writer, value);
  return writer.finish();
}

/** What a newer version sent. */
export class UnsupportedFrame extends Error {
  override readonly name = 'UnsupportedFrame';
}

/** `versionsOf` answers the codecs of a type, or undefined when it does not know it. Throws on all that is not whole. */
export function decodeFrame<T>(
  bytes: Uint8Array,
  versionsOf: (code: number) => readonly Pick<FieldCodec<T>, 'read'>[] | undefined,
): { readonly code: number; readonly value: T } {
  const reader = new FieldReader(bytes);
  const frame = reader.unsigned();
  if (frame === 0) throw new MalformedRecord('has frame version 0');
  if (frame > FRAME_VERSION) throw new UnsupportedFrame(`frame version ${frame}`);
  const code = reader.unsigned();
  const version = reader.unsigned();
  const versions = versionsOf(code);
  if (versions === undefined) throw new UnsupportedFrame(`type ${code}`);
  const codec = versions[version];
  if (codec === undefined) throw new UnsupportedFrame(`version ${version} of type ${code}`);
  const value = codec.read(reader);
  if (reader.left > 0) throw new MalformedRecord(`has ${reader.left} bytes too many`);
  return { code, value };
}
