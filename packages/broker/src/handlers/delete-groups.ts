// GroupService.DeleteGroups: groups without members, with their offsets.

import {
  failureDetail,
  type DeleteGroupResult,
  type DeleteGroupsRequestOutput,
  type DeleteGroupsResponse,
} from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import type { UnaryCallInfo } from '../grpc-call.ts';
import { asked, checkGroups, errorOf, groupIdOf } from './group-requests.ts';

export async function deleteGroups(
  context: BrokerContext,
  { groupIds }: DeleteGroupsRequestOutput,
  call: UnaryCallInfo,
): Promise<DeleteGroupsResponse> {
  const refused = checkGroups(groupIds);
  if (refused !== undefined) {
    return { results: groupIds.map((groupId) => ({ groupId, error: failureDetail(refused) })) };
  }
  const results = groupIds.map(async (groupId): Promise<DeleteGroupResult> => {
    const outcome = await asked<'deleteGroup'>(context, call, {
      type: 'deleteGroup',
      groupId: groupIdOf(groupId),
    });
    return { groupId, error: errorOf(outcome) };
  });
  return { results: await Promise.all(results) };
}
