// AdminService.AlterConfigs: sets and removes overrides, incrementally; what is not named stays.

import { failure, type Failure, isFailure } from '@tidemark/core';
import type { ConfigResource } from '@tidemark/controller';
import {
  failureDetail,
  type AlterConfigsRequestOutput,
  type AlterConfigsResponse,
  type ConfigResourceOutput,
} from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import { decided } from './decided.ts';

function checked(resource: ConfigResourceOutput | null): ConfigResource | Failure {
  switch (resource?.type) {
    case 'CONFIG_RESOURCE_TYPE_TOPIC':
      return { type: 'topic', name: resource.name };
    case 'CONFIG_RESOURCE_TYPE_BROKER':
      return { type: 'broker', name: resource.name };
    case 'CONFIG_RESOURCE_TYPE_UNSPECIFIED':
    case undefined:
    default:
      return failure('INVALID_REQUEST', 'a config resource is of type TOPIC or BROKER');
  }
}

export async function alterConfigs(
  context: NodeContext,
  request: AlterConfigsRequestOutput,
): Promise<AlterConfigsResponse> {
  const wanted = request.resources.map(({ resource, changes }) => {
    const known = checked(resource);
    return isFailure(known)
      ? known
      : { resource: known, changes: changes.map(({ name, value }) => ({ name, value })) };
  });
  const resources = wanted.flatMap((each) => (isFailure(each) ? [] : [each]));
  const command = { type: 'alterConfigs', resources, validateOnly: request.validateOnly } as const;
  const response = await decided(context, command, 0);
  let next = 0;
  return {
    results: request.resources.map(({ resource }, at) => {
      const refused = wanted[at];
      if (isFailure(refused)) return { resource, error: failureDetail(refused) };
      if (isFailure(response)) return { resource, error: failureDetail(response) };
      const result = response.resources[next++]!;
      return result.ok ? { resource } : { resource, error: failureDetail(result) };
    }),
  };
}
