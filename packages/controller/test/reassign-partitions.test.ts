import { expect } from 'chai';
import { listReassignments, originalReplicas, targetReplicas } from '@tidemark/controller';
import type { BrokerId } from '@tidemark/core';
import { TestCluster } from './cluster.ts';

function withTopic(brokers: number, ...replicas: readonly (readonly number[])[]): TestCluster {
  const cluster = TestCluster.withBrokers(brokers);
  for (let id = 1; id <= brokers; id++) cluster.heartbeat(id);
  const assignments = replicas.map((ids, partition) => ({ partition, replicas: ids }));
  cluster.create({ name: 'a', assignments });
  return cluster;
}

/** The error, or 'ok'. */
function reassign(
  cluster: TestCluster,
  replicas: readonly number[] | undefined,
  { partition = 0, allowReplicationFactorChange = true } = {},
): string {
  const partitions = [{ topic: 'a', partition, replicas }];
  const command = { type: 'reassignPartitions', partitions, allowReplicationFactorChange } as const;
  const [result] = cluster.must(command).partitions;
  return result!.ok ? 'ok' : result!.error;
}

/** The leader of partition 0 says who is in sync. */
function inSync(cluster: TestCluster, ...ids: readonly number[]): void {
  const { leader, leaderEpoch, partitionEpoch, partition } = cluster.partition('a');
  const brokerEpoch = cluster.image.broker(leader)!.epoch;
  const newIsr = ids.map((id) => ({
    brokerId: id as BrokerId,
    brokerEpoch: cluster.image.broker(id)!.epoch,
  }));
  const topicId = cluster.image.topicByName('a')!.id;
  cluster.must({
    type: 'alterPartition',
    brokerId: leader as BrokerId,
    brokerEpoch,
    partitions: [{ topicId, partition, leaderEpoch, partitionEpoch, newIsr }],
  });
}

const idle = { addingReplicas: [], removingReplicas: [] };

describe('reassigning a partition (rule 18, KIP-455)', () => {
  it('adds replicas, waits until they are in sync, and only then removes the old ones', () => {
    const cluster = withTopic(5, [1, 2, 3]);
    expect(reassign(cluster, [4, 5, 1])).to.equal('ok');
    expect(cluster.partition('a')).to.deep.include({
      replicas: [4, 5, 1, 2, 3],
      addingReplicas: [4, 5],
      removingReplicas: [2, 3],
      isr: [1, 2, 3],
      leader: 1,
      leaderEpoch: 0,
    });
    expect(originalReplicas(cluster.partition('a'))).to.deep.equal([1, 2, 3]);
    expect(targetReplicas(cluster.partition('a'))).to.deep.equal([4, 5, 1]);
    expect(
      listReassignments(cluster.image).map(({ topic, partition }) => [topic, partition.partition]),
    ).to.deep.equal([['a', 0]]);
    inSync(cluster, 1, 2, 3, 4);
    expect(cluster.partition('a').replicas).to.have.length(5);
    inSync(cluster, 1, 2, 3, 4, 5);
    expect(cluster.partition('a')).to.deep.include({
      ...idle,
      replicas: [4, 5, 1],
      isr: [1, 4, 5],
      leader: 1,
      leaderEpoch: 1,
    });
    expect(listReassignments(cluster.image)).to.deep.equal([]);
  });

  it('to other places in the same list is done at once', () => {
    const cluster = withTopic(3, [1, 2, 3]);
    expect(reassign(cluster, [3, 1, 2])).to.equal('ok');
    expect(cluster.partition('a')).to.deep.include({
      ...idle,
      replicas: [3, 1, 2],
      leader: 1,
      leaderEpoch: 0,
    });
    expect(reassign(cluster, [3, 1, 2])).to.equal('ok');
    expect(cluster.records, 'it is so already').to.have.length(0);
  });

  it('to fewer is done at once when those that remain are in sync, and not before', () => {
    const cluster = withTopic(3, [1, 2, 3]);
    inSync(cluster, 1, 3);
    expect(reassign(cluster, [2, 3])).to.equal('ok');
    expect(cluster.partition('a')).to.deep.include({ removingReplicas: [1], leader: 1 });
    inSync(cluster, 1, 2, 3);
    expect(cluster.partition('a')).to.deep.include({ ...idle, replicas: [2, 3], isr: [2, 3], leader: 2 });
  });

  it('with a new target while one is under way drops what only the old one had added', () => {
    const cluster = withTopic(5, [1, 2]);
    reassign(cluster, [3, 4]);
    expect(reassign(cluster, [3, 5])).to.equal('ok');
    expect(cluster.partition('a')).to.deep.include({
      replicas: [3, 5, 1, 2],
      addingReplicas: [3, 5],
      removingReplicas: [1, 2],
      leaderEpoch: 1,
    });
    expect(originalReplicas(cluster.partition('a'))).to.deep.equal([1, 2]);
  });

  it('can be cancelled, once', () => {
    const cluster = withTopic(5, [1, 2]);
    reassign(cluster, [3, 4]);
    inSync(cluster, 1, 2, 3);
    expect(reassign(cluster, undefined)).to.equal('ok');
    expect(cluster.partition('a')).to.deep.include({ ...idle, replicas: [1, 2], isr: [1, 2], leader: 1 });
    expect(cluster.partition('a').leaderEpoch, 'a replica went').to.equal(1);
    expect(reassign(cluster, undefined)).to.equal('NO_REASSIGNMENT_IN_PROGRESS');
  });

  it('is not cancelled when only added replicas are in sync', () => {
    const cluster = withTopic(4, [1, 2]);
    reassign(cluster, [3, 4]);
    inSync(cluster, 1, 2, 3);
    cluster.fence(2);
    cluster.fence(1);
    expect(cluster.partition('a')).to.deep.include({ leader: 3, isr: [3] });
    expect(reassign(cluster, undefined)).to.equal('INVALID_REPLICA_ASSIGNMENT');
    expect(reassign(cluster, [4])).to.equal('INVALID_REPLICA_ASSIGNMENT');
    expect(cluster.partition('a')).to.deep.include({ leader: 3, replicas: [3, 4, 1, 2] });
  });

  it('is not cancelled when an added replica is the only eligible one, whoever led last', () => {
    const cluster = withTopic(4, [1, 2]);
    const resource = { type: 'topic', name: 'a' } as const;
    const changes = [{ name: 'min.insync.replicas', value: '2' }];
    cluster.must({ type: 'alterConfigs', resources: [{ resource, changes }], validateOnly: false });
    reassign(cluster, [3, 4]);
    inSync(cluster, 1, 2, 3);
    for (const id of [2, 3, 1]) cluster.fence(id);
    for (const id of [1, 2]) cluster.register(id, '', 70 + id);
    expect(cluster.partition('a')).to.deep.include({ leader: -1, isr: [], elr: [3], lastKnownElr: [1] });
    expect(reassign(cluster, undefined)).to.equal('INVALID_REPLICA_ASSIGNMENT');
    cluster.heartbeat(1);
    expect(cluster.partition('a'), '1 may have lost what 3 has').to.deep.include({ leader: -1, elr: [3] });
    cluster.heartbeat(3);
    expect(cluster.partition('a')).to.deep.include({ leader: 3, leaderRecoveryState: 'recovered' });
  });

  it('is refused when it cannot be', () => {
    const cluster = withTopic(4, [1, 2]);
    expect(reassign(cluster, [])).to.equal('INVALID_REPLICA_ASSIGNMENT');
    expect(reassign(cluster, [1, 1])).to.equal('INVALID_REPLICA_ASSIGNMENT');
    expect(reassign(cluster, [1, 9])).to.equal('INVALID_REPLICA_ASSIGNMENT');
    expect(reassign(cluster, [1, 2], { partition: 3 })).to.equal('UNKNOWN_TOPIC_OR_PARTITION');
    const fixed = { allowReplicationFactorChange: false };
    expect(reassign(cluster, [1, 2, 3], fixed)).to.equal('INVALID_REPLICATION_FACTOR');
    expect(reassign(cluster, [1, 3], fixed)).to.equal('ok');
    expect(reassign(cluster, [1, 4], fixed), 'compared with what it had, not with what it has now').to.equal(
      'ok',
    );
  });

  it('lets the topic get partitions of its own size meanwhile', () => {
    const cluster = withTopic(4, [1, 2]);
    reassign(cluster, [3, 4]);
    const topics = [{ name: 'a', totalCount: 2, assignments: [] }];
    cluster.must({ type: 'createPartitions', topics, validateOnly: false });
    expect(cluster.partition('a', 1).replicas).to.have.length(2);
  });

  it('takes 10,000 partitions at a time, and says of the rest that it was not tried', () => {
    const cluster = TestCluster.withBrokers(2, { file: 'max.partitions.per.request=10002' });
    cluster.create({ name: 'a', partitionCount: 10_002, replicationFactor: 1 });
    const partitions = Array.from({ length: 10_002 }, (_, partition) => {
      return { topic: 'a', partition, replicas: [1, 2] };
    });
    const command = { type: 'reassignPartitions', partitions, allowReplicationFactorChange: true } as const;
    const errors = cluster.must(command).partitions.map((result) => (result.ok ? 'ok' : result.error));
    expect(errors.slice(9999)).to.deep.equal(['ok', 'OPERATION_NOT_ATTEMPTED', 'OPERATION_NOT_ATTEMPTED']);
    expect(cluster.records).to.have.length(10_000);
    expect(listReassignments(cluster.image)).to.have.length(10_000);
  });
});
