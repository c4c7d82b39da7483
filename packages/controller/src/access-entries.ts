// Access as entries of an ordered key-value store: one for each credential, ACL and entity with quotas. The rest of a key is the
// value's own key as text; a value is whole by itself.

import {
  encodeUtf8,
  listOf,
  MalformedRecord,
  struct,
  type FieldCodec,
  type KeyValueEntry,
  type KeyValueWrite,
} from '@tidemark/core';
import {
  aclKey,
  quotaKey,
  scramKey,
  type AccessImage,
  type AclBinding,
  type ClientQuota,
  type QuotaEntity,
  type QuotaName,
  type ScramCredential,
} from './access.ts';
import { aclFields, double, entityFields, quotaName, scramFields } from './access-records.ts';
import type { PersistentMap } from './persistent-map.ts';

export interface AccessEntryValues {
  readonly scram: ScramCredential;
  readonly acl: AclBinding;
  readonly clientQuota: ClientQuota;
}
export type AccessKind = keyof AccessEntryValues;

interface QuotaFields extends QuotaEntity {
  readonly values: readonly { readonly name: QuotaName; readonly value: number }[];
}
const quotaFields = struct<QuotaFields>({
  ...entityFields,
  values: listOf(
    struct<{ readonly name: QuotaName; readonly value: number }>({ name: quotaName, value: double }),
  ),
});

/** In the order of the names, so that equal quotas have equal entries whatever their histories. */
const quota: FieldCodec<ClientQuota> = {
  write: (writer, { values, ...entity }) => {
    const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
    quotaFields.write(writer, { ...entity, values: sorted.map(([name, value]) => ({ name, value })) });
  },
  read: (reader) => {
    const { values, ...entity } = quotaFields.read(reader);
    if (values.length === 0) throw new MalformedRecord('holds a quota without a value');
    return { ...entity, values: new Map(values.map(({ name, value }) => [name, value])) };
  },
};

/** The fields of each kind by version; the last one is written. */
export const accessValues: { readonly [K in AccessKind]: readonly FieldCodec<AccessEntryValues[K]>[] } = {
  scram: [scramFields],
  acl: [aclFields],
  clientQuota: [quota],
};

const keyOf: { readonly [K in AccessKind]: (value: AccessEntryValues[K]) => string } = {
  scram: scramKey,
  acl: aclKey,
  clientQuota: quotaKey,
};

/** The value of an entry under its own key, or a refusal when it stands under another's. */
export function keyedAccess<K extends AccessKind>(
  kind: K,
  name: string,
  value: AccessEntryValues[K],
): readonly [string, AccessEntryValues[K]] {
  if (keyOf[kind](value) !== name) throw new MalformedRecord(`has an entry ${kind} under another key`);
  return [name, value];
}

/** How an entry of a kind is made of its key and its value; the entry codec's business. */
export interface AccessEntryCodec {
  readonly key: (kind: AccessKind, nameBytes: Uint8Array) => Uint8Array;
  readonly value: <K extends AccessKind>(kind: K, value: AccessEntryValues[K]) => Uint8Array;
}

const mapOf = <K extends AccessKind>(
  access: AccessImage,
  kind: K,
): PersistentMap<string, AccessEntryValues[K]> =>
  ({ scram: access.scram, acl: access.acls, clientQuota: access.quotas })[kind] as unknown as PersistentMap<
    string,
    AccessEntryValues[K]
  >;

const kinds: readonly AccessKind[] = ['scram', 'acl', 'clientQuota'];

/** By kind; within one in no particular order. */
export function* accessEntries(
  access: AccessImage,
  codec: AccessEntryCodec,
): IterableIterator<readonly KeyValueEntry[]> {
  for (const kind of kinds)
    yield [...mapOf(access, kind).values()].map((value) => entryOf(kind, value, codec));
}

export function accessWrites(
  now: AccessImage,
  before: AccessImage,
  codec: AccessEntryCodec,
): KeyValueWrite[] {
  if (now === before) return [];
  return kinds.flatMap((kind) =>
    [...mapOf(now, kind).changedSince(mapOf(before, kind))].map((change): KeyValueWrite => {
      if (change.after !== undefined) return entryOf(kind, change.after, codec);
      return { key: codec.key(kind, encodeUtf8(keyOf[kind](change.before as never))), value: undefined };
    }),
  );
}

function entryOf<K extends AccessKind>(
  kind: K,
  value: AccessEntryValues[K],
  codec: AccessEntryCodec,
): KeyValueEntry {
  return { key: codec.key(kind, encodeUtf8(keyOf[kind](value))), value: codec.value(kind, value) };
}
