// Named interleavings of a broker's partitions with their metadata, their disk and each other, each of which once went wrong.

import { expect } from 'chai';
import {
  failure,
  TidemarkError,
  topicIdFromBytes,
  type BrokerEpoch,
  type BrokerId,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
  type TopicId,
} from '@tidemark/core';
import type { MetadataRecord } from '@tidemark/controller';
import { defaultLogConfig, LogFolder, type ReadResult } from '@tidemark/log';
import { BatchBuilder, validateBatches, type Codecs } from '@tidemark/record';
import { SimClock, SimDisk } from '@tidemark/simulation';
import { FollowingReplica } from '../src/replica/following-replica.ts';
import type { FollowerEnd } from '../src/replica/follower-end.ts';
import { LeaderEnd } from '../src/replica/leader-end.ts';
import type { LeadingReplica } from '../src/replica/leading-replica.ts';
import type { ReplicaContext } from '../src/replica/replica-context.ts';
import { ReplicationQuota } from '../src/replica/replication-quota.ts';
import { at, batch, from, REPLICATION, ReplicaNode } from './replica-node.ts';

const TOPIC_ID = topicIdFromBytes(new Uint8Array(16).fill(1));

const moved = (topicId: TopicId, replicas: readonly number[]): MetadataRecord => ({
  type: 'partitionChange',
  topicId,
  partition: 0 as PartitionIndex,
  replicas: replicas as BrokerId[],
  isr: replicas as BrokerId[],
  leader: replicas[0] as BrokerId,
});

describe('a partition whose log is being opened', () => {
  it('has the configuration that was set meanwhile', async () => {
    const node = await ReplicaNode.start();
    const created = node.createTopic('t');
    node.change({ type: 'topicConfig', topicId: TOPIC_ID, name: 'retention.bytes', value: '12345' });
    await created;
    expect(node.replicas.partition('t', 0 as PartitionIndex)?.log.config.retentionBytes).to.equal(12_345);
    await node.close();
  });

  it('is opened when it has come back, though opening it had failed after it was moved away', async () => {
    const node = await ReplicaNode.start();
    node.disk.inject({ error: 'ENOSPC', operation: 'write', path: (path) => path.includes('/t-0/') });
    const created = node.createTopic('t');
    node.change(moved(TOPIC_ID, [2]));
    node.change(moved(TOPIC_ID, [1]));
    await created;
    await node.clock.settle(node.replicas.whenHosted(TOPIC_ID));
    await node.clock.advance(1_000);
    expect(node.errors.join()).to.contain('disk is full');
    expect([...node.replicas.unopenedReplicas()]).to.deep.equal([]);
    expect((await node.produce('t', batch('a'))).receipt?.baseOffset).to.equal(0);
    await node.close();
  });
});

describe('a pushed stream for which there is no memory', () => {
  it('lets the broker go on, and is served once there is some', async () => {
    const node = await ReplicaNode.start();
    await node.createTopic('t');
    await node.produce('t', batch('a'));
    const { responseBudget } = node.replicas;
    const all = 16 * 1024 * 1024;
    expect(responseBudget.tryTake(all)).to.equal(true);
    const waiting = Array.from({ length: 10 }, () => responseBudget.take(1));
    const session = node.replicas.openFetchSession();
    session.grant(1_000_000);
    session.add({ ...from('t'), positionId: 7 });
    const pushed = session.next();
    await node.clock.advance(1_000);
    responseBudget.giveBack(all);
    for (const taken of await Promise.all(waiting)) if (taken) responseBudget.giveBack(1);
    expect(await node.clock.settle(pushed)).to.containSubset([
      { positionId: 7, sizeBytes: batch('a').length },
    ]);
    session.close();
    await node.close();
  });
});

describe('a long poll of several partitions', () => {
  it('does not wait for one whose leader has changed while another was read', async () => {
    const node = await ReplicaNode.start();
    const topicId = await node.createTopic('t', { partitions: 2, replicas: [1, 2], isr: [1] });
    const { log } = node.replicas.partition('t', 1 as PartitionIndex)!;
    await node.clock.settle(
      node.replicas.produce({
        acks: 'leader',
        timeoutMs: 1_000,
        partitions: [{ address: at('t', 1), currentLeaderEpoch: undefined, bytes: batch('a') }],
      }).outcomes,
    );
    await node.clock.advance(100);
    const read = log.read.bind(log);
    let go = (): void => undefined;
    log.read = async (offset, options) => {
      log.read = read;
      await new Promise<void>((resolve) => (go = resolve));
      return read(offset, options);
    };
    const polled = node.poll([from('t', 0, 0), from('t', 0, 1)], 60_000, 1_000_000);
    await node.clock.advance(10);
    node.change({ type: 'partitionChange', topicId, partition: 0 as PartitionIndex, leader: 2 as BrokerId });
    go();
    const begunMs = node.clock.monotonicMs();
    const { outcomes } = await node.clock.settle(polled);
    expect(outcomes.map(({ failure: why }) => why?.error)).to.deep.equal([
      'NOT_LEADER_OR_FOLLOWER',
      undefined,
    ]);
    expect(node.clock.monotonicMs() - begunMs).to.be.below(1_000);
    await node.close();
  });
});

describe('retention', () => {
  it('goes on with the other logs when it fails in one', async () => {
    const node = await ReplicaNode.start();
    const retained: string[] = [];
    for (const topic of ['a', 'b', 'c']) {
      await node.createTopic(topic);
      const { log } = node.replicas.partition(topic, 0 as PartitionIndex)!;
      log.runRetention = () => {
        retained.push(topic);
        return topic === 'b' ? Promise.reject(new TidemarkError('KAFKA_STORAGE_ERROR')) : Promise.resolve(0);
      };
    }
    await node.clock.advance(300_000);
    expect(retained).to.deep.equal(['a', 'b', 'c']);
    expect(node.errors.join()).to.contain('retention of b-0');
    await node.close();
  });
});

describe('a follower that has no room to note that it will be cut', () => {
  it('asks again after a while, and is cut when there is room', async () => {
    const clock = new SimClock();
    const disk = new SimDisk();
    const folder = await LogFolder.open({
      disk,
      clock,
      directory: 'data',
      onOffline: (cause) => expect.fail(String(cause)),
    });
    const log = await folder.openPartition('t-0', TOPIC_ID, defaultLogConfig);
    for (const leaderEpoch of [1, 1, 2, 2] as LeaderEpoch[]) {
      const builder = new BatchBuilder({ capacityBytes: 64 });
      builder.append(1, null, new Uint8Array(4));
      const bytes = builder.build().slice();
      const valid = validateBatches(bytes, {
        maxBatchBytes: 1000,
        maxInflatedBytes: 1000,
        codecs: {} as Codecs,
      });
      if (!valid.ok) throw new Error(valid.message);
      log.append(bytes, valid.batches, { leaderEpoch, origin: 'leader' });
    }
    await log.flush();
    await folder.checkpoint();
    const asked: {
      position: {
        fetchOffset: Offset;
        leaderEpoch: LeaderEpoch;
        attempt: number;
        lastFetchedEpoch: LeaderEpoch | -1;
      };
    }[] = [];
    const end = {
      subscribe: (_: unknown, wanted: (typeof asked)[number]) => asked.push(wanted),
      unsubscribe: () => undefined,
      acknowledged: () => undefined,
    } as unknown as FollowerEnd;
    const context = {
      clock,
      settings: { backoffMs: 100 },
      exchange: { followerEnd: () => end },
      onError: (cause: unknown) => expect.fail(String(cause)),
    } as unknown as ReplicaContext;
    const replica = new FollowingReplica({
      context,
      topicId: TOPIC_ID,
      index: 0 as PartitionIndex,
      leader: 2 as BrokerId,
      leaderEpoch: 3 as LeaderEpoch,
      log,
      highWatermark: 0 as Offset,
      codecs: {} as Codecs,
      isThrottled: () => false,
      onLogStart: () => undefined,
    });
    replica.begin();
    const diverging = { type: 'diverging', epoch: 1 as LeaderEpoch, endOffset: 2 as Offset } as const;
    disk.inject({ error: 'ENOSPC', operation: 'write' });
    for (let turn = 1; turn <= 2; turn++) {
      expect(asked).to.have.length(turn);
      replica.answered(asked.at(-1)!.position, diverging);
      await log.quiet();
      for (let tick = 0; tick < 50; tick++) await Promise.resolve();
      await clock.advance(100);
    }
    expect(asked.at(-1)!.position.fetchOffset).to.equal(2);
    expect(log.nextOffset).to.equal(2);
    replica.end();
    await folder.close();
  });
});

describe('a follower that has asked anew while a read for it was under way', () => {
  it('is told of what is appended, though that read fails', async () => {
    const clock = new SimClock();
    const reads: ((result: ReadResult) => void)[] = [];
    const ends = new Set<unknown>();
    const standing = { logEndOffset: 5 as Offset, logStartOffset: 0 as Offset, highWatermark: 0 as Offset };
    const replica = {
      standing,
      followerAsked: () => ({ type: 'accepted' }),
      servedBy: (end: unknown) => ends.add(end),
      notServedBy: (end: unknown) => ends.delete(end),
      read: () => new Promise<ReadResult>((resolve) => reads.push(resolve)),
    } as unknown as LeadingReplica;
    const end = new LeaderEnd({
      peer: 2 as BrokerId,
      settings: REPLICATION,
      clock,
      send: () => true,
      onError: () => undefined,
      find: () => replica,
      quota: new ReplicationQuota(),
    });
    const ask = (slot: number): void => {
      const position = {
        fetchOffset: 0 as Offset,
        lastFetchedEpoch: -1,
        leaderEpoch: 1 as LeaderEpoch,
      } as const;
      const place = { topicId: TOPIC_ID, partition: 0 as PartitionIndex };
      end.receive({
        type: 'follower',
        session: { brokerEpoch: 1 as BrokerEpoch, number: 1 },
        sequence: slot,
        creditBytes: 100_000_000,
        unsubscribed: slot === 0 ? [] : [slot - 1],
        subscribed: [
          { slot, ...place, ...position, acknowledgeableEnd: 0 as Offset, logStartOffset: 0 as Offset },
        ],
        acknowledged: [],
        logStarts: [],
      });
    };
    ask(0);
    await clock.advance(1);
    ask(1);
    await clock.advance(1);
    expect(reads).to.have.length(2);
    reads[0]!(failure('KAFKA_STORAGE_ERROR'));
    await clock.advance(1);
    expect(ends.has(end)).to.equal(true);
    end.close();
  });
});
