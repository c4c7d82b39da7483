// Who may do what, and how fast: SCRAM credentials, ACLs and client quotas as the metadata has them. A value knows its key; two of one
// key are one and the same, and the later one counts.

import type { ScramMechanism } from '@tidemark/core';
import { PersistentMap } from './persistent-map.ts';

/** What a server keeps of a password (RFC 5802): enough to check it, not enough to use it. */
export interface ScramCredential {
  /** Empty for the decoy: its salt is the secret behind the salts that users who do not exist are given. */
  readonly user: string;
  readonly mechanism: ScramMechanism;
  readonly salt: Uint8Array;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
  readonly iterations: number;
}

export const aclResourceTypes = ['topic', 'group', 'cluster', 'transactional-id'] as const;
export type AclResourceType = (typeof aclResourceTypes)[number];

/** The one resource of type `cluster`, by Kafka's name. */
export const CLUSTER_RESOURCE = 'kafka-cluster';

/** `literal`: this name, or every one where it is `*`. `prefixed`: every name that begins so. */
export const aclPatternTypes = ['literal', 'prefixed'] as const;
export type AclPatternType = (typeof aclPatternTypes)[number];

export const aclOperations = [
  'all',
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'cluster-action',
  'describe-configs',
  'alter-configs',
  'idempotent-write',
] as const;
export type AclOperation = (typeof aclOperations)[number];

export const aclPermissions = ['allow', 'deny'] as const;
export type AclPermission = (typeof aclPermissions)[number];

export interface AclBinding {
  readonly resourceType: AclResourceType;
  readonly resourceName: string;
  readonly patternType: AclPatternType;
  /** `User:name`, or `User:*` for everybody. */
  readonly principal: string;
  /** The address calls come from, or `*`. */
  readonly host: string;
  readonly operation: AclOperation;
  readonly permission: AclPermission;
}

export const quotaNames = [
  'producer_byte_rate',
  'consumer_byte_rate',
  'request_percentage',
  'controller_mutation_rate',
] as const;
export type QuotaName = (typeof quotaNames)[number];

/** Whom a quota is for. Absent: it does not matter; empty: whoever has no quota of his own (Kafka's `<default>`). */
export interface QuotaEntity {
  readonly user?: string | undefined;
  readonly clientId?: string | undefined;
}

/** The entity alone, without what stands beside it. */
export function quotaEntity({ user, clientId }: QuotaEntity): {
  readonly user?: string;
  readonly clientId?: string;
} {
  return { ...(user === undefined ? {} : { user }), ...(clientId === undefined ? {} : { clientId }) };
}

export interface ClientQuota extends QuotaEntity {
  /** At least one. */
  readonly values: ReadonlyMap<QuotaName, number>;
}

export interface AccessImage {
  readonly scram: PersistentMap<string, ScramCredential>;
  readonly acls: PersistentMap<string, AclBinding>;
  readonly quotas: PersistentMap<string, ClientQuota>;
}

export const NO_ACCESS: AccessImage = {
  scram: PersistentMap.empty(),
  acls: PersistentMap.empty(),
  quotas: PersistentMap.empty(),
};

// No part may hold the character between them; the handlers refuse names with control characters.
export const scramKey = ({ user, mechanism }: Pick<ScramCredential, 'user' | 'mechanism'>): string =>
  `${mechanism}\0${user}`;

export const aclKey = (acl: AclBinding): string =>
  [
    acl.resourceType,
    acl.resourceName,
    acl.patternType,
    acl.principal,
    acl.host,
    acl.operation,
    acl.permission,
  ].join('\0');

const part = (name: string | undefined): string => (name === undefined ? '-' : `=${name}`);
export const quotaKey = ({ user, clientId }: QuotaEntity): string => `${part(user)}\0${part(clientId)}`;

/** The decoy: see `ScramCredential.user`. */
export const DECOY_KEY = scramKey({ user: '', mechanism: 'SCRAM-SHA-256' });

/** The credential of a user; never the decoy. */
export function scramCredential(
  { scram }: AccessImage,
  user: string,
  mechanism: ScramMechanism,
): ScramCredential | undefined {
  return user === '' ? undefined : scram.get(scramKey({ user, mechanism }));
}
