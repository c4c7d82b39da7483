// SecurityService.AlterClientQuotas and DescribeClientQuotas.

import { failure, type Failure, isFailure } from '@tidemark/core';
import {
  quotaEntity,
  quotaNames,
  type QuotaAlteration,
  type QuotaEntity,
  type QuotaName,
} from '@tidemark/controller';
import {
  failureDetail,
  type AlterClientQuotasRequestOutput,
  type AlterClientQuotasResponse,
  type DescribeClientQuotasResponse,
} from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import { decided, inPlace } from './decided.ts';
import { whenCurrent } from './linearizable.ts';

const isQuotaName = (name: string): name is QuotaName => (quotaNames as readonly string[]).includes(name);

function alterationOf({
  entity,
  changes,
}: AlterClientQuotasRequestOutput['alterations'][number]): QuotaAlteration | Failure {
  const known: { name: QuotaName; value: number | null }[] = [];
  for (const { name, value } of changes) {
    if (!isQuotaName(name)) {
      return failure('INVALID_REQUEST', `${JSON.stringify(name)} is none of ${quotaNames.join(', ')}`);
    }
    if (value !== undefined && !Number.isFinite(value)) {
      return failure('INVALID_REQUEST', `${name} cannot be ${value}: give a number above 0`);
    }
    known.push({ name, value: value ?? null });
  }
  return { ...quotaEntity(entity ?? {}), changes: known };
}

export async function alterClientQuotas(
  context: NodeContext,
  request: AlterClientQuotasRequestOutput,
): Promise<AlterClientQuotasResponse> {
  const wanted = request.alterations.map(alterationOf);
  const alterations = wanted.flatMap((each) => (isFailure(each) ? [] : [each]));
  const command = { type: 'alterClientQuotas', alterations, validateOnly: request.validateOnly } as const;
  const response = await decided(context, command, 0);
  const results = inPlace(wanted, response);
  return {
    results: request.alterations.map(({ entity }, at) => {
      const result = results[at]!;
      return isFailure(result) ? { entity, error: failureDetail(result) } : { entity };
    }),
  };
}

export async function describeClientQuotas(context: NodeContext): Promise<DescribeClientQuotasResponse> {
  const error = await whenCurrent(context, { allowStale: false, timeoutMs: 0 });
  if (error !== undefined) return { error };
  const order = ({ user, clientId }: QuotaEntity): string => `${user ?? ''} ${clientId ?? ''}`;
  const quotas = [...context.metadata.image.access.quotas.values()].sort((a, b) =>
    order(a) < order(b) ? -1 : 1,
  );
  return {
    quotas: quotas.map((quota) => ({
      entity: quotaEntity(quota),
      values: [...quota.values]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => ({ name, value })),
    })),
  };
}
