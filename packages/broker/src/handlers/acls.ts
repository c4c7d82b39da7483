// SecurityService.CreateAcls, DeleteAcls and DescribeAcls.

import { isIP } from 'node:net';
import { failure, type Failure, isFailure } from '@tidemark/core';
import {
  aclOperations,
  aclPatternTypes,
  aclPermissions,
  aclResourceTypes,
  fitsAclFilter,
  type AclBinding,
  type AclFilter,
} from '@tidemark/controller';
import {
  failureDetail,
  MalformedRequest,
  type AclOutput,
  type CreateAclsRequestOutput,
  type CreateAclsResponse,
  type DeleteAclsRequestOutput,
  type DeleteAclsResponse,
  type DescribeAclsRequestOutput,
  type DescribeAclsResponse,
} from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import { openToAll } from '../security/authorizer.ts';
import { decided, inPlace } from './decided.ts';
import { whenCurrent } from './linearizable.ts';

const words = {
  resourceType: aclResourceTypes,
  patternType: aclPatternTypes,
  operation: aclOperations,
  permission: aclPermissions,
} as const;

/** An empty word stays away; one that is none is a failure. */
function filterOf(acl: AclOutput | null): AclFilter | Failure {
  const { resourceType = '', resourceName = '', patternType = '', principal = '', host = '' } = acl ?? {};
  const { operation = '', permission = '' } = acl ?? {};
  const given = { resourceType, patternType, operation, permission };
  for (const [field, allowed] of Object.entries(words)) {
    const word = given[field as keyof typeof words];
    if (word !== '' && !(allowed as readonly string[]).includes(word)) {
      return failure('INVALID_REQUEST', `${JSON.stringify(word)} is none of ${allowed.join(', ')}`);
    }
  }
  const filter = { ...given, resourceName, principal, host };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== ''));
}

function bindingOf(acl: AclOutput): AclBinding | Failure {
  const filter = filterOf(acl);
  if (isFailure(filter)) return filter;
  const fields = [
    'resourceType',
    'resourceName',
    'patternType',
    'principal',
    'host',
    'operation',
    'permission',
  ] as const;
  const missing = fields.find((field) => filter[field] === undefined);
  if (missing !== undefined) {
    return failure('INVALID_REQUEST', `an ACL needs every field; ${missing} is empty`);
  }
  const wrongHost = hostProblem(acl.host);
  return wrongHost === undefined ? (filter as AclBinding) : failure('INVALID_REQUEST', wrongHost);
}

/** An address that is written otherwise than callers' addresses are never fits one: an ACL that denies it would deny nobody. */
function hostProblem(host: string): string | undefined {
  const given = JSON.stringify(host);
  if (host === '*') return undefined;
  // Sockets say no zone, and an address in a URL has none.
  if (isIP(host) === 0 || host.includes('%')) return `${given} is no address: give one, or * for all`;
  const written = isIP(host) === 4 ? host : new URL(`http://[${host}]`).hostname.slice(1, -1);
  if (written.startsWith('::ffff:'))
    return `${given} is an IPv4 address within an IPv6 one: give the IPv4 address`;
  return written === host ? undefined : `${given} is written otherwise in calls: give ${written}`;
}

export async function createAcls(
  context: NodeContext,
  { acls }: CreateAclsRequestOutput,
): Promise<CreateAclsResponse> {
  const wanted = acls.map(bindingOf);
  const bindings = wanted.flatMap((each) => (isFailure(each) ? [] : [each]));
  if (bindings.length > 0 && context.authorizer === openToAll) {
    context.log.warn('ACLs are made, but no authorizer is configured: nobody is asked for them');
  }
  const response = await decided(context, { type: 'createAcls', bindings }, 0);
  return {
    results: inPlace(wanted, response).map((result) =>
      isFailure(result) ? { error: failureDetail(result) } : {},
    ),
  };
}

/** The controller looks through every ACL for each of them, and does nothing else meanwhile. */
const MAX_FILTERS = 100;

export async function deleteAcls(
  context: NodeContext,
  request: DeleteAclsRequestOutput,
): Promise<DeleteAclsResponse> {
  const { length } = request.filters;
  if (length > MAX_FILTERS) {
    throw new MalformedRequest(`the request has ${length} filters and may have ${MAX_FILTERS}: split it`);
  }
  const wanted = request.filters.map(filterOf);
  const filters = wanted.flatMap((each) => (isFailure(each) ? [] : [each]));
  const response = await decided(context, { type: 'deleteAcls', filters }, 0);
  return {
    results: inPlace(wanted, response).map((result) =>
      isFailure(result) ? { error: failureDetail(result) } : { deleted: [...result.deleted] },
    ),
  };
}

export async function describeAcls(
  context: NodeContext,
  request: DescribeAclsRequestOutput,
): Promise<DescribeAclsResponse> {
  const filter = filterOf(request.filter);
  if (isFailure(filter)) return { error: failureDetail(filter) };
  const error = await whenCurrent(context, { allowStale: false, timeoutMs: 0 });
  if (error !== undefined) return { error };
  const order = (acl: AclBinding): string =>
    [acl.resourceType, acl.resourceName, acl.principal, acl.operation].join(' ');
  const acls = [...context.metadata.image.access.acls.values()]
    .filter((acl) => fitsAclFilter(acl, filter))
    .sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return { acls };
}
