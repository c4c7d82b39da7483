// What is appended while the follower still has batches to acknowledge is held back a moment: it goes out when the time is over even
// if no acknowledgement comes, and a timer is set for it only while something waits.

import { expect } from 'chai';
import {
  topicIdFromBytes,
  type BrokerEpoch,
  type BrokerId,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
} from '@tidemark/core';
import { decodeSessionMessage } from '@tidemark/replication';
import { LeaderEnd } from '../src/replica/leader-end.ts';
import type { LeadingReplica } from '../src/replica/leading-replica.ts';
import type { ReplicationSettings } from '../src/replica/replica-context.ts';
import { ReplicationQuota } from '../src/replica/replication-quota.ts';

const settings = {
  fetchMaxBytes: 1000,
  responseMaxBytes: 1000,
  keepAliveMs: 500,
} as ReplicationSettings;

/** One led partition, one follower, and a clock that is moved by hand. */
function scene() {
  let nowMs = 0;
  let endOffset = 0;
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  const sentBatches: number[] = [];
  const standing = () => ({
    logEndOffset: endOffset as Offset,
    highWatermark: 0 as Offset,
    logStartOffset: 0 as Offset,
  });
  const replica = {
    get standing() {
      return standing();
    },
    followerAsked: () => ({ type: 'accepted' }),
    followerAcknowledged: () => undefined,
    servedBy: () => undefined,
    notServedBy: () => undefined,
    read: (offset: Offset) => ({
      ok: true,
      parts: [new Uint8Array(endOffset - offset)],
      sizeBytes: endOffset - offset,
      nextOffset: endOffset,
    }),
  } as unknown as LeadingReplica;
  const end = new LeaderEnd({
    peer: 2 as BrokerId,
    settings,
    clock: {
      monotonicMs: () => nowMs,
      setTimer: (delayMs, callback) => {
        const timer = { atMs: nowMs + delayMs, callback };
        timers.add(timer);
        return { cancel: () => timers.delete(timer) };
      },
    },
    send: (message) => {
      const decoded = decodeSessionMessage(message.subarray(1));
      if (!decoded.ok || decoded.message.type !== 'leader') throw new Error('not a leader’s message');
      const batches = decoded.message.answers.filter(({ answer }) => answer.type === 'batches');
      if (batches.length > 0) sentBatches.push(nowMs);
      return true;
    },
    onError: (cause) => {
      throw cause;
    },
    find: () => replica,
    quota: new ReplicationQuota(),
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    sentBatches,
    get nextTimerMs(): number {
      return Math.min(...[...timers].map(({ atMs }) => atMs));
    },
    subscribe: async (): Promise<void> => {
      end.receive({
        type: 'follower',
        session: { brokerEpoch: 1 as BrokerEpoch, number: 1 },
        sequence: 0,
        creditBytes: 1000,
        unsubscribed: [],
        subscribed: [
          {
            slot: 1,
            topicId: topicIdFromBytes(new Uint8Array(16).fill(7)),
            partition: 0 as PartitionIndex,
            leaderEpoch: 1 as LeaderEpoch,
            fetchOffset: 0 as Offset,
            lastFetchedEpoch: -1,
            acknowledgeableEnd: 0 as Offset,
            logStartOffset: 0 as Offset,
          },
        ],
        acknowledged: [],
        logStarts: [],
      });
      await turn();
    },
    append: async (): Promise<void> => {
      endOffset += 1;
      end.advanced(replica, standing());
      await turn();
    },
    pass: async (untilMs: number): Promise<void> => {
      for (;;) {
        const due = [...timers].sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined || due.atMs > untilMs) break;
        timers.delete(due);
        nowMs = due.atMs;
        due.callback();
        await turn();
      }
      nowMs = untilMs;
    },
  };
}

describe('the leader’s end of a session', () => {
  it('sends what it held back when the time is over, though nothing was acknowledged', async () => {
    const leader = scene();
    await leader.subscribe();
    await leader.pass(600);
    await leader.append();
    expect(leader.sentBatches).to.deep.equal([600]);
    await leader.pass(602);
    await leader.append();
    expect(leader.sentBatches, 'held').to.deep.equal([600]);
    await leader.pass(650);
    expect(leader.sentBatches).to.deep.equal([600, 605]);
  });

  it('sets no timer for what it would hold back while there is nothing', async () => {
    const leader = scene();
    await leader.subscribe();
    await leader.pass(600);
    await leader.append();
    expect(leader.nextTimerMs).to.be.above(605);
  });
});
