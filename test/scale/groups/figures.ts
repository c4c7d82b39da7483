// What groups cost on a cluster of three: the pause of each partition when a member joins (eager and cooperative), a rebalance of many
// members, commits a second, and how long offsets are out of reach after their coordinator was killed. By hand, on a quiet machine:
//
//   node --import tsx --conditions=@tidemark/source test/scale/groups/figures.ts [pause] [rebalance] [commits] [failover]
//
// Figures of one machine, never a verdict. All members run in this process, beside the brokers.
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Consumer, Producer } from '@tidemark/client';
import { groupService } from '@tidemark/rpc';
import { Cluster, eventually, figures, type ClusterNode } from '../../integration/cluster.ts';

const wanted = process.argv.slice(2);
const wants = (what: string): boolean => wanted.length === 0 || wanted.includes(what);
const say = (text: string): void =>
  void process.stdout.write(`${text}  (load ${loadavg()[0]!.toFixed(1)})\n`);
const spread = (values: readonly number[]): string =>
  values.length === 0 ? '-' : figures('', values.map(Math.round)).slice(2);

class Member {
  readonly owned = new Set<number>();
  generation = 0;
  readonly consumer: Consumer;
  #running: Promise<void>;

  constructor(
    cluster: Cluster,
    groupId: string,
    topic: string,
    strategy: string,
    onRecord: (partition: number) => void,
  ) {
    this.consumer = new Consumer({
      brokers: cluster.addresses(),
      groupId,
      config: { 'partition.assignment.strategy': strategy, 'auto.offset.reset': 'latest' },
      onGroupEvent: (event) => {
        if (event.type === 'joined') this.generation = event.generation;
      },
    });
    this.consumer.subscribe([topic], {
      onAssigned: (partitions) => {
        for (const { partition } of partitions) this.owned.add(partition);
      },
      onRevoked: (partitions) => {
        for (const { partition } of partitions) this.owned.delete(partition);
      },
    });
    this.#running = this.consumer.run({
      concurrency: 16,
      eachBatch: (batch) => onRecord(batch.partition),
    });
    this.#running.catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.consumer.close();
  }
}

async function settled(members: readonly Member[], partitions: number): Promise<void> {
  await eventually('every partition has one owner', 120_000, () => {
    const owned = members.reduce((sum, member) => sum + member.owned.size, 0);
    const all = new Set(members.flatMap((member) => [...member.owned])).size;
    const least = Math.floor(partitions / members.length);
    const isEven = members.every(({ owned: { size } }) => size >= least && size <= least + 1);
    return all === partitions && owned === partitions && isEven ? true : undefined;
  });
}

async function pauses(cluster: Cluster): Promise<void> {
  const partitions = 48;
  for (const strategy of ['range', 'cooperative-sticky']) {
    const topic = `pause-${strategy}`;
    await cluster.admin().createTopic({ name: topic, partitions, replicationFactor: 3 });
    const lastMs = new Array<number>(partitions).fill(0);
    const worstMs = new Array<number>(partitions).fill(0);
    const seen = (partition: number): void => {
      const nowMs = performance.now();
      if (lastMs[partition]! > 0)
        worstMs[partition] = Math.max(worstMs[partition]!, nowMs - lastMs[partition]!);
      lastMs[partition] = nowMs;
    };
    const producer = new Producer({ brokers: cluster.addresses() });
    const state = { isOver: false };
    const producing = (async () => {
      for (let at = 0; !state.isOver; at++) {
        for (let partition = 0; partition < partitions; partition++) {
          producer.send({ topic, partition, value: `${at}` }, () => undefined);
        }
        await sleep(20);
      }
      await producer.close();
    })();
    const members = Array.from({ length: 12 }, () => new Member(cluster, topic, topic, strategy, seen));
    await settled(members, partitions);
    await sleep(5_000);
    worstMs.fill(0);
    await sleep(5_000);
    say(`${strategy}: longest time between records of a partition, nobody joining: ${spread(worstMs)}`);
    const before = members.map(({ owned }) => new Set(owned));
    worstMs.fill(0);
    const joinedMs = performance.now();
    members.push(new Member(cluster, topic, topic, strategy, seen));
    await settled(members, partitions);
    say(
      `${strategy}: a thirteenth member joins, settled after ${Math.round(performance.now() - joinedMs)} ms`,
    );
    await sleep(3_000);
    const stayed = new Set(
      members.slice(0, 12).flatMap(({ owned }, at) => [...owned].filter((one) => before[at]!.has(one))),
    );
    const of = (isStaying: boolean): number[] => worstMs.filter((_, at) => stayed.has(at) === isStaying);
    say(`${strategy}: pause of the ${stayed.size} partitions that stay: ${spread(of(true))}`);
    say(`${strategy}: pause of the ${partitions - stayed.size} that move: ${spread(of(false))}`);
    state.isOver = true;
    await producing;
    await Promise.all(members.map((member) => member.close()));
  }
}

async function rebalances(cluster: Cluster): Promise<void> {
  const topic = 'many';
  await cluster.admin().createTopic({ name: topic, partitions: 1_000, replicationFactor: 3 });
  for (const strategy of ['range', 'cooperative-sticky']) {
    const groupId = `many-${strategy}`;
    const begunMs = performance.now();
    const members = Array.from(
      { length: 99 },
      () => new Member(cluster, groupId, topic, strategy, () => undefined),
    );
    await settled(members, 1_000);
    say(
      `${strategy}: 99 members on 1,000 partitions, from nothing: ${Math.round(performance.now() - begunMs)} ms`,
    );
    const joinedMs = performance.now();
    members.push(new Member(cluster, groupId, topic, strategy, () => undefined));
    await settled(members, 1_000);
    say(`${strategy}: the hundredth joins, settled after ${Math.round(performance.now() - joinedMs)} ms`);
    const leftMs = performance.now();
    const [leaver] = members.splice(50, 1);
    await leaver!.close();
    await settled(members, 1_000);
    say(`${strategy}: one leaves, settled after ${Math.round(performance.now() - leftMs)} ms`);
    await Promise.all(members.map((member) => member.close()));
  }
}

async function coordinatorOf(cluster: Cluster, groupId: string, asked: ClusterNode): Promise<ClusterNode> {
  return eventually(`the coordinator of ${groupId}`, 60_000, async () => {
    const { coordinators } = await asked.call(groupService.FindCoordinator, { groupIds: [groupId] });
    const [found] = coordinators;
    return found === undefined || found.error !== null ? undefined : cluster.node(found.nodeId);
  });
}

async function commits(cluster: Cluster): Promise<void> {
  const admin = cluster.admin();
  await admin.createTopic({ name: 'committed', partitions: 100, replicationFactor: 3 });
  for (const offsetsEach of [1, 10]) {
    for (const groups of [1, 100]) {
      const nodes = await Promise.all(
        Array.from({ length: groups }, (_, at) => coordinatorOf(cluster, `commits-${at}`, cluster.nodes[0]!)),
      );
      const endMs = performance.now() + 8_000;
      let count = 0;
      const latencies: number[] = [];
      const loops = Array.from({ length: Math.max(groups, 32) }, async (_, loop) => {
        const at = loop % groups;
        for (let offset = 0; performance.now() < endMs; offset++) {
          const sentMs = performance.now();
          const { error, results } = await nodes[at]!.call(groupService.CommitOffsets, {
            groupId: `commits-${at}`,
            generationId: -1,
            memberId: '',
            offsets: Array.from({ length: offsetsEach }, (__, partition) => ({
              topic: 'committed',
              partition,
              offset,
            })),
          });
          if (error?.retriable === true) continue;
          if (error !== null || results.some((result) => result.error !== null)) {
            throw new Error(JSON.stringify({ error, results }));
          }
          count++;
          latencies.push(performance.now() - sentMs);
        }
      });
      await Promise.all(loops);
      say(
        `commits of ${offsetsEach} offsets, ${groups} groups, ${loops.length} under way: ${Math.round(count / 8)} a second; latency ${spread(latencies)}`,
      );
    }
  }
}

async function failover(cluster: Cluster): Promise<void> {
  const groups = 1_000;
  const each = 100;
  const admin = cluster.admin();
  await admin.createTopic({ name: 'owned', partitions: each, replicationFactor: 1 }).catch(() => undefined);
  const names = Array.from({ length: groups }, (_, at) => `owned-${at}`);
  const coordinators = new Map<string, ClusterNode>();
  for (const name of names) coordinators.set(name, await coordinatorOf(cluster, name, cluster.nodes[0]!));
  const offsets = Array.from({ length: each }, (_, partition) => ({
    topic: 'owned',
    partition,
    offset: 1_000 + partition,
  }));
  const queue = [...names];
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
        const { error } = await coordinators
          .get(name)!
          .call(groupService.CommitOffsets, { groupId: name, generationId: -1, memberId: '', offsets });
        if (error !== null) throw new Error(JSON.stringify(error));
      }
    }),
  );
  const counts = cluster.nodes.map((node) => names.filter((name) => coordinators.get(name) === node).length);
  const victim = cluster.nodes[counts.indexOf(Math.max(...counts))]!;
  const moved = names.filter((name) => coordinators.get(name) === victim);
  const others = cluster.nodes.filter((node) => node !== victim);
  const killedMs = performance.now();
  await victim.server.kill();
  const left = new Set(moved);
  const times: number[] = [];
  while (left.size > 0 && performance.now() - killedMs < 60_000) {
    await Promise.all(
      [...left].slice(0, 64).map(async (name) => {
        for (const node of others) {
          const answer = await node
            .call(groupService.FetchOffsets, { groupId: name, allPartitions: true })
            .catch(() => undefined);
          if (answer?.error === null && answer.offsets.length === each) {
            left.delete(name);
            times.push(performance.now() - killedMs);
            return;
          }
        }
      }),
    );
    await sleep(10);
  }
  say(
    `coordinator killed (kill -9): ${moved.length} groups with ${moved.length * each} offsets, ${left.size} never answered; kill to offsets readable ${spread(times)}`,
  );
}

async function on(
  name: string,
  settings: Readonly<Record<string, string>>,
  run: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  if (!wants(name)) return;
  const cluster = await Cluster.start({ nodes: [{ id: 1 }, { id: 2 }, { id: 3 }], settings });
  try {
    await run(cluster);
  } finally {
    await cluster.dispose();
  }
}

await on('pause', {}, pauses);
await on('rebalance', {}, rebalances);
await on('commits', {}, commits);
await on('failover', {}, failover);
await on('failover', { 'offsets.topic.num.partitions': '1' }, failover);
