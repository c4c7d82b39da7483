// What a request may hold at all: what does not fit into a record of `__consumer_offsets` must not reach one.

import { encodeUtf8, failure, isTopicName, type Failure } from '@tidemark/core';
import type { GroupRequest, JoinRequest, OffsetToCommit } from './group-request.ts';
import type { GroupSettings } from './group-settings.ts';
import { MAX_STRING_BYTES } from './kafka-fields.ts';

const MAX_INT32 = 2 ** 31 - 1;

export function checkRequest(request: GroupRequest, settings: GroupSettings): Failure | undefined {
  const { groupId } = request;
  // An empty group id was once a way to commit without a group.
  if (groupId === '' || isTooLong(groupId)) {
    return failure('INVALID_GROUP_ID', `A group id has 1 to ${MAX_STRING_BYTES} bytes.`);
  }
  return request.type === 'join' ? checkJoin(request, settings) : undefined;
}

function checkJoin(request: JoinRequest, settings: GroupSettings): Failure | undefined {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request;
  const { minSessionTimeoutMs, maxSessionTimeoutMs } = settings;
  if (!(sessionTimeoutMs >= minSessionTimeoutMs && sessionTimeoutMs <= maxSessionTimeoutMs)) {
    const message = `A session timeout of ${sessionTimeoutMs} ms is outside ${minSessionTimeoutMs} to ${maxSessionTimeoutMs} ms.`;
    return failure('INVALID_SESSION_TIMEOUT', message);
  }
  if (!isInt32(rebalanceTimeoutMs, 0)) {
    return failure(
      'INVALID_REQUEST',
      `A rebalance timeout is 0 to ${MAX_INT32} ms, not ${rebalanceTimeoutMs}.`,
    );
  }
  const { newMemberId, instanceId, clientId, clientHost, protocolType, protocols } = request;
  const texts = [newMemberId, instanceId ?? '', clientId, clientHost, protocolType];
  if ([...texts, ...protocols.map(({ name }) => name)].some(isTooLong)) {
    return failure('INVALID_REQUEST', `Ids and names of a member have at most ${MAX_STRING_BYTES} bytes.`);
  }
  return undefined;
}

/** One offset of a commit; the others of the request may be good. */
export function checkOffset(asked: OffsetToCommit, settings: GroupSettings): Failure | undefined {
  const { topic, partition, offset, leaderEpoch, metadata } = asked;
  if (!isTopicName(topic)) return failure('INVALID_TOPIC_EXCEPTION');
  if (!isInt32(partition, 0) || !isInt32(leaderEpoch, -1) || !Number.isSafeInteger(offset) || offset < 0) {
    const message = `Partition ${partition}, offset ${offset} or leader epoch ${leaderEpoch} cannot be.`;
    return failure('INVALID_REQUEST', message);
  }
  const size = encodeUtf8(metadata).length;
  const limit = Math.min(settings.offsetMetadataMaxBytes, MAX_STRING_BYTES);
  if (size <= limit) return undefined;
  const message = `The metadata has ${size} bytes; offset.metadata.max.bytes allows ${limit}.`;
  return failure('OFFSET_METADATA_TOO_LARGE', message);
}

function isInt32(value: number, minimum: number): boolean {
  return Number.isInteger(value) && value >= minimum && value <= MAX_INT32;
}

function isTooLong(text: string): boolean {
  // Three bytes for a code unit at most: most texts need no encoding.
  return text.length * 3 > MAX_STRING_BYTES && encodeUtf8(text).length > MAX_STRING_BYTES;
}
