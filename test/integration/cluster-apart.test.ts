// Controllers on nodes of their own, brokers on others: brokers follow the metadata without a vote, records flow while nobody decides,
// and a broker that dies comes back with everything it acknowledged.
import { expect } from 'chai';
import { Consumer, Producer, stringDeserializer, type Admin } from '@tidemark/client';
import { adminService, logService, quorumService } from '@tidemark/rpc';
import { Cluster, eventually, figures, HASTY, type ClusterNode } from './cluster.ts';

const ACTIVE = 'this node is the active controller';

describe('three controllers apart from two brokers', function () {
  this.timeout(60_000);

  let cluster: Cluster;
  let controllers: readonly ClusterNode[];
  let brokers: readonly ClusterNode[];
  let admin: Admin;

  before(async () => {
    cluster = await Cluster.start({
      nodes: [
        { id: 101, roles: 'controller' },
        { id: 102, roles: 'controller' },
        { id: 103, roles: 'controller' },
        { id: 1, roles: 'broker' },
        { id: 2, roles: 'broker' },
      ],
      settings: HASTY,
    });
    controllers = cluster.nodes.filter(({ roles }) => roles === 'controller');
    brokers = cluster.nodes.filter(({ roles }) => roles === 'broker');
    admin = cluster.admin(brokers.map(({ address }) => address));
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(cluster.stderr);
  });

  after(async () => {
    await cluster.dispose();
  });

  it('shows the quorum on the controllers, with the brokers as observers', async () => {
    const { voters, observers, leaderId } = await eventually('two observers', 5_000, async () => {
      const quorum = await cluster.quorum();
      return quorum.observers.length === 2 ? quorum : undefined;
    });
    expect(voters.map(({ nodeId }) => nodeId)).to.deep.equal([101, 102, 103]);
    expect(observers.map(({ nodeId }) => nodeId)).to.deep.equal([1, 2]);
    for (const controller of controllers) {
      const own = await controller.quorum();
      expect(own).to.include({ nodeId: controller.id, leaderId });
      expect(own.role).to.equal(controller.id === leaderId ? 'QUORUM_ROLE_LEADER' : 'QUORUM_ROLE_FOLLOWER');
    }
    for (const broker of brokers) {
      expect((await broker.quorum()).role).to.equal('QUORUM_ROLE_OBSERVER');
      // Clients have no way to a controller: the broker asks it for them.
      const told = await broker.call(quorumService.DescribeQuorum, {});
      expect(told).to.deep.include({ error: null, nodeId: leaderId, role: 'QUORUM_ROLE_LEADER' });
      expect(told.observers.every(({ lag }) => lag >= 0)).to.equal(true);
    }
    const { nodes } = await brokers[0]!.cluster();
    expect(nodes.map(({ id, roles }) => [id, ...roles])).to.deep.equal([
      [1, 'NODE_ROLE_BROKER'],
      [2, 'NODE_ROLE_BROKER'],
      [101, 'NODE_ROLE_CONTROLLER'],
      [102, 'NODE_ROLE_CONTROLLER'],
      [103, 'NODE_ROLE_CONTROLLER'],
    ]);
  });

  it('tells who knows no address but those of brokers how quorum and cluster are', async () => {
    const { leaderId } = await cluster.quorum();
    expect(await admin.describeQuorum()).to.deep.include({ nodeId: leaderId, role: 'leader', leaderId });
    expect(await admin.clusterHealth()).to.deep.include({ healthy: true, complete: true, nodeId: leaderId });
  });

  it('keeps no records on a controller, and no log service', async () => {
    const refused = await controllers[0]!.call(logService.ListOffsets, { partitions: [] }).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    expect(refused).to.match(/UNIMPLEMENTED|UNSUPPORTED|unimplemented/);
    const { results } = await controllers[0]!.call(adminService.CreateTopics, {
      topics: [{ name: 'by-a-controller', partitionCount: 2, replicationFactor: 2 }],
    });
    expect(results[0]!.error).to.equal(null);
    // A broker hears of it a moment later.
    const { partitions } = await eventually('the topic on a broker', 5_000, () =>
      admin.describeTopic('by-a-controller'),
    );
    for (const { replicas } of partitions) expect([...replicas].sort()).to.deep.equal([1, 2]);
  });

  it('goes on producing and consuming while controllers die, and creates topics with the next ones', async () => {
    await admin.createTopic({ name: 'flow', assignments: [[1], [2]] });
    const addresses = brokers.map(({ address }) => address);
    const producer = new Producer({ brokers: addresses });
    const consumer = new Consumer({ brokers: addresses, valueDeserializer: stringDeserializer });
    consumer.assign([0, 1].map((partition) => ({ topic: 'flow', partition, position: 'start' as const })));
    const sent: { readonly value: string; readonly atMs: number }[] = [];
    const read: string[] = [];
    const over = new AbortController();
    const producing = (async () => {
      for (let n = 0; !over.signal.aborted; n++) {
        await producer.send({ topic: 'flow', partition: n % 2, value: `${n}` });
        sent.push({ value: `${n}`, atMs: Date.now() });
      }
    })();
    const consuming = (async () => {
      while (!over.signal.aborted || read.length < sent.length) {
        for (const { value } of await consumer.poll({ timeoutMs: 200 })) read.push(value!);
      }
    })();
    const failoverMs: number[] = [];
    const stallMs: number[] = [];
    for (let round = 0; round < 3; round++) {
      const leader = await cluster.leader();
      await eventually('records that flow', 5_000, () => sent.length > 10 || undefined);
      const killedMs = Date.now();
      await leader.server.kill();
      const activeMs = await eventually('the next active controller', 10_000, () => {
        const lines = controllers.filter((each) => each !== leader).flatMap((each) => each.logged(ACTIVE));
        return lines.map(({ time }) => Date.parse(time)).find((atMs) => atMs >= killedMs);
      });
      failoverMs.push(activeMs - killedMs);
      const during = sent.map(({ atMs }) => atMs).filter((atMs) => atMs >= killedMs && atMs <= activeMs);
      stallMs.push(longestGap([killedMs, ...during, activeMs]));
      expect((await admin.createTopic({ name: `after-${round}`, partitions: 4 })).partitionCount).to.equal(4);
      await leader.start();
    }
    over.abort();
    await Promise.all([producing, consuming]);
    await producer.close();
    await consumer.close();
    process.stdout.write(`      ${figures('kill to next active controller', failoverMs)}\n`);
    process.stdout.write(
      `      ${figures('longest pause between two acknowledged records meanwhile', stallMs)}\n`,
    );
    for (const [round, stall] of stallMs.entries()) expect(stall).to.be.below(failoverMs[round]!);
    for (const partition of [0, 1]) {
      const isThere = (value: string): boolean => Number(value) % 2 === partition;
      expect(read.filter(isThere)).to.deep.equal(sent.map(({ value }) => value).filter(isThere));
    }
  });

  it('has a broker back after kill -9, with all it acknowledged', async () => {
    const producer = new Producer({ brokers: [brokers[0]!.address] });
    await admin.createTopic({ name: 'kept', assignments: [[2]] });
    await Promise.all(
      Array.from({ length: 500 }, (_, n) => producer.send({ topic: 'kept', partition: 0, value: `${n}` })),
    );
    await brokers[1]!.server.kill();
    await eventually('partitions without a leader', 10_000, async () => {
      const { offlinePartitionCount } = await brokers[0]!.cluster();
      return offlinePartitionCount > 0 || undefined;
    });
    await brokers[1]!.start();
    await eventually('a leader everywhere', 10_000, async () => {
      const { offlinePartitionCount } = await brokers[0]!.cluster();
      return offlinePartitionCount === 0 || undefined;
    });
    const [end] = await admin.listOffsets([{ topic: 'kept', partition: 0, spec: 'end' }]);
    expect(end!.offset).to.equal(500);
    await producer.send({ topic: 'kept', partition: 0, value: '500' });
    await producer.close();
  });
});

function longestGap(times: readonly number[]): number {
  return Math.max(...times.slice(1).map((time, at) => time - times[at]!));
}
