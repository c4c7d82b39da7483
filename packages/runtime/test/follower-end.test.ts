// The follower's end says at once what is news, paces what follows within a millisecond, and is woken by nothing else: batches come a
// hundred times a second, and a timer for each that finds nothing to say would cost as much as the message.

import { expect } from 'chai';
import {
  topicIdFromBytes,
  type BrokerEpoch,
  type BrokerId,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
} from '@tidemark/core';
import { decodeSessionMessage, type FollowerMessage, type SlotAnswer } from '@tidemark/replication';
import { FollowerEnd } from '../src/replica/follower-end.ts';
import type { FollowingReplica } from '../src/replica/following-replica.ts';
import type { ReplicationSettings } from '../src/replica/replica-context.ts';
import { ManualClock, settled } from './manual-clock.ts';

const WINDOW_BYTES = 1000;
const settings = { windowBytes: WINDOW_BYTES, keepAliveMs: 500 } as ReplicationSettings;

/** A replica is known to the session by identity alone; what the leader has for it is written down. */
class Received {
  readonly bytes: number[] = [];
  received(_asked: unknown, answer: SlotAnswer): void {
    if (answer.type === 'batches') this.bytes.push(answer.bytes.length);
  }
  answered(): void {}
  askAgain(): void {}
}

function scene() {
  const clock = new ManualClock();
  const sent: FollowerMessage[] = [];
  const delays: number[] = [];
  let sequence = 0;
  const end = new FollowerEnd({
    peer: 1 as BrokerId,
    brokerEpoch: 9 as BrokerEpoch,
    settings,
    clock: {
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, callback) => {
        delays.push(delayMs);
        return clock.setTimer(delayMs, callback);
      },
    },
    send: (message) => {
      const decoded = decodeSessionMessage(message.subarray(1));
      if (!decoded.ok || decoded.message.type !== 'follower') throw new Error('not a follower’s message');
      sent.push(decoded.message);
      return true;
    },
    onError: (cause) => {
      throw cause;
    },
  });
  const replica = (partition: number): FollowingReplica => {
    const received = new Received() as unknown as FollowingReplica;
    end.subscribe(received, {
      topicId: topicIdFromBytes(new Uint8Array(16).fill(7)),
      partition: partition as PartitionIndex,
      acknowledgeableEnd: 0 as Offset,
      logStartOffset: 0 as Offset,
      position: { fetchOffset: 0 as Offset, lastFetchedEpoch: -1, leaderEpoch: 1 as LeaderEpoch, attempt: 1 },
    });
    return received;
  };
  const batches = (bytes: number, slot = 1): void => {
    const { session } = sent[0]!;
    const answer = {
      type: 'batches',
      baseOffset: 0 as Offset,
      highWatermark: 0 as Offset,
      logStartOffset: 0 as Offset,
      bytes: new Uint8Array(bytes),
    } as const;
    end.receive({ type: 'leader', session, sequence: sequence++, answers: [{ slot, answer }] });
  };
  return { clock, end, sent, delays, replica, batches };
}

describe('the follower’s end of a session', () => {
  it('acknowledges at once, and sets no timer to say that some bytes are free again', async () => {
    const { clock, end, sent, delays, replica, batches } = scene();
    const one = replica(0);
    await settled();
    await clock.advance(100);
    expect(sent).to.have.length(1);
    delays.length = 0;
    batches(10);
    end.acknowledged(one, 5 as Offset);
    await settled();
    end.consumed(10);
    expect(sent.map(({ acknowledged }) => acknowledged)).to.deep.equal([[], [{ slot: 1, endOffset: 5 }]]);
    expect(delays.filter((delayMs) => delayMs < 400)).to.deep.equal([]);
    await clock.advance(50);
    expect(sent).to.have.length(2);
  });

  it('lets what comes within a millisecond go along, and then says it', async () => {
    const { clock, end, sent, replica } = scene();
    const one = replica(0);
    const other = replica(1);
    await settled();
    await clock.advance(100);
    end.acknowledged(one, 5 as Offset);
    await settled();
    end.acknowledged(other, 6 as Offset);
    end.acknowledged(one, 7 as Offset);
    await settled();
    expect(sent).to.have.length(2);
    await clock.advance(1);
    expect(sent.at(-1)!.acknowledged).to.deep.equal([
      { slot: 2, endOffset: 6 },
      { slot: 1, endOffset: 7 },
    ]);
  });

  it('tells the leader that it may send more as soon as a quarter of the window is free untold', async () => {
    const { clock, end, sent, replica, batches } = scene();
    replica(0);
    await settled();
    await clock.advance(100);
    const before = sent.at(-1)!.creditBytes;
    batches(WINDOW_BYTES / 4);
    await settled();
    expect(sent, 'received, not consumed').to.have.length(1);
    end.consumed(WINDOW_BYTES / 4);
    await settled();
    expect(sent).to.have.length(2);
    expect(sent.at(-1)!.creditBytes).to.equal(before + WINDOW_BYTES / 4);
  });

  it('says that it is there when nothing happens, and opens the session anew when the leader is silent', async () => {
    const { clock, sent, replica } = scene();
    replica(0);
    await settled();
    await clock.advance(1600);
    expect(sent.map(({ session }) => session.number)).to.deep.equal([1, 1, 1, 1]);
    await clock.advance(500);
    expect(sent.at(-1)!.session.number).to.equal(2);
  });
});
