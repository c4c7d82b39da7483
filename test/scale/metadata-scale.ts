// What many partitions cost a cluster of three nodes, broker and controller each: creating them, losing and regaining a node, memory
// and metadata. Run by hand after a build, on a machine with nothing else to do:
//
//   node --import tsx --conditions=@tidemark/source test/scale/metadata-scale.ts [--partitions 10000] [--profile FOLDER]
//
// Figures of one machine, never a verdict. Every partition is a folder with a log on each of the three nodes, so the disk counts.
import { readdir, readFile, stat } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { clusterService } from '@tidemark/rpc';
import { Cluster, eventually, type ClusterNode } from '../integration/cluster.ts';

const TOPICS_A_REQUEST = 10;
const PARTITIONS_A_TOPIC = 100;
const SESSION_MS = 9_000;
const ACTIVE = 'this node is the active controller';

const { values } = parseArgs({
  options: { partitions: { type: 'string', default: '10000' }, profile: { type: 'string' } },
});
const topicCount = Math.ceil(Number(values.partitions) / PARTITIONS_A_TOPIC);
const partitionCount = topicCount * PARTITIONS_A_TOPIC;
const names = Array.from({ length: topicCount }, (_, at) => `scale-${at}`);

const rows: (readonly [what: string, figure: string])[] = [];
function row(what: string, figure: string): void {
  rows.push([what, figure]);
  process.stderr.write(`${what}: ${figure}  (load ${loadavg()[0]!.toFixed(1)})\n`);
}
const ms = (since: number): string => `${Math.round(performance.now() - since)} ms`;
const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;

async function residentBytes({ server }: ClusterNode): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
}

async function openFiles({ server }: ClusterNode): Promise<number> {
  return (await readdir(`/proc/${server.pid}/fd`)).length;
}

async function folderBytes(folder: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function memory(cluster: Cluster, when: string): Promise<void> {
  const all = await Promise.all(cluster.nodes.map(residentBytes));
  const files = await Promise.all(cluster.nodes.map(openFiles));
  row(`resident memory of each node, ${when}`, all.map(mib).join(' / '));
  row(`open files of each node, ${when}`, files.join(' / '));
}

/** How long this node takes to tell all of its metadata, and the leaders it names. */
async function allMetadata(
  node: ClusterNode,
): Promise<{ readonly tookMs: number; readonly leaders: Map<number, number> }> {
  const since = performance.now();
  const { topics } = await node.call(clusterService.GetMetadata, { allTopics: true }, 30_000);
  const tookMs = performance.now() - since;
  const leaders = new Map<number, number>();
  for (const { leaderId } of topics.flatMap(({ partitions }) => partitions)) {
    leaders.set(leaderId, (leaders.get(leaderId) ?? 0) + 1);
  }
  return { tookMs, leaders };
}

const cluster = await Cluster.start({
  nodes: [{ id: 1 }, { id: 2 }, { id: 3 }],
  nodeOptions: values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`],
});
try {
  const admin = cluster.admin();
  await memory(cluster, 'empty');
  const before = await cluster.quorum();

  const createMs = performance.now();
  for (let at = 0; at < names.length; at += TOPICS_A_REQUEST) {
    const some = names.slice(at, at + TOPICS_A_REQUEST);
    const created = await admin.createTopics(
      some.map((name) => ({ name, partitions: PARTITIONS_A_TOPIC, replicationFactor: 3 })),
    );
    for (const { error } of created) if (error !== undefined) throw error;
  }
  row(
    `create ${topicCount} topics with ${partitionCount} partitions of 3 replicas, ${TOPICS_A_REQUEST} topics a request, each waited for`,
    ms(createMs),
  );
  const { commitOffset } = await cluster.quorum();
  await eventually('all metadata everywhere', 60_000, async () => {
    const known = await Promise.all(cluster.nodes.map(async (node) => (await node.quorum()).appliedOffset));
    return known.every((offset) => offset >= commitOffset) || undefined;
  });
  row('until every node has applied them', ms(createMs));
  await memory(cluster, 'with the partitions');
  for (const [what, folder] of [
    ['metadata log', '__cluster_metadata-0'],
    ['metadata store', 'metadata'],
  ] as const) {
    const bytes = await folderBytes(join(cluster.nodes[0]!.server.dataDirectory, folder));
    row(`${what}, bytes a partition`, (bytes / partitionCount).toFixed(1));
  }
  row('metadata records', `${commitOffset - before.commitOffset}`);
  row('GetMetadata of everything', `${Math.round((await allMetadata(cluster.nodes[0]!)).tookMs)} ms`);
  const healthMs = performance.now();
  await admin.clusterHealth();
  row('cluster health', ms(healthMs));

  // The active controller and broker dies: the quorum elects, and once the broker's session is over its leaders move.
  const lost = await cluster.leader();
  const killedMs = Date.now();
  await lost.server.kill();
  const others = cluster.nodes.filter((node) => node !== lost);
  const [next, activeMs] = await eventually('the next active controller', 30_000, () => {
    for (const node of others) {
      const line = node.logged(ACTIVE).findLast(({ time }) => Date.parse(time) >= killedMs);
      if (line !== undefined) return [node, Date.parse(line.time)] as const;
    }
    return undefined;
  });
  row('kill -9 to the next active controller', `${activeMs - killedMs} ms`);
  const other = others.find((node) => node !== next)!;
  await eventually('the lost broker fenced', 60_000, async () => {
    const { brokers } = await other.cluster();
    return brokers.find(({ id }) => id === lost.id)!.fenced || undefined;
  });
  row(
    'until the lost broker is fenced, after the end of its session',
    `${Date.now() - activeMs - SESSION_MS} ms`,
  );
  await eventually('its leaders moved', 60_000, async () => {
    const { leaders } = await allMetadata(other);
    return leaders.get(lost.id) === undefined || undefined;
  });
  const movedMs = Date.now();
  row(
    'until a third node knows that all its leaders moved: after the kill, after the end of the session',
    `${movedMs - killedMs} ms, ${movedMs - activeMs - SESSION_MS} ms`,
  );

  const restartMs = performance.now();
  await lost.start();
  row('start of that node, to serving (it had not stopped cleanly)', ms(restartMs));
  const electMs = performance.now();
  const share = Math.floor(partitionCount / 3) - topicCount;
  let electedMs = -Infinity;
  const back = await eventually('leaders back', 60_000, async () => {
    // Only what is in sync again can be elected, so it is asked again.
    if (performance.now() - electedMs > 500) {
      electedMs = performance.now();
      await admin.electLeaders('preferred');
    }
    const { leaders } = await allMetadata(other);
    return (leaders.get(lost.id) ?? 0) >= share ? leaders.get(lost.id) : undefined;
  }).catch(() => undefined);
  row(
    'its replicas in sync again and its preferred leaders elected',
    back === undefined ? 'not within 60 s' : `${back} in ${ms(electMs)}`,
  );
  await memory(cluster, 'after that');

  const stopping = (await cluster.leader()) === next ? other : next;
  const stopMs = performance.now();
  const code = await stopping.server.stop();
  row(`clean stop of another node (exit code ${code})`, ms(stopMs));
  const startMs = performance.now();
  await stopping.start();
  row('start of that node, to serving', ms(startMs));
  const deleteMs = performance.now();
  await admin.deleteTopics(names);
  row(`delete all topics in one request`, ms(deleteMs));
  if (values.profile !== undefined) await Promise.all(cluster.nodes.map((node) => node.server.stop()));
} catch (error) {
  process.stderr.write(cluster.stderr);
  throw error;
} finally {
  await cluster.dispose();
  const width = Math.max(...rows.map(([what]) => what.length));
  for (const [what, figure] of rows) process.stdout.write(`${what.padEnd(width)}  ${figure}\n`);
}
