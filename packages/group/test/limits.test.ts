import type { PartitionIndex } from '@tidemark/core';
import {
  GroupShard,
  type Generation,
  type GroupId,
  type GroupReply,
  type InstanceId,
  type JoinRequest,
  type MemberId,
  type OffsetToCommit,
  type RequestId,
} from '@tidemark/group';
import { expect } from 'chai';
import { Coordinator, timeAt } from './coordinator.ts';

const groupId = 'g' as GroupId;
const requestId = 1 as RequestId;
const tooLong = 'x'.repeat(40_000);

const join: JoinRequest = {
  type: 'join',
  requestId,
  groupId,
  memberId: '' as MemberId,
  newMemberId: 'a1' as MemberId,
  instanceId: 'A' as InstanceId,
  clientId: 'c',
  clientHost: '/h',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 60_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: new Uint8Array(0) }],
  reason: undefined,
};

function scene(settings = {}): { readonly coordinator: Coordinator; readonly replies: GroupReply[] } {
  const replies: GroupReply[] = [];
  return { replies, coordinator: new Coordinator({ reply: (reply) => replies.push(reply) }, 0, settings) };
}

const errorOf = (reply: GroupReply | undefined): string | undefined =>
  reply === undefined || reply.response.ok ? undefined : reply.response.error;

describe('limits', () => {
  it('refuse what no record can hold', () => {
    const wrong: readonly (readonly [Partial<JoinRequest>, string])[] = [
      [{ groupId: '' as GroupId }, 'INVALID_GROUP_ID'],
      [{ groupId: tooLong as GroupId }, 'INVALID_GROUP_ID'],
      [{ clientId: tooLong }, 'INVALID_REQUEST'],
      [{ instanceId: tooLong as InstanceId }, 'INVALID_REQUEST'],
      [{ protocols: [{ name: tooLong, metadata: new Uint8Array(0) }] }, 'INVALID_REQUEST'],
      [{ rebalanceTimeoutMs: -1 }, 'INVALID_REQUEST'],
      [{ rebalanceTimeoutMs: 2 ** 31 }, 'INVALID_REQUEST'],
      [{ sessionTimeoutMs: Number.NaN }, 'INVALID_SESSION_TIMEOUT'],
    ];
    for (const [part, error] of wrong) {
      const { coordinator, replies } = scene();
      coordinator.handle({ ...join, ...part }, 0);
      expect(replies.map(errorOf)).deep.equals([error]);
    }
  });

  it('refuse an offset that cannot be, and take the others of the same commit', () => {
    const { coordinator, replies } = scene({ offsetMetadataMaxBytes: 100_000 });
    const good: OffsetToCommit = {
      topic: 't',
      partition: 0 as PartitionIndex,
      offset: 1,
      leaderEpoch: -1,
      metadata: '',
    };
    const offsets: readonly OffsetToCommit[] = [
      good,
      { ...good, topic: '' },
      { ...good, partition: -1 as PartitionIndex },
      { ...good, offset: -1 },
      { ...good, offset: 2 ** 53 },
      { ...good, leaderEpoch: -2 },
      { ...good, metadata: tooLong },
    ];
    const generation = -1 as Generation;
    const nobody = { memberId: '' as MemberId, instanceId: undefined, generation };
    coordinator.handle({ type: 'commitOffsets', requestId, groupId, ...nobody, offsets }, 0);
    const [reply] = replies;
    const outcomes =
      reply?.type === 'commitOffsets' && reply.response.ok
        ? reply.response.partitions.map(({ outcome }) => (outcome.ok ? 'ok' : outcome.error))
        : [];
    expect(outcomes).deep.equals([
      'ok',
      'INVALID_TOPIC_EXCEPTION',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      'OFFSET_METADATA_TOO_LARGE',
    ]);
    expect(coordinator.log).length(1);
  });

  it('spread over several writes what ends at once', () => {
    const { coordinator } = scene({ initialRebalanceDelayMs: 0, maxRecordsPerWrite: 3 });
    for (let at = 0; at < 10; at++) {
      coordinator.handle({ ...join, groupId: `g${at}` as GroupId, requestId: at as RequestId }, 0);
    }
    // Nobody asks for an assignment, so that every group is empty after a minute.
    coordinator.commitsAtOnce = false;
    let writes = 0;
    while (coordinator.nextDeadlineMs <= 60_000) {
      const before = coordinator.log.length;
      coordinator.tick(60_000);
      expect(coordinator.log.length - before).at.most(3);
      writes++;
    }
    expect(coordinator.log).length(10);
    expect(writes).equals(4);
  });

  it('end a tick also where static members that nobody waits for are all there is', () => {
    const { coordinator, replies } = scene({ initialRebalanceDelayMs: 0 });
    const b = { ...join, newMemberId: 'b1' as MemberId, instanceId: 'B' as InstanceId };
    coordinator.handle(join, 0);
    coordinator.handle(b, 0);
    coordinator.handle({ ...join, memberId: 'a1' as MemberId }, 0);
    const asked = { requestId, groupId, protocolType: undefined, protocol: undefined };
    for (const { newMemberId: memberId, instanceId } of [join, b]) {
      const generation = 2 as Generation;
      coordinator.handle(
        { ...asked, type: 'sync', memberId, instanceId, generation, assignments: new Map() },
        0,
      );
    }
    // Both start again, and say nothing of a rebalance time-out: 0. Then one is removed.
    const again = { requestId, rebalanceTimeoutMs: 0 };
    coordinator.handle({ ...join, ...again, newMemberId: 'a2' as MemberId }, 0);
    coordinator.handle({ ...b, ...again, newMemberId: 'b2' as MemberId }, 0);
    expect(replies.slice(-2).map(({ response }) => response.ok)).deep.equals([true, true]);
    const leaving = { memberId: '' as MemberId, instanceId: b.instanceId, reason: undefined };
    coordinator.handle({ type: 'leave', requestId, groupId, members: [leaving] }, 0);
    let looks = 0;
    const time = {
      timestampMs: 0,
      get nowMs(): number {
        if (++looks > 1_000) throw new Error('the tick does not end');
        return 0;
      },
    };
    const { nextDeadlineMs } = coordinator.shard.tick(time);
    expect(nextDeadlineMs, 'and is not due again at once').at.least(coordinator.settings.minSessionTimeoutMs);
    coordinator.tick(join.sessionTimeoutMs);
    expect(coordinator.shard.describe(groupId)).nested.includes({ 'group.state': 'Empty' });
  });

  it('answer before and after the time of a coordinator', () => {
    const { coordinator, replies } = scene();
    coordinator.resign(0);
    coordinator.handle(join, 0);
    expect(replies.map(errorOf)).deep.equals(['NOT_COORDINATOR']);
    expect(coordinator.shard.fetchOffsets(groupId, undefined)).deep.includes({ error: 'NOT_COORDINATOR' });
    const fresh = new GroupShard(coordinator.settings);
    const output = fresh.handle(join, timeAt(0));
    expect(output.replies.map(errorOf)).deep.equals(['COORDINATOR_LOAD_IN_PROGRESS']);
  });

  it('a shard does not serve before what it replayed is committed', () => {
    const { coordinator } = scene({ initialRebalanceDelayMs: 0 });
    coordinator.handle(join, 0);
    const shard = new GroupShard(coordinator.settings);
    shard.replay(
      {
        type: 'offset',
        groupId,
        topic: 't',
        partition: 0 as PartitionIndex,
        value: { offset: 1, leaderEpoch: -1, metadata: '', commitTimestampMs: 0 },
      },
      0,
    );
    expect(() => shard.activate(timeAt(0))).throws('before what it replayed is committed');
    shard.committed(1, timeAt(0));
    shard.activate(timeAt(0));
  });
});
