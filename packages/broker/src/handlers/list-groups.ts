// GroupService.ListGroups: those this broker coordinates.

import { failure } from '@tidemark/core';
import type { GroupState } from '@tidemark/group';
import { failureDetail, type ListGroupsRequestOutput, type ListGroupsResponse } from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';

const STATES: readonly GroupState[] = [
  'Empty',
  'PreparingRebalance',
  'CompletingRebalance',
  'Stable',
  'Dead',
];

export function listGroups(
  { groups }: BrokerContext,
  { states }: ListGroupsRequestOutput,
): ListGroupsResponse {
  const unknown = states.find((state) => !(STATES as readonly string[]).includes(state));
  if (unknown !== undefined) {
    const message = `${JSON.stringify(unknown.slice(0, 64))} is no state of a group: use ${STATES.join(', ')}`;
    return { error: failureDetail(failure('INVALID_REQUEST', message)) };
  }
  const listed = groups.list();
  return {
    error: listed.failure === undefined ? null : failureDetail(listed.failure),
    groups: listed.groups.filter(({ state }) => states.length === 0 || states.includes(state)),
  };
}
