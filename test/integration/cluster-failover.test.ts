// Three nodes that are broker and controller each, with the timeouts users have. The active controller is killed over and over, and
// once only frozen, while topics are created through all of them: what was acknowledged is there, everywhere and once.
import { expect } from 'chai';
import { adminService, clusterService, quorumService } from '@tidemark/rpc';
import { Cluster, eventually, figures, type ClusterNode } from './cluster.ts';

const KILLS = 10;
const TOPICS_A_KILL = 18;
const TOPICS_WHILE_FROZEN = 20;
const PARTITIONS = 6;
/** One request, from the side of who asks. */
const PATIENCE_MS = 4_000;
const ACTIVE = 'this node is the active controller';
const NOT_ACTIVE = 'this node is no longer the active controller';

interface Acknowledged {
  readonly name: string;
  readonly topicId: string;
}

/** Creates topics, each through two nodes at the same time, and never gives up. */
class Creator {
  readonly names: string[] = [];
  readonly acknowledged: Acknowledged[] = [];
  readonly #cluster: Cluster;
  #turn = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Resolves when each of them is created, whoever was told so. */
  async create(prefix: string, count: number): Promise<void> {
    const names = Array.from({ length: count }, (_, at) => `${prefix}-${at}`);
    this.names.push(...names);
    await Promise.all(names.flatMap((name) => [this.insist(name), this.insist(name)]));
  }

  async insist(name: string): Promise<void> {
    const { nodes } = this.#cluster;
    await eventually(`topic ${name}`, 40_000, async () => {
      this.#turn += 1;
      return this.ask(nodes[this.#turn % nodes.length]!, name);
    });
  }

  /** Undefined when it is not known whether the topic is there. */
  async ask(node: ClusterNode, name: string): Promise<'created' | 'exists' | undefined> {
    const topic = { name, partitionCount: PARTITIONS, replicationFactor: 3 };
    const request = { topics: [topic], timeoutMs: PATIENCE_MS };
    const { results } = await node.call(adminService.CreateTopics, request, PATIENCE_MS + 1_000);
    const { error, topicId } = results[0]!;
    if (error === null) {
      this.acknowledged.push({ name, topicId });
      return 'created';
    }
    if (error.name === 'TOPIC_ALREADY_EXISTS') return 'exists';
    if (error.retriable) return undefined;
    throw new Error(`${name}: ${error.name}: ${error.message}`);
  }
}

describe('three controllers, of which the active one dies', function () {
  this.timeout(95_000);

  let cluster: Cluster;
  let creator: Creator;
  const failoverMs: number[] = [];
  /** Restarts under way. */
  const coming = new Map<ClusterNode, Promise<void>>();

  before(async () => {
    cluster = await Cluster.start({ nodes: [{ id: 1 }, { id: 2 }, { id: 3 }] });
    creator = new Creator(cluster);
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(cluster.stderr);
  });

  after(async () => {
    await cluster.dispose();
  });

  /** The next node that is active after `sinceMs`, and how long that took. */
  const successor = (lost: ClusterNode, sinceMs: number): Promise<ClusterNode> =>
    eventually('another active controller', 15_000, () => {
      for (const node of cluster.nodes) {
        const line = node.logged(ACTIVE).findLast(({ time }) => Date.parse(time) >= sinceMs);
        if (node === lost || line === undefined) continue;
        failoverMs.push(Date.parse(line.time) - sinceMs);
        return node;
      }
      return undefined;
    });

  /** Every voter follows, so that the next kill finds a majority. */
  const whole = async (): Promise<void> => {
    await eventually('three voters that keep up', 20_000, async () => {
      const { voters, logEndOffset } = await cluster.quorum();
      const follow = voters.filter(
        ({ lastContactMs, matchOffset }) =>
          lastContactMs >= 0 && lastContactMs < 500 && logEndOffset - matchOffset < 100,
      );
      return follow.length === 3 ? follow : undefined;
    });
  };

  it('creates topics through ten kill -9 of whoever decides', async () => {
    for (let round = 0; round < KILLS; round++) {
      const leader = await cluster.leader();
      const before = creator.acknowledged.length;
      const creating = creator.create(`round-${round}`, TOPICS_A_KILL);
      await eventually(
        'a first acknowledgement',
        20_000,
        () => creator.acknowledged.length > before || undefined,
      );
      const atMs = Date.now();
      // If it is still on the way back as a broker, that way ends here.
      const interrupted = coming.get(leader)?.catch(() => undefined);
      await leader.server.kill();
      await interrupted;
      await successor(leader, atMs);
      coming.set(leader, leader.supervise());
      await Promise.all([creating, whole()]);
    }
    await Promise.all(coming.values());
    coming.clear();
    process.stdout.write(`      ${figures('kill to next active controller', failoverMs)}\n`);
    expect(failoverMs).to.have.length(KILLS);
    expect(Math.max(...failoverMs)).to.be.below(3_000);
  });

  it('has a leader that was frozen step down when it awakes, and answer nothing stale', async () => {
    const frozen = await cluster.leader();
    const old = frozen.logged(NOT_ACTIVE).length;
    failoverMs.length = 0;
    const frozenMs = Date.now();
    frozen.server.freeze();
    const next = await successor(frozen, frozenMs);
    await creator.create('frozen', TOPICS_WHILE_FROZEN);
    // Longer than the session of a broker (9 s), and any timeout of the quorum.
    await eventually('the frozen broker fenced', 20_000, async () => {
      const { brokers } = await next.cluster();
      return brokers.find(({ id }) => id === frozen.id)?.fenced === true ? true : undefined;
    });
    // Asked while it stands still, so that it finds these before it hears of any other node.
    const known = new Set(creator.acknowledged.map(({ name }) => name)).size;
    const [quorum, described, created] = [
      frozen.call(quorumService.DescribeQuorum, {}),
      frozen.call(clusterService.DescribeCluster, {}),
      creator.ask(frozen, 'asked-of-the-frozen').catch(() => undefined),
    ];
    creator.names.push('asked-of-the-frozen');
    const resumedMs = Date.now();
    frozen.server.resume();
    expect((await quorum).error?.name).to.equal('NOT_CONTROLLER');
    const { error, topicCount } = await described;
    if (error === null) expect(topicCount).to.be.at.least(known);
    if ((await created) === undefined) await creator.insist('asked-of-the-frozen');
    const stepped = await eventually('that the frozen leader steps down', 5_000, () =>
      frozen.logged(NOT_ACTIVE).at(old),
    );
    const steppedMs = Date.parse(stepped.time) - resumedMs;
    process.stdout.write(
      `      frozen for ${resumedMs - frozenMs} ms; the next active controller after ${failoverMs[0]!} ms; the old one stepped down ${steppedMs} ms after it awoke\n`,
    );
    expect(steppedMs).to.be.below(3_000);
  });

  it('has every acknowledged topic on every node, with the id that was told, once', async () => {
    const { commitOffset } = await cluster.quorum();
    const listed = await Promise.all(
      cluster.nodes.map((node) =>
        eventually(`all metadata on node ${node.id}`, 20_000, async () => {
          if ((await node.quorum()).appliedOffset < commitOffset) return undefined;
          return (await node.call(clusterService.GetMetadata, { allTopics: true })).topics;
        }),
      ),
    );
    const names = creator.acknowledged.map(({ name }) => name);
    expect(new Set(names).size, 'acknowledged twice').to.equal(names.length);
    for (const topics of listed) {
      const ids = new Map(topics.map(({ name, topicId }) => [name, topicId]));
      expect(ids.size).to.equal(topics.length);
      expect([...ids.keys()].sort()).to.deep.equal([...creator.names].sort());
      expect(new Set(ids.values()).size).to.equal(topics.length);
      for (const { partitions } of topics) expect(partitions).to.have.length(PARTITIONS);
      for (const { name, topicId } of creator.acknowledged) expect(ids.get(name), name).to.equal(topicId);
    }
    const [first, ...others] = listed.map((topics) =>
      topics.map(({ name, topicId }) => `${name} ${topicId}`).sort(),
    );
    for (const other of others) expect(other).to.deep.equal(first);
    process.stdout.write(
      `      ${names.length} of ${creator.names.length} topics acknowledged to one of two who asked\n`,
    );
  });
});
