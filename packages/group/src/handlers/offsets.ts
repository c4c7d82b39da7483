// CommitOffsets, OffsetDelete, DeleteGroups and what retention removes. All of them answer records; the offsets themselves are in the
// shard's timeline.

import { failure, type Failure } from '@tidemark/core';
import { CONSUMER_PROTOCOL_TYPE, type ClassicGroup } from '../classic-group.ts';
import { NO_MEMBER_ID, type GroupId } from '../group-ids.ts';
import type { GroupContext } from '../group-output.ts';
import type { CommittedOffset, GroupRecord, OffsetRecord } from '../group-record.ts';
import type {
  CommitOffsetsRequest,
  DeleteOffsetsRequest,
  Outcome,
  TopicPartition,
} from '../group-request.ts';
import type { GroupSettings, GroupTime } from '../group-settings.ts';
import { offsetKey, parseOffsetKey } from '../offset-key.ts';
import { checkOffset } from '../request-check.ts';
import { checkGeneration } from './heartbeat.ts';

const DONE: Outcome = { ok: true };

/** `group` is undefined where there is none: then only a commit from outside any group is taken, which makes one. */
export function commitOffsets(
  group: ClassicGroup | undefined,
  request: CommitOffsetsRequest,
  context: GroupContext,
): void {
  const { requestId, groupId, memberId } = request;
  const refused = checkCommit(group, request);
  if (refused !== undefined) {
    context.replies.push({ type: 'commitOffsets', requestId, response: refused });
    return;
  }
  const { time, settings } = context;
  const member = group?.members.get(memberId);
  if (member?.isNew === false) member.deadlineMs = time.nowMs + member.sessionTimeoutMs;
  const partitions = request.offsets.map((asked) => {
    const { topic, partition, offset, leaderEpoch, metadata } = asked;
    const wrong = checkOffset(asked, settings);
    if (wrong !== undefined) return { topic, partition, outcome: wrong };
    const value = { offset, leaderEpoch, metadata, commitTimestampMs: time.timestampMs };
    context.records.push({ type: 'offset', groupId, topic, partition, value });
    return { topic, partition, outcome: DONE };
  });
  context.replies.push({ type: 'commitOffsets', requestId, response: { ok: true, partitions } });
}

/** As Kafka's `ClassicGroup.validateOffsetCommit`. */
function checkCommit(group: ClassicGroup | undefined, request: CommitOffsetsRequest): Failure | undefined {
  const { memberId, instanceId, generation, groupId } = request;
  const isOutside = generation < 0 && memberId === NO_MEMBER_ID && instanceId === undefined;
  if (group === undefined) {
    if (generation < 0) return undefined;
    return failure(
      'ILLEGAL_GENERATION',
      `Group ${groupId} has no generation ${generation}: it does not exist.`,
    );
  }
  if (generation < 0 && group.state === 'Empty') return undefined;
  if (isOutside) {
    const message = `Group ${groupId} has members; only they can commit its offsets.`;
    return failure('UNKNOWN_MEMBER_ID', message);
  }
  const refused = group.checkMember(memberId, instanceId) ?? checkGeneration(group, generation);
  if (refused !== undefined) return refused;
  // What was consumed belongs to the assignment that has just ended, under the generation before.
  return group.state === 'CompletingRebalance' ? failure('REBALANCE_IN_PROGRESS') : undefined;
}

type Offsets = ReadonlyMap<string, CommittedOffset>;

export function deleteOffsets(
  group: ClassicGroup,
  request: DeleteOffsetsRequest,
  offsets: Offsets,
  context: GroupContext,
): void {
  const { requestId, groupId } = request;
  const isConsumers = group.protocolType === CONSUMER_PROTOCOL_TYPE;
  if (group.state !== 'Empty' && !isConsumers) {
    context.replies.push({ type: 'deleteOffsets', requestId, response: failure('NON_EMPTY_GROUP') });
    return;
  }
  const isSubscribed = subscription(group);
  const partitions = request.partitions.map(({ topic, partition }) => {
    if (isSubscribed(topic)) return { topic, partition, outcome: failure('GROUP_SUBSCRIBED_TO_TOPIC') };
    if (offsets.has(offsetKey({ topic, partition }))) {
      context.records.push({ type: 'offset', groupId, topic, partition, value: undefined });
    }
    return { topic, partition, outcome: DONE };
  });
  context.replies.push({ type: 'deleteOffsets', requestId, response: { ok: true, partitions } });
}

/** Which topics the group reads; all of them when it cannot be told. */
function subscription(group: ClassicGroup): (topic: string) => boolean {
  if (group.members.size === 0) return () => false;
  const topics = group.subscribedTopics();
  return (topic) => topics?.has(topic) ?? true;
}

/** The tombstones of a group with all it has. */
export function groupTombstones(groupId: GroupId, offsets: Offsets): readonly GroupRecord[] {
  return [...offsetTombstones(groupId, offsets), { type: 'group', groupId, value: undefined }];
}

export function offsetTombstones(
  groupId: GroupId,
  offsets: Offsets,
  isMeant: (place: TopicPartition, value: CommittedOffset) => boolean = () => true,
): readonly OffsetRecord[] {
  const records: OffsetRecord[] = [];
  for (const [key, value] of offsets) {
    const { topic, partition } = parseOffsetKey(key);
    if (isMeant({ topic, partition }, value)) {
      records.push({ type: 'offset', groupId, topic, partition, value: undefined });
    }
  }
  return records;
}

/**
 * What has outlived `offsets.retention.minutes` (KIP-211): of an empty group counted from when it became empty or from the commit,
 * whichever is later; of a topic nobody in the group reads any more, and of a group that never had members, from the commit. Nothing of a topic that
 * is subscribed, and nothing while the group rebalances. An empty group that has nothing left goes too. No more than `maxRecords` at once.
 */
export function expiredRecords(
  group: ClassicGroup,
  offsets: Offsets,
  time: GroupTime,
  settings: GroupSettings,
  maxRecords: number,
): readonly GroupRecord[] {
  const { groupId, state, protocolType } = group;
  const isSimple = protocolType === '';
  const isEmpty = state === 'Empty' && group.pendingMembers.size === 0;
  const isReadable = protocolType === CONSUMER_PROTOCOL_TYPE && state === 'Stable';
  if (!isEmpty && !isReadable) return [];
  const isSubscribed = subscription(group);
  const expired = offsetTombstones(groupId, offsets, ({ topic }, { commitTimestampMs }) => {
    const emptySinceMs = isEmpty && !isSimple ? group.stateTimestampMs : -1;
    // A commit from outside after the group became empty counts anew.
    const sinceMs = Math.max(emptySinceMs, commitTimestampMs);
    return !isSubscribed(topic) && time.timestampMs - sinceMs >= settings.offsetsRetentionMs;
  });
  if (expired.length >= maxRecords) return expired.slice(0, maxRecords);
  const isGone = isEmpty && expired.length === offsets.size;
  return isGone ? [...expired, { type: 'group', groupId, value: undefined }] : expired;
}
