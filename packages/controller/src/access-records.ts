// The records of access and their replay.

import { type FieldReader, scramMechanisms } from '@tidemark/core';
import {
  byteString,
  integer,
  MalformedRecord,
  nullable,
  optional,
  struct,
  text,
  unreachable,
  type FieldCodec,
} from '@tidemark/core';
import {
  aclKey,
  aclOperations,
  aclPatternTypes,
  aclPermissions,
  aclResourceTypes,
  quotaEntity,
  quotaKey,
  quotaNames,
  scramKey,
  type AccessImage,
  type AclBinding,
  type QuotaEntity,
  type QuotaName,
  type ScramCredential,
} from './access.ts';
import { wordOf } from './command-fields.ts';

export interface ScramCredentialRecord extends ScramCredential {
  readonly type: 'scramCredential';
}

export interface RemoveScramCredentialRecord extends Pick<ScramCredential, 'user' | 'mechanism'> {
  readonly type: 'removeScramCredential';
}

export interface AclRecord extends AclBinding {
  readonly type: 'acl';
}

export interface RemoveAclRecord extends AclBinding {
  readonly type: 'removeAcl';
}

/** `value` null removes it. */
export interface ClientQuotaRecord extends QuotaEntity {
  readonly type: 'clientQuota';
  readonly name: QuotaName;
  readonly value: number | null;
}

export type AccessRecord =
  ScramCredentialRecord | RemoveScramCredentialRecord | AclRecord | RemoveAclRecord | ClientQuotaRecord;

const ownBytes: FieldCodec<Uint8Array> = {
  write: byteString.write,
  read: (reader) => byteString.read(reader).slice(),
};

/** Eight bytes, big-endian, of a finite number. */
export const double: FieldCodec<number> = {
  write: (writer, value) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value);
    writer.bytes(bytes);
  },
  read: (reader: FieldReader) => {
    const bytes = reader.bytes(8);
    const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
    if (!Number.isFinite(value)) throw new MalformedRecord('holds a number that is none');
    return value;
  },
};

export const mechanism = wordOf(...scramMechanisms);
export const quotaName = wordOf(...quotaNames);

export const scramFields = struct<ScramCredential>({
  user: text,
  mechanism,
  salt: ownBytes,
  storedKey: ownBytes,
  serverKey: ownBytes,
  iterations: integer(2 ** 31 - 1),
});
export const scramNameFields = struct<Pick<ScramCredential, 'user' | 'mechanism'>>({ user: text, mechanism });
export const aclFields = struct<AclBinding>({
  resourceType: wordOf(...aclResourceTypes),
  resourceName: text,
  patternType: wordOf(...aclPatternTypes),
  principal: text,
  host: text,
  operation: wordOf(...aclOperations),
  permission: wordOf(...aclPermissions),
});
export const entityFields = { user: optional(text), clientId: optional(text) };
export const quotaChangeFields = { name: quotaName, value: nullable(double) };
export const quotaRecordFields = struct<Omit<ClientQuotaRecord, 'type'>>({
  ...entityFields,
  ...quotaChangeFields,
});

export function applyAccess(access: AccessImage, record: AccessRecord): AccessImage {
  switch (record.type) {
    case 'scramCredential': {
      const { user, mechanism, salt, storedKey, serverKey, iterations } = record;
      const credential = { user, mechanism, salt, storedKey, serverKey, iterations };
      return { ...access, scram: access.scram.set(scramKey(record), credential) };
    }
    case 'removeScramCredential':
      return { ...access, scram: access.scram.delete(scramKey(record)) };
    case 'acl': {
      const { resourceType, resourceName, patternType, principal, host, operation, permission } = record;
      const resource = { resourceType, resourceName, patternType };
      const binding: AclBinding = { ...resource, principal, host, operation, permission };
      return { ...access, acls: access.acls.set(aclKey(record), binding) };
    }
    case 'removeAcl':
      return { ...access, acls: access.acls.delete(aclKey(record)) };
    case 'clientQuota':
      return { ...access, quotas: withQuota(access.quotas, record) };
    default:
      return unreachable(record);
  }
}

function withQuota(quotas: AccessImage['quotas'], record: ClientQuotaRecord): AccessImage['quotas'] {
  const { name, value } = record;
  const key = quotaKey(record);
  const values = new Map(quotas.get(key)?.values);
  if (value === null) values.delete(name);
  else values.set(name, value);
  if (values.size === 0) return quotas.delete(key);
  return quotas.set(key, { ...quotaEntity(record), values });
}
