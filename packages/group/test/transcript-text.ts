// How replies and records read in a transcript. Metadata and assignments are texts there.

import { decodeSubscription } from '@tidemark/group';
import type { GroupDescription, GroupRecord, GroupReply, Outcome, RebalanceCause } from '@tidemark/group';
import { EPOCH_MS } from './coordinator.ts';

const text = (bytes: Uint8Array): string => (bytes.length === 0 ? '-' : new TextDecoder().decode(bytes));

/** A subscription begins with its version, 0 to 3. */
function metadataText(bytes: Uint8Array): string {
  const decoded = bytes[0] === 0 ? decodeSubscription(bytes) : undefined;
  return decoded?.ok === true ? `[${decoded.subscription.topics.join(',')}]` : text(bytes);
}

const outcomeText = (outcome: Outcome): string => (outcome.ok ? 'ok' : outcome.error);

export function replyText({ type, response }: GroupReply): string {
  if (!response.ok) {
    const again = response.error === 'MEMBER_ID_REQUIRED' && 'memberId' in response;
    return `${type} ${response.error}${again ? ` ${response.memberId}` : ''}`;
  }
  switch (type) {
    case 'join': {
      const { memberId, generation, protocol, leader, members, skipAssignment } = response;
      const list = members.map((member) => `${member.memberId}=${metadataText(member.metadata)}`).join(' ');
      const skip = skipAssignment ? ', skips the assignment' : '';
      return `join ok: ${memberId} in generation ${generation}, ${protocol}, leader ${leader}${list === '' ? '' : `, members ${list}`}${skip}`;
    }
    case 'sync':
      return `sync ok: ${text(response.assignment)}`;
    case 'leave': {
      const members = response.members.map((member) => {
        return `${member.instanceId ?? member.memberId} ${outcomeText(member.outcome)}`;
      });
      return `leave ok: ${members.join(', ')}`;
    }
    case 'commitOffsets':
    case 'deleteOffsets': {
      const partitions = response.partitions.map(({ topic, partition, outcome }) => {
        return `${topic}-${partition} ${outcomeText(outcome)}`;
      });
      return `${type} ok: ${partitions.join(', ')}`;
    }
    case 'heartbeat':
    case 'deleteGroup':
      return `${type} ok`;
  }
}

export function recordText(record: GroupRecord): string {
  const { groupId, value } = record;
  if (record.type === 'offset') {
    const { topic, partition } = record;
    const what = record.value === undefined ? 'removed' : `at ${record.value.offset}`;
    return `${groupId} ${topic}-${partition} ${what}`;
  }
  if (value === undefined || !('members' in value)) return `${groupId} removed`;
  const members = value.members.map(({ memberId, assignment }) => `${memberId}=${text(assignment)}`);
  return `${groupId} generation ${value.generation}: ${members.length === 0 ? 'empty' : members.join(' ')}`;
}

export function descriptionText(group: GroupDescription): readonly string[] {
  const { groupId, state, generation, protocol, leader, members, rebalances, stateTimestampMs } = group;
  const since = stateTimestampMs < 0 ? '' : ` since ${stateTimestampMs - EPOCH_MS} ms`;
  const chosen = protocol === undefined ? '' : `, ${protocol}, leader ${leader ?? 'nobody'}`;
  return [
    `${groupId}: ${state}${since}, generation ${generation}${chosen}`,
    ...members.map(({ memberId, instanceId, assignment, isAwaited }) => {
      const instance = instanceId === undefined ? '' : ` (${instanceId})`;
      return `   ${memberId}${instance}: ${text(assignment)}${isAwaited ? ', awaited' : ''}`;
    }),
    ...rebalances.map(({ timestampMs, generation: ended, cause }) => {
      return `   rebalance at ${timestampMs - EPOCH_MS} ms of generation ${ended}: ${causeText(cause)}`;
    }),
  ];
}

function causeText(cause: RebalanceCause): string {
  if (cause.type === 'syncTimedOut') return `${cause.type} ${cause.members.join(' ')}`;
  if (cause.type === 'assignmentNotStored') return cause.type;
  const reason =
    'clientReason' in cause && cause.clientReason !== undefined ? ` (${cause.clientReason})` : '';
  return `${cause.type} ${cause.memberId}${reason}`;
}
