// A chaos run: a cluster of three processes, clients, faults one after the other from a seed; then everything is healed, read and
// compared. What was started is ended, however the run ends.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { HistoryChecker, SimPrng, type HistoryReport } from '@tidemark/simulation';
import { Cluster } from '../integration/cluster.ts';
import { ChaosClients, readAll, type Workload } from './clients.ts';
import { faults, type Fault } from './faults.ts';
import { fullIsr } from './in-sync.ts';
import { PeerLinks } from './peer-links.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** No fault begins later. */
  readonly forMs: number;
  readonly acks?: 'all' | '1';
  readonly only?: readonly string[];
  readonly recordsPerSecond?: number;
  readonly plantedLosses?: number;
  readonly minAcknowledged?: number;
  readonly settings?: Readonly<Record<string, string>>;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface FaultFigures {
  readonly name: string;
  /** Longest time without an acknowledged write, of each time it was made. */
  readonly pausesMs: number[];
}

export interface ChaosReport {
  readonly history: HistoryReport;
  readonly faults: ReadonlyMap<string, FaultFigures>;
  readonly clientErrors: readonly string[];
  /** What the nodes wrote at last, if the run failed. */
  readonly nodeLogs: string;
}

const TOPICS = ['chaos-a', 'chaos-b'];
const PARTITIONS = TOPICS.flatMap((topic) => [0, 1, 2].map((partition) => ({ topic, partition })));
const BETWEEN_MS = 4_000;
const ISR_MS = 60_000;
/** A broker that is gone is fenced after its session of 9 s; an election and the client's way there come on top. */
const LONGEST_PAUSE_MS = 15_000;

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, forMs, acks = 'all', say } = options;
  const checker = new HistoryChecker({
    acks: acks === 'all' ? 'all' : 1,
    minAcknowledged: options.minAcknowledged ?? 1,
  });
  const links = new PeerLinks();
  const figures = new Map<string, FaultFigures>();
  let cluster: Cluster | undefined;
  let clients: ChaosClients | undefined;
  try {
    cluster = await Cluster.start({
      nodes: [{ id: 1 }, { id: 2 }, { id: 3 }],
      settings: options.settings ?? {},
      votersSeenBy: (id, ports) => links.votersSeenBy(id, ports),
    });
    const admin = cluster.admin();
    await admin.createTopics(TOPICS.map((name) => ({ name, partitions: 3, replicationFactor: 3 })));
    const load: Workload = {
      brokers: cluster.addresses(),
      partitions: PARTITIONS,
      recordsPerSecond: options.recordsPerSecond ?? 1_500,
      acks,
      plantedLosses: options.plantedLosses ?? 0,
    };
    await fullIsr(admin, TOPICS, 3, ISR_MS);
    clients = new ChaosClients(load, checker);
    clients.start();

    const prng = new SimPrng(seed);
    const draw = (bound: number): number => prng.uint32() % bound;
    const chosen = faults.filter(({ name }) => options.only?.includes(name) ?? true);
    const began = performance.now();
    let at = draw(chosen.length);
    while (performance.now() - began < forMs && options.signal?.aborted !== true) {
      const fault = chosen[at++ % chosen.length]!;
      const lastsMs = 2_000 + draw(10_000);
      const context = { cluster, links, admin, topics: TOPICS, draw, lastsMs };
      await strike(fault, context, clients, figures, checker, (line) => {
        say(`${((performance.now() - began) / 1_000).toFixed(1).padStart(7)} s  ${line}`);
      });
      await pause(BETWEEN_MS);
    }

    links.heal();
    await fullIsr(admin, TOPICS, 3, ISR_MS).catch((error: unknown) => checker.noFullIsr(String(error)));
    await clients.finish(5_000);
    await readAll(load, checker, 60_000);
    await stopAndCompare(cluster, checker);
    const history = checker.report();
    const nodeLogs = history.passed ? '' : cluster.stderr;
    return { history, faults: figures, clientErrors: clients.errors, nodeLogs };
  } catch (error) {
    say(`--- the nodes at last\n${cluster?.stderr ?? ''}`);
    throw error;
  } finally {
    await clients?.close();
    await cluster?.dispose();
    await links.close();
  }
}

async function strike(
  fault: Fault,
  context: Parameters<Fault['run']>[0],
  clients: ChaosClients,
  figures: Map<string, FaultFigures>,
  checker: HistoryChecker,
  say: (line: string) => void,
): Promise<void> {
  const before = clients.acknowledged;
  let longest = 0;
  let seen = before;
  let since = performance.now();
  const watch = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - since);
    if (clients.acknowledged === seen) return;
    seen = clients.acknowledged;
    since = now;
  }, 20);
  try {
    await fault.run(context, (what) => say(`${fault.name}: ${what}`));
    // The pause that the fault caused may outlast it.
    const deadline = performance.now() + 20_000;
    const atHeal = clients.acknowledged;
    while (clients.acknowledged === atHeal && performance.now() < deadline) await pause(20);
  } finally {
    clearInterval(watch);
  }
  const made = figures.get(fault.name) ?? { name: fault.name, pausesMs: [] };
  made.pausesMs.push(Math.round(longest));
  figures.set(fault.name, made);
  const during = clients.acknowledged - before;
  if (longest > LONGEST_PAUSE_MS) {
    checker.noProgressDuringFault(`${fault.name}: nothing acknowledged for ${Math.round(longest)} ms`);
  }
  say(`${fault.name} healed; longest pause ${Math.round(longest)} ms, ${during} acknowledged meanwhile`);
}

/** The bytes of the logs of stopped nodes must be the same as far as all replicas go. */
async function stopAndCompare(cluster: Cluster, checker: HistoryChecker): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => node.server.stop()));
  const logs = new Map<string, Map<number, Buffer>>();
  for (const { id, server } of cluster.nodes) {
    // By name, which is by base offset within a partition.
    for (const file of (await readdir(server.dataDirectory, { recursive: true })).sort()) {
      const tp = TOPICS.flatMap((topic) => [0, 1, 2].map((partition) => `${topic}-${partition}`));
      const name = tp.find((each) => file.split('/').some((part) => part.startsWith(each)));
      if (name === undefined || !file.endsWith('.log')) continue;
      const bytes = await readFile(join(server.dataDirectory, file));
      const replicas = logs.get(name) ?? new Map<number, Buffer>();
      replicas.set(id, Buffer.concat([replicas.get(id) ?? Buffer.alloc(0), bytes]));
      logs.set(name, replicas);
    }
  }
  if (logs.size < PARTITIONS.length)
    throw new Error(`logs of ${logs.size} partitions found: ${[...logs.keys()].join()}`);
  for (const [tp, replicas] of logs) {
    // All of them were in sync and nothing was written any more: they end alike, and nobody is without.
    for (const { id } of cluster.nodes) {
      const bytes = replicas.get(id) ?? Buffer.alloc(0);
      const digest = createHash('sha256').update(bytes).digest('hex');
      checker.replica(tp, id, `${digest.slice(0, 16)} of ${bytes.length} bytes`);
    }
  }
}
