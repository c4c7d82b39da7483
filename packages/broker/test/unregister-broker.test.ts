import { expect } from 'chai';
import { adminService, clusterService } from '@tidemark/rpc';
import { startBroker, type RunningBroker } from '@tidemark/broker';
import { silent, temporaryFolder, TestBroker, testConfig } from './harness.ts';

const SHARED = {
  'cluster.id': 'two',
  'broker.session.timeout.ms': '1000',
  'broker.heartbeat.interval.ms': '100',
};

describe('a broker that is gone for good', () => {
  let first: TestBroker;
  let second: RunningBroker;
  before(async () => {
    first = await TestBroker.start({ ...SHARED, 'node.id': '1' });
    const voters = `1@127.0.0.1:${first.broker.ports.get('PEER')!}`;
    const config = testConfig(temporaryFolder(), {
      ...SHARED,
      'node.id': '2',
      'process.roles': 'broker',
      'controller.quorum.voters': voters,
    });
    second = await startBroker({ config, log: silent });
  });
  after(async () => {
    await second.close(0);
    await first.stop();
  });

  const unregister = async (brokerId: number) =>
    (await first.call(adminService.UnregisterBroker, { brokerId })).error;

  it('leaves the list when it was stopped and has nothing, and not before', async () => {
    expect((await unregister(2))?.message).to.contain('Broker 2 is not fenced');
    expect((await unregister(7))?.name).to.equal('BROKER_ID_NOT_REGISTERED');
    await second.close(0);
    // Until its session is over.
    let error = await unregister(2);
    while (error !== null) {
      expect(error.message).to.match(/was heard a moment ago|is not fenced/);
      error = await unregister(2);
    }
    const { brokers } = await first.call(clusterService.DescribeCluster, {});
    expect(brokers.map(({ id }) => id)).to.deep.equal([1]);
    expect((await unregister(1))?.message).to.contain('Broker 1 is not fenced');
  });
});
