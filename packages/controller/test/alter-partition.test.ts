import { expect } from 'chai';
import type { AlterPartition } from '@tidemark/controller';
import { topicIdFromBytes, type BrokerEpoch, type BrokerId } from '@tidemark/core';
import { TestCluster } from './cluster.ts';

const b = (id: number) => id as BrokerId;

function cluster3(): TestCluster {
  const cluster = TestCluster.withBrokers(3);
  for (const id of [1, 2, 3]) cluster.heartbeat(id);
  cluster.create({ name: 'a', assignments: [{ partition: 0, replicas: [1, 2, 3] }] });
  return cluster;
}

type Changes = Partial<Omit<AlterPartition, 'newIsr'>> & { readonly epochOf?: (id: number) => number };

function proposal(cluster: TestCluster, isr: readonly number[], changes: Changes = {}): AlterPartition {
  const { epochOf = (id: number): number => cluster.image.broker(id)?.epoch ?? 0, ...rest } = changes;
  const { leaderEpoch, partitionEpoch, partition } = cluster.partition('a');
  const topicId = cluster.image.topicByName('a')!.id;
  const newIsr = isr.map((id) => ({ brokerId: b(id), brokerEpoch: epochOf(id) as BrokerEpoch }));
  return { topicId, partition, leaderEpoch, partitionEpoch, newIsr, ...rest };
}

function propose(cluster: TestCluster, from: number, ...partitions: readonly AlterPartition[]) {
  const brokerEpoch = cluster.image.broker(from)!.epoch;
  return cluster.must({ type: 'alterPartition', brokerId: b(from), brokerEpoch, partitions }).partitions;
}

/** The error, or 'ok'. */
function judge(cluster: TestCluster, isr: readonly number[], changes: Changes = {}, from = 1): string {
  const [result] = propose(cluster, from, proposal(cluster, isr, changes));
  return result!.ok ? 'ok' : result!.error;
}

describe('a leader’s proposal for its ISR (rule 5, KIP-497)', () => {
  it('is taken when the leader knows the present state, and answered with the new one', () => {
    const cluster = cluster3();
    const before = cluster.partition('a');
    const [shrunk] = propose(cluster, 1, proposal(cluster, [1, 2]));
    expect(shrunk).to.deep.include({ ok: true, isr: [1, 2], leader: 1, leaderEpoch: 0, partitionEpoch: 1 });
    expect(cluster.partition('a')).to.deep.equal({ ...before, isr: [1, 2], partitionEpoch: 1 });
    const [same] = propose(cluster, 1, proposal(cluster, [1, 2]));
    expect(same).to.deep.include({ ok: true, partitionEpoch: 1 });
    expect(cluster.records, 'no change, no record').to.have.length(0);
    expect(judge(cluster, [1, 2, 3])).to.equal('ok');
    expect(cluster.partition('a')).to.deep.include({ isr: [1, 2, 3], partitionEpoch: 2 });
  });

  it('is refused, for the right reason, when somebody has moved on', () => {
    const cluster = cluster3();
    expect(judge(cluster, [1, 2])).to.equal('ok');
    const stale = { partitionEpoch: 0 } as Changes;
    expect(judge(cluster, [1], stale)).to.equal('INVALID_UPDATE_VERSION');
    expect(judge(cluster, [1], { partitionEpoch: 2 } as Changes)).to.equal('NOT_CONTROLLER');
    expect(judge(cluster, [1], { leaderEpoch: 1 } as Changes)).to.equal('NOT_CONTROLLER');
    expect(judge(cluster, [2], {}, 2), 'a follower').to.equal('INVALID_REQUEST');
    cluster.fence(1);
    cluster.heartbeat(1);
    expect(judge(cluster, [1, 2], { leaderEpoch: 0 } as Changes)).to.equal('FENCED_LEADER_EPOCH');
    expect(cluster.partition('a').isr).to.deep.equal([2]);
  });

  it('is refused for a topic or a partition that is not there, and when it makes no sense', () => {
    const cluster = cluster3();
    expect(judge(cluster, [1], { topicId: topicIdFromBytes(new Uint8Array(16)) })).to.equal(
      'UNKNOWN_TOPIC_ID',
    );
    expect(judge(cluster, [1], { partition: 7 } as Changes)).to.equal('UNKNOWN_TOPIC_OR_PARTITION');
    expect(judge(cluster, [1, 9])).to.equal('INVALID_REQUEST');
    expect(judge(cluster, [1, 2, 2])).to.equal('INVALID_REQUEST');
    expect(judge(cluster, [2, 3]), 'without the leader').to.equal('INVALID_REQUEST');
    expect(judge(cluster, [])).to.equal('INVALID_REQUEST');
    const twice = [proposal(cluster, [1, 2]), proposal(cluster, [1, 3])];
    const results = propose(cluster, 1, ...twice).map((result) => (result.ok ? 'ok' : result.error));
    expect(results).to.deep.equal(['ok', 'INVALID_REQUEST']);
  });

  it('is refused as a whole from an earlier incarnation of the leader', () => {
    const cluster = cluster3();
    const brokerEpoch = (cluster.image.broker(1)!.epoch - 1) as BrokerEpoch;
    const partitions = [proposal(cluster, [1])];
    expect(cluster.run({ type: 'alterPartition', brokerId: b(1), brokerEpoch, partitions })).to.include({
      error: 'STALE_BROKER_EPOCH',
    });
  });
});

describe('who may be in sync (rule 9, KIP-841, KIP-903)', () => {
  it('is not a broker that is fenced, shutting down, or of an earlier incarnation than caught up', () => {
    const cluster = cluster3();
    const old = cluster.image.broker(3)!.epoch;
    cluster.fence(3);
    expect(judge(cluster, [1, 2, 3]), 'fenced').to.equal('INELIGIBLE_REPLICA');
    cluster.register(3);
    expect(judge(cluster, [1, 2, 3]), 'registered, fenced').to.equal('INELIGIBLE_REPLICA');
    cluster.heartbeat(3);
    const epochOf = (id: number) => (id === 3 ? old : cluster.image.broker(id)!.epoch);
    expect(judge(cluster, [1, 2, 3], { epochOf }), 'the one before caught up').to.equal('INELIGIBLE_REPLICA');
    expect(judge(cluster, [1, 2, 3])).to.equal('ok');
    cluster.heartbeat(3, { wantShutDown: true });
    expect(cluster.partition('a').isr).to.deep.equal([1, 2]);
    expect(judge(cluster, [1, 2, 3]), 'shutting down').to.equal('INELIGIBLE_REPLICA');
  });
});

describe('a proposal that ends a reassignment', () => {
  it('may cost the proposer its leadership: it is carried out and the proposer told', () => {
    const cluster = TestCluster.withBrokers(2);
    cluster.create({ name: 'a', assignments: [{ partition: 0, replicas: [1] }] });
    cluster.must({
      type: 'reassignPartitions',
      partitions: [{ topic: 'a', partition: 0, replicas: [2] }],
      allowReplicationFactorChange: false,
    });
    expect(judge(cluster, [1, 2])).to.equal('NEW_LEADER_ELECTED');
    expect(cluster.partition('a')).to.deep.include({ replicas: [2], isr: [2], leader: 2 });
  });
});

describe('a leader elected uncleanly', () => {
  it('is recovered once it has proposed its ISR, even the one it has', () => {
    const cluster = TestCluster.withBrokers(1);
    cluster.create({ name: 'a' });
    cluster.register(1, '', 5);
    cluster.heartbeat(1);
    expect(cluster.partition('a').leaderRecoveryState).to.equal('recovering');
    const [result] = propose(cluster, 1, proposal(cluster, [1]));
    expect(result).to.include({ ok: true, leaderRecoveryState: 'recovered' });
    expect(cluster.partition('a').leaderRecoveryState).to.equal('recovered');
  });
});
