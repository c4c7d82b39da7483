// The commands that change access, and their answers. Everything a command names is answered for itself, in the order it was asked.

import type { Failure } from '@tidemark/core';
import type { AclBinding, QuotaEntity, QuotaName, ScramCredential } from './access.ts';

export type ScramName = Pick<ScramCredential, 'user' | 'mechanism'>;

/** KIP-554. DUPLICATE_RESOURCE, RESOURCE_NOT_FOUND, UNACCEPTABLE_CREDENTIAL, POLICY_VIOLATION. */
export interface AlterScramCredentialsCommand {
  readonly type: 'alterScramCredentials';
  readonly upsertions: readonly ScramCredential[];
  readonly deletions: readonly ScramName[];
}

export type ScramResult = ({ readonly ok: true } & ScramName) | (Failure & ScramName);

/** Upsertions first, then deletions. */
export interface AlteredScramCredentials {
  readonly results: readonly ScramResult[];
}

/** An ACL that is there already is created again without harm. */
export interface CreateAclsCommand {
  readonly type: 'createAcls';
  readonly bindings: readonly AclBinding[];
}

export type CreateAclResult = { readonly ok: true } | Failure;

export interface CreatedAcls {
  readonly results: readonly CreateAclResult[];
}

/** What is undefined fits anything. */
export interface AclFilter {
  readonly resourceType?: AclBinding['resourceType'] | undefined;
  readonly resourceName?: string | undefined;
  readonly patternType?: AclBinding['patternType'] | undefined;
  readonly principal?: string | undefined;
  readonly host?: string | undefined;
  readonly operation?: AclBinding['operation'] | undefined;
  readonly permission?: AclBinding['permission'] | undefined;
}

export interface DeleteAclsCommand {
  readonly type: 'deleteAcls';
  readonly filters: readonly AclFilter[];
}

/** By filter; one that two filters fit is told by the first. */
export interface DeletedAcls {
  readonly results: readonly { readonly deleted: readonly AclBinding[] }[];
}

export interface QuotaAlteration extends QuotaEntity {
  /** `value` null removes it. */
  readonly changes: readonly { readonly name: QuotaName; readonly value: number | null }[];
}

/** KIP-546. INVALID_REQUEST, POLICY_VIOLATION. */
export interface AlterClientQuotasCommand {
  readonly type: 'alterClientQuotas';
  readonly alterations: readonly QuotaAlteration[];
  readonly validateOnly: boolean;
}

export type AlterQuotaResult = { readonly ok: true } | Failure;

export interface AlteredClientQuotas {
  readonly results: readonly AlterQuotaResult[];
}

export type AccessCommand =
  AlterScramCredentialsCommand | CreateAclsCommand | DeleteAclsCommand | AlterClientQuotasCommand;

export interface AccessResponses {
  readonly alterScramCredentials: AlteredScramCredentials;
  readonly createAcls: CreatedAcls;
  readonly deleteAcls: DeletedAcls;
  readonly alterClientQuotas: AlteredClientQuotas;
}

/** Whether an ACL is one of those meant. */
export function fitsAclFilter(binding: AclBinding, filter: AclFilter): boolean {
  return (Object.keys(filter) as (keyof AclFilter)[]).every(
    (key) => filter[key] === undefined || filter[key] === binding[key],
  );
}
