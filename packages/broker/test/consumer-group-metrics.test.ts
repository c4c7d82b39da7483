import { expect } from 'chai';
import { groupService } from '@tidemark/rpc';
import { StoryMember, type Call } from './group-story.ts';
import { batchOf, TestBroker, testConfig } from './harness.ts';
import type { BrokerContext } from '../src/broker-context.ts';
import { writeConsumerGroupMetrics } from '../src/metrics/consumer-group-metrics.ts';
import { Exposition } from '../src/metrics/exposition.ts';

const SETTINGS = { 'group.initial.rebalance.delay.ms': '0', 'offsets.topic.num.partitions': '2' };

/** Samples of the page, by name and labels. */
async function samples(broker: TestBroker): Promise<ReadonlyMap<string, number>> {
  const page = await fetch(`http://127.0.0.1:${broker.broker.ports.get('HTTP')!}/metrics`);
  const lines = (await page.text()).split('\n').filter((line) => /^\w/.test(line));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))] as const;
    }),
  );
}

async function served(call: Call, groupId: string): Promise<void> {
  await call(groupService.FindCoordinator, { groupIds: [groupId] });
  for (;;) {
    const { error } = await call(groupService.FetchOffsets, { groupId, allPartitions: true });
    if (error === null) return;
    expect(error.name).to.equal('COORDINATOR_LOAD_IN_PROGRESS');
  }
}

async function commitAlone(call: Call, groupId: string, offsets: readonly number[]): Promise<void> {
  await served(call, groupId);
  const { results } = await call(groupService.CommitOffsets, {
    groupId,
    memberId: '',
    generationId: -1,
    offsets: offsets.map((offset, partition) => ({ topic: 'orders', partition, offset })),
  });
  expect(results.map(({ error }) => error)).to.deep.equal(offsets.map(() => null));
}

describe('the metrics of consumer groups', () => {
  let broker: TestBroker;
  let call: Call;
  const start = async (settings: Readonly<Record<string, string>> = {}): Promise<void> => {
    broker = await TestBroker.start({ ...SETTINGS, ...settings });
    call = (method, request) => broker.call(method, request);
    await broker.createTopic('orders', 2);
    for (const partition of [0, 1]) {
      await broker.produce({ topic: 'orders', partition, batches: batchOf(['a', 'b', 'c']) });
    }
  };
  afterEach(() => broker.stop());

  it('have kafka_exporter’s names: offsets, lags, sums, members, and the state', async () => {
    await start();
    await commitAlone(call, 'alone', [1, 3]);
    const group = 'say "hi"';
    const member = new StoryMember(call, group, ['orders']);
    await served(call, group);
    const joined = await member.join();
    expect(joined.error).to.equal(null);
    await member.sync('orders', { [member.memberId]: [0, 1] });
    await member.commit({ topic: 'orders', partition: 0, offset: 2 });

    const page = await samples(broker);
    const of = (name: string, labels: string): number | undefined => page.get(`${name}{${labels}}`);
    const alone = 'consumergroup="alone",topic="orders"';
    expect(of('kafka_consumergroup_current_offset', `${alone},partition="0"`)).to.equal(1);
    expect(of('kafka_consumergroup_lag', `${alone},partition="0"`)).to.equal(2);
    expect(of('kafka_consumergroup_lag', `${alone},partition="1"`)).to.equal(0);
    expect(of('kafka_consumergroup_current_offset_sum', alone)).to.equal(4);
    expect(of('kafka_consumergroup_lag_sum', alone)).to.equal(2);
    expect(of('kafka_consumergroup_members', 'consumergroup="alone"')).to.equal(0);
    expect(of('tidemark_group_state', 'consumergroup="alone",state="Empty"')).to.equal(1);
    const quoted = 'consumergroup="say \\"hi\\""';
    expect(of('kafka_consumergroup_lag_sum', `${quoted},topic="orders"`)).to.equal(1);
    expect(of('kafka_consumergroup_members', quoted)).to.equal(1);
    expect(of('tidemark_group_state', `${quoted},state="Stable"`)).to.equal(1);
    expect(page.get('tidemark_groups_left_out')).to.equal(0);
    expect(page.get('tidemark_group_partitions_without_lag')).to.equal(0);
  });

  it('have a limit: groups beyond it are left out whole and counted, those without members first', async () => {
    await start({ 'metrics.max.group.partitions': '5' });
    for (const name of ['a', 'b']) await commitAlone(call, name, [1, 1]);
    const member = new StoryMember(call, 'watched', ['orders']);
    await served(call, 'watched');
    await member.join();
    await member.sync('orders', { [member.memberId]: [0, 1] });
    await member.commit({ topic: 'orders', partition: 0, offset: 2 });

    const page = await samples(broker);
    const shown = [...page.keys()].flatMap(
      (key) => /^kafka_consumergroup_members\{(.*)\}/.exec(key)?.[1] ?? [],
    );
    // Two for the one that is watched, three for `a`.
    expect(shown).to.deep.equal(['consumergroup="watched"', 'consumergroup="a"']);
    expect(page.get('tidemark_groups_left_out')).to.equal(1);
    expect(page.get('tidemark_groups{state="Empty"}')).to.equal(2);
    expect(page.get('tidemark_group_partitions_left_out')).to.equal(2);
  });
});

describe('the lag of a group', () => {
  it('is not told for a partition this broker has no in-sync replica of, nor is a sum with it', async () => {
    const replica = (partition: number, isLeader: boolean, inSync: boolean): unknown => ({
      ...{ topic: 'orders', partition, isLeader, inSync, highWatermark: 10 },
    });
    const committed = [0, 1, 2, 3].map((partition) => ({
      ...{ topic: 'orders', partition, committed: { offset: 4 } },
    }));
    const context = {
      config: testConfig('/nowhere'),
      // Led; followed and in sync; followed and behind. Partition 3 is elsewhere.
      replicas: {
        describeReplicas: () => [replica(0, true, true), replica(1, false, true), replica(2, false, false)],
      },
      groups: {
        listEach: () => [[{ groupId: 'g', state: 'Empty', memberCount: 0, offsetCount: 4 }]],
        fetchOffsets: () => ({ ok: true, offsets: committed }),
      },
    } as unknown as BrokerContext;
    const page = new Exposition();
    await writeConsumerGroupMetrics(page, context);
    const lines = page.text.split('\n').filter((line) => !line.startsWith('#') && line !== '');
    const topic = 'consumergroup="g",topic="orders"';
    expect(lines.filter((line) => line.startsWith('kafka_consumergroup_lag'))).to.deep.equal([
      `kafka_consumergroup_lag{${topic},partition="0"} 6`,
      `kafka_consumergroup_lag{${topic},partition="1"} 6`,
    ]);
    expect(lines).to.include(`kafka_consumergroup_current_offset_sum{${topic}} 16`);
    expect(lines).to.include('tidemark_group_partitions_without_lag 2');
  });
});
