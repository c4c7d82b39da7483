// Consumer groups in three processes, by raw requests: who coordinates is killed without warning, and the members go on at another
// broker with what they had committed.
import { expect } from 'chai';
import { Consumer } from '@tidemark/client';
import { groupService } from '@tidemark/rpc';
import { committed, StoryMember, type Call } from '../../packages/broker/test/group-story.ts';
import { Cluster, eventually, HASTY, type ClusterNode } from './cluster.ts';

const GROUP = 'payments';
const TOPIC = 'orders';
const SESSION_MS = 20_000;

/** Errors that say "ask again", or "look for the coordinator again". */
const PASSING: ReadonlySet<string> = new Set([
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
]);

describe('consumer groups in a cluster', function () {
  this.timeout(120_000);
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start({
      nodes: [{ id: 1 }, { id: 2 }, { id: 3 }],
      settings: { ...HASTY, 'group.initial.rebalance.delay.ms': '100' },
    });
    await cluster.admin().createTopic({ name: TOPIC, partitions: 4, replicationFactor: 3 });
  });
  after(() => cluster.dispose());

  const callTo =
    (node: ClusterNode): Call =>
    (method, request) =>
      node.call(method, request, SESSION_MS);

  /** As the living nodes say it; the one that serves. */
  function coordinator(...except: readonly ClusterNode[]): Promise<ClusterNode> {
    return eventually(`the coordinator of ${GROUP}`, 30_000, async () => {
      const asked = cluster.nodes.find((node) => !except.includes(node))!;
      const { coordinators } = await callTo(asked)(groupService.FindCoordinator, { groupIds: [GROUP] });
      const [found] = coordinators;
      if (found!.error !== null || except.some(({ id }) => id === found!.nodeId)) return undefined;
      const node = cluster.node(found!.nodeId);
      expect(`${found!.host}:${found!.port}`).to.equal(node.address);
      return typeof (await committed(callTo(node), GROUP)) === 'string' ? undefined : node;
    });
  }

  it('read a topic that is created, and partitions that are added, long before metadata.max.age.ms', async () => {
    const members = [1, 2].map(
      () =>
        new Consumer({
          brokers: cluster.addresses(),
          groupId: 'followers',
          config: {
            'partition.assignment.strategy': 'cooperative-sticky',
            'heartbeat.interval.ms': 200,
            'metadata.max.age.ms': 600_000,
          },
        }),
    );
    const owned = (): number => members.reduce((sum, { assignment: { length } }) => sum + length, 0);
    const settled = (count: number): Promise<true> =>
      eventually(`${count} partitions read`, 30_000, () => (owned() === count ? true : undefined));
    try {
      for (const member of members) member.subscribe(/^followed/);
      await cluster.admin().createTopic({ name: 'followed-1', partitions: 2, replicationFactor: 3 });
      await settled(2);
      await cluster.admin().createTopic({ name: 'followed-2', partitions: 3, replicationFactor: 3 });
      await settled(5);
      await cluster.admin().createPartitions([{ name: 'followed-2', totalCount: 6 }]);
      await settled(8);
      expect(members.map(({ assignment: { length } }) => length)).to.deep.equal([4, 4]);
      await cluster.admin().deleteTopic('followed-1');
      await settled(6);
    } finally {
      await Promise.all(members.map((member) => member.close()));
    }
  });

  it('go on at another broker, with what was committed, when their coordinator is killed', async () => {
    const first = await coordinator();
    const members = [1, 2].map(() => new StoryMember(callTo(first), GROUP, [TOPIC]));
    const [one, two] = members as [StoryMember, StoryMember];
    const joined = await Promise.all(members.map((member) => member.join({ sessionTimeoutMs: SESSION_MS })));
    expect(joined.map(({ error }) => error)).to.deep.equal([null, null]);
    expect(joined.map(({ generationId }) => generationId)).to.deep.equal([1, 1]);
    const leader = members.find(({ memberId }) => memberId === joined[0]!.leader)!;
    const plan = { [one.memberId]: [0, 1], [two.memberId]: [2, 3] };
    const synced = await Promise.all(
      members.map((member) => (member === leader ? member.sync(TOPIC, plan) : member.sync())),
    );
    expect(synced.map(({ error }) => error)).to.deep.equal([null, null]);

    // Commits until the kill and through it: what was acknowledged counts.
    const acknowledged = new Map<string, number>();
    let offset = 0;
    const commit = async (member: StoryMember, partition: number): Promise<void> => {
      offset += 1;
      const asked = offset;
      const { error, results } = await member.commit({ topic: TOPIC, partition, offset: asked });
      if (error === null && results[0]!.error === null) acknowledged.set(`${TOPIC}-${partition}`, asked);
    };
    for (let round = 0; round < 50; round++) {
      await commit(one, 0);
      await commit(two, 2);
    }
    const last = Promise.allSettled(
      [1, 3].map((partition) => commit(partition === 1 ? one : two, partition)),
    );
    await first.server.kill();
    await last;
    const killedMs = performance.now();

    const second = await coordinator(first);
    const tookMs = performance.now() - killedMs;
    process.stdout.write(`      another broker coordinates ${Math.round(tookMs)} ms after the kill\n`);
    expect(second.id).to.not.equal(first.id);
    const found = (await committed(callTo(second), GROUP)) as Readonly<Record<string, number>>;
    for (const [place, at] of acknowledged) expect(found[place], place).to.equal(at);

    // The generation is what it was: nobody has to join again.
    for (const member of members) {
      member.call = callTo(second);
      expect((await member.heartbeat()).error).to.equal(null);
    }
    expect((await one.commit({ topic: TOPIC, partition: 0, offset: 1_000 })).results[0]!.error).to.equal(
      null,
    );
    const { groups } = await callTo(second)(groupService.DescribeGroups, { groupIds: [GROUP] });
    expect(groups[0]).to.deep.include({ state: 'Stable', generationId: 1 });
    // The one that is back is a coordinator of others, and says so.
    await first.start();
    const told = await eventually('the answer of who coordinated before', 20_000, async () => {
      const { error } = await callTo(first)(groupService.Heartbeat, { groupId: GROUP, memberId: 'x' });
      return error !== null && PASSING.has(error.name) ? error.name : undefined;
    });
    expect(told).to.equal('NOT_COORDINATOR');
    // One leaves; the other has it all in the next generation.
    await callTo(second)(groupService.LeaveGroup, { groupId: GROUP, members: [{ memberId: two.memberId }] });
    expect((await one.heartbeat()).error?.name).to.equal('REBALANCE_IN_PROGRESS');
    const alone = await one.join({ sessionTimeoutMs: SESSION_MS });
    expect(alone).to.deep.include({ error: null, generationId: 2, leader: one.memberId });
    expect((await one.sync(TOPIC, { [one.memberId]: [0, 1, 2, 3] })).error).to.equal(null);
  });
});
