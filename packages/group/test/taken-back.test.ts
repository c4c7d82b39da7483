// What a group is when records that were written for it are not in the log after all.

import type { Generation, GroupId, GroupReply, InstanceId, MemberId, RequestId } from '@tidemark/group';
import { expect } from 'chai';
import { Coordinator, timeAt } from './coordinator.ts';

const groupId = 'g' as GroupId;
const requestId = 1 as RequestId;
const memberId = 'a1' as MemberId;

/** A stable group of one static member, whose time-outs are a second. */
function stable(): { readonly coordinator: Coordinator; readonly replies: GroupReply[] } {
  const replies: GroupReply[] = [];
  const settings = { initialRebalanceDelayMs: 0, minSessionTimeoutMs: 1 };
  const coordinator = new Coordinator({ reply: (reply) => replies.push(reply) }, 0, settings);
  coordinator.handle(
    {
      type: 'join',
      requestId,
      groupId,
      memberId: '' as MemberId,
      newMemberId: memberId,
      instanceId: 'A' as InstanceId,
      clientId: 'c',
      clientHost: '/h',
      sessionTimeoutMs: 1_000,
      rebalanceTimeoutMs: 1_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: new Uint8Array(0) }],
      reason: undefined,
    },
    0,
  );
  const assignments = new Map([[memberId, new Uint8Array(1)]]);
  const generation = 1 as Generation;
  const of = { requestId, groupId, memberId, instanceId: undefined, generation };
  coordinator.handle({ type: 'sync', ...of, protocolType: undefined, protocol: undefined, assignments }, 0);
  return { coordinator, replies };
}

const stateOf = ({ shard }: Coordinator): string => {
  const described = shard.describe(groupId);
  return described.ok ? described.group.state : described.error;
};

describe('a group that was left and deleted, before either was committed', () => {
  it('is empty again once its members have had their time, if neither is in the log', () => {
    const { coordinator, replies } = stable();
    expect(stateOf(coordinator)).to.equal('Stable');
    coordinator.commitsAtOnce = false;
    const members = [{ memberId, instanceId: undefined, reason: undefined }];
    coordinator.handle({ type: 'leave', requestId, groupId, members }, 10);
    coordinator.handle({ type: 'deleteGroup', requestId, groupId }, 20);
    expect(stateOf(coordinator)).to.equal('GROUP_ID_NOT_FOUND');
    coordinator.failHeld('NOT_ENOUGH_REPLICAS', 30);
    expect(replies.slice(-2).map(({ response }) => response.ok)).to.deep.equal([false, false]);
    expect(stateOf(coordinator)).to.equal('Stable');
    coordinator.commitsAtOnce = true;
    expect(coordinator.nextDeadlineMs).to.equal(1_030);
    coordinator.tick(1_030);
    expect(stateOf(coordinator)).to.equal('Empty');
    coordinator.handle({ type: 'deleteGroup', requestId, groupId }, 1_040);
    expect(replies.at(-1)).to.deep.include({ response: { ok: true } });
    expect(coordinator.shard.tick(timeAt(1_050)).nextDeadlineMs).to.equal(Infinity);
  });
});
