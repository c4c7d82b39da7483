// The fields of the commands about access and of their answers; see command-codec.ts and response-codec.ts for the rules.

import { flag, listOf, optional, struct, text, type Failure, type FieldCodec } from '@tidemark/core';
import {
  aclOperations,
  aclPatternTypes,
  aclPermissions,
  aclResourceTypes,
  type QuotaName,
} from './access.ts';
import type {
  AccessCommand,
  AccessResponses,
  AclFilter,
  AlterQuotaResult,
  CreateAclResult,
  QuotaAlteration,
  ScramName,
  ScramResult,
} from './access-commands.ts';
import {
  aclFields,
  entityFields,
  quotaChangeFields,
  scramFields,
  scramNameFields,
} from './access-records.ts';
import { nothing, resultOf, wordOf } from './command-fields.ts';

type Fields<T extends AccessCommand['type']> = Omit<Extract<AccessCommand, { readonly type: T }>, 'type'>;

export const accessCommandFields: {
  readonly [T in AccessCommand['type']]: readonly FieldCodec<Fields<T>>[];
} = {
  alterScramCredentials: [
    struct<Fields<'alterScramCredentials'>>({
      upsertions: listOf(scramFields),
      deletions: listOf(scramNameFields),
    }),
  ],
  createAcls: [struct<Fields<'createAcls'>>({ bindings: listOf(aclFields) })],
  deleteAcls: [
    struct<Fields<'deleteAcls'>>({
      filters: listOf(
        struct<AclFilter>({
          resourceType: optional(wordOf(...aclResourceTypes)),
          resourceName: optional(text),
          patternType: optional(wordOf(...aclPatternTypes)),
          principal: optional(text),
          host: optional(text),
          operation: optional(wordOf(...aclOperations)),
          permission: optional(wordOf(...aclPermissions)),
        }),
      ),
    }),
  ],
  alterClientQuotas: [
    struct<Fields<'alterClientQuotas'>>({
      alterations: listOf(
        struct<QuotaAlteration>({
          ...entityFields,
          changes: listOf(
            struct<{ readonly name: QuotaName; readonly value: number | null }>(quotaChangeFields),
          ),
        }),
      ),
      validateOnly: flag,
    }),
  ],
};

const plainResult = resultOf<{ readonly ok: true }, Failure>(nothing, nothing);

export const accessResponseFields: {
  readonly [T in keyof AccessResponses]: readonly FieldCodec<AccessResponses[T]>[];
} = {
  alterScramCredentials: [
    struct({
      results: listOf(
        resultOf<{ readonly ok: true } & ScramName, Failure & ScramName>(
          scramNameFields,
          scramNameFields,
        ) as FieldCodec<ScramResult>,
      ),
    }),
  ],
  createAcls: [struct({ results: listOf(plainResult as FieldCodec<CreateAclResult>) })],
  deleteAcls: [
    struct({
      results: listOf(
        struct<AccessResponses['deleteAcls']['results'][number]>({ deleted: listOf(aclFields) }),
      ),
    }),
  ],
  alterClientQuotas: [struct({ results: listOf(plainResult as FieldCodec<AlterQuotaResult>) })],
};
