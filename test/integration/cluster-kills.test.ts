// Three nodes that are broker and controller each, with the time-outs users have, and writers that never stop. A broker that is killed
// is known to be dead long before its session is over, because its host refuses connections; one that is only frozen is not.
import { expect } from 'chai';
import { Producer, type Admin } from '@tidemark/client';
import { TidemarkError } from '@tidemark/core';
import { Cluster, eventually, figures, type ClusterNode } from './cluster.ts';

const KILLS = 2;
const PARTITIONS = 3;
const TOPIC = 'orders';
const REFUSED = 'a broker refuses connections and is silent: it is fenced';
const ACTIVE = 'this node is the active controller';
const SESSION_MS = 9_000;

interface Acknowledged {
  readonly sentMs: number;
  readonly atMs: number;
}

/** Writes to each partition, one record after another, with acks=all. */
class Writers {
  readonly #producer: Producer;
  readonly #last: Acknowledged[] = [];
  readonly #running: Promise<void>[];
  #isOver = false;

  constructor(brokers: readonly string[]) {
    this.#producer = new Producer({ brokers, config: { acks: 'all', 'linger.ms': 0 } });
    this.#running = Array.from({ length: PARTITIONS }, (_, partition) => this.#write(partition));
  }

  /** When a record was acknowledged that was sent after `sinceMs`. */
  async next(partition: number, sinceMs: number, withinMs: number): Promise<number> {
    return eventually(`a write to partition ${partition}`, withinMs, () => {
      const last = this.#last[partition];
      return last !== undefined && last.sentMs >= sinceMs ? last.atMs : undefined;
    });
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await this.#producer.close({ timeoutMs: 0 });
    await Promise.all(this.#running);
  }

  async #write(partition: number): Promise<void> {
    for (;;) {
      const sentMs = Date.now();
      try {
        await this.#producer.send({ topic: TOPIC, partition, value: `${sentMs}` });
      } catch (error) {
        if (this.#isOver && error instanceof TidemarkError) return;
        throw error;
      }
      this.#last[partition] = { sentMs, atMs: Date.now() };
    }
  }
}

describe('a broker that dies, with the default time-outs', function () {
  this.timeout(240_000);

  let cluster: Cluster;
  let admin: Admin;
  let writers: Writers;

  before(async () => {
    cluster = await Cluster.start({ nodes: [{ id: 1 }, { id: 2 }, { id: 3 }] });
    admin = cluster.admin();
    await admin.createTopics([
      {
        name: TOPIC,
        // Each node is preferred by one partition.
        assignments: [
          [1, 2, 3],
          [2, 3, 1],
          [3, 1, 2],
        ],
        configs: { 'min.insync.replicas': '2' },
      },
    ]);
    writers = new Writers(cluster.addresses());
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(cluster.stderr);
  });

  after(async () => {
    await writers.close();
    await cluster.dispose();
  });

  const leaders = async (): Promise<readonly number[]> => {
    const [described] = await admin.describeTopics([TOPIC]);
    return described!.partitions.map(({ leaderId }) => leaderId);
  };

  /** Everyone is in sync, and each node leads one partition again. */
  const whole = async (): Promise<void> => {
    await eventually('three replicas in sync', 40_000, async () => {
      const [described] = await admin.describeTopics([TOPIC]);
      return described!.partitions.every(({ inSyncReplicas }) => inSyncReplicas.length === 3) || undefined;
    });
    await admin.electLeaders('preferred');
    await eventually('each node leads', 10_000, async () => new Set(await leaders()).size === 3 || undefined);
  };

  const isFenced = async (node: ClusterNode): Promise<boolean> => {
    const { brokers } = await admin.describeCluster();
    return brokers.find(({ id }) => id === node.id)?.fenced === true;
  };

  /** Kills it; answers how long nothing could be written to what it led, and how long its way back took. */
  async function kill(victim: ClusterNode): Promise<{ readonly gapMs: number; readonly backMs: number }> {
    const led = [...(await leaders()).entries()].filter(([, leader]) => leader === victim.id);
    expect(led, 'it leads something').to.have.length.above(0);
    const killedMs = Date.now();
    await victim.server.kill();
    const deadMs = Date.now();
    const written = await Promise.all(led.map(([partition]) => writers.next(partition, deadMs, 20_000)));
    const gapMs = Math.max(...written) - killedMs;
    const startedMs = Date.now();
    await victim.start();
    await eventually('unfenced', 20_000, async () => !(await isFenced(victim)) || undefined);
    const backMs = Date.now() - startedMs;
    const told = cluster.nodes.flatMap(({ id, server }) =>
      server.log.flatMap(({ msg, time }) =>
        Date.parse(time) >= killedMs && (msg === REFUSED || msg === ACTIVE)
          ? [`${id}:${msg === REFUSED ? 'fences' : 'active'}+${Date.parse(time) - killedMs}`]
          : [],
      ),
    );
    process.stdout.write(`      gap ${gapMs} back ${backMs} ${told.join(' ')}\n`);
    return { gapMs, backMs };
  }

  for (const who of ['another node', 'the active controller'] as const) {
    it(`is replaced within seconds when it is ${who}`, async () => {
      const gapsMs: number[] = [];
      const backMs: number[] = [];
      for (let round = 0; round < KILLS; round++) {
        await whole();
        const active = await cluster.leader();
        const victim = who === 'another node' ? cluster.nodes.find((node) => node !== active)! : active;
        const taken = await kill(victim);
        gapsMs.push(taken.gapMs);
        backMs.push(taken.backMs);
      }
      process.stdout.write(`      ${figures(`kill of ${who} to next write`, gapsMs)}\n`);
      process.stdout.write(`      ${figures('start to unfenced', backMs)}\n`);
      expect(Math.max(...gapsMs)).to.be.below(6_000);
    });
  }

  it('is back at once when it is started again at once', async () => {
    await whole();
    const active = await cluster.leader();
    const victim = cluster.nodes.find((node) => node !== active)!;
    await victim.server.kill();
    const startedMs = Date.now();
    // Serving means registered anew, which the session of the incarnation before does not hold up.
    await victim.start();
    const backMs = Date.now() - startedMs;
    process.stdout.write(`      start to ready: ${backMs} ms\n`);
    expect(backMs).to.be.below(6_000);
  });

  it('keeps its session when it is only frozen', async () => {
    await whole();
    const active = await cluster.leader();
    const frozen = cluster.nodes.find((node) => node !== active)!;
    frozen.server.freeze();
    const frozenMs = Date.now();
    try {
      await eventually('the frozen broker fenced', 20_000, async () => (await isFenced(frozen)) || undefined);
      // The session began with a heartbeat of at most two seconds before.
      expect(Date.now() - frozenMs).to.be.above(SESSION_MS - 2_500);
    } finally {
      frozen.server.resume();
    }
    const told = cluster.nodes.flatMap(({ server }) =>
      server.log.filter(({ msg, time }) => msg === REFUSED && Date.parse(time) >= frozenMs),
    );
    expect(told).to.deep.equal([]);
  });
});
