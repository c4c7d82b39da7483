// A chaos run: a cluster of three processes, clients, faults one after the other from a seed; then everything is healed, read and
// compared. What was started is ended, however the run ends; what a failed run leaves is the caller's to keep.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { appendFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Admin } from '@tidemark/client';
import { HistoryChecker, SimPrng, type HistoryReport } from '@tidemark/simulation';
import { Cluster, type ClusterNode } from '../integration/cluster.ts';
import { AckWatch } from './ack-watch.ts';
import { ChaosClients, readAll, type Workload } from './clients.ts';
import { faults, type Fault, type FaultContext } from './faults.ts';
import { FaultLog, type Strike } from './fault-log.ts';
import { committedToTheEnd, fullIsr, notInSync } from './in-sync.ts';
import { PeerLinks } from './peer-links.ts';
import type { Profile } from './profile.ts';
import { RecordedHistory } from './recorded-history.ts';
import { SmallDisk } from './small-disk.ts';

export interface ChaosOptions {
  readonly seed: number;
  /** No fault begins later; at least one does. */
  readonly forMs: number;
  readonly profile: Profile;
  /** For the history and, after a failure, the logs and the data of the nodes. */
  readonly folder: string;
  readonly acks?: 'all' | '1';
  readonly only?: readonly string[];
  readonly recordsPerSecond?: number;
  readonly plantedLosses?: number;
  readonly minAcknowledged?: number;
  /** Of a fault that is noticed at once. Default: drawn, 4 to 8 s. */
  readonly shortMs?: number;
  /** Gets the folder of a node's disk that can be filled, before anything is mounted there; absent: none can. */
  readonly onMount?: (path: string) => void;
  readonly say: (line: string) => void;
}

export interface ChaosReport {
  readonly history: HistoryReport;
  readonly historyPath: string;
  readonly strikes: readonly Strike[];
  readonly longestBetweenMs: number;
  /** From the first fault until what was sent was settled. */
  readonly tookMs: number;
  /** `name: why`. */
  readonly skipped: readonly string[];
  readonly clientErrors: readonly string[];
}

const TOPICS = ['chaos-a', 'chaos-b'];
const NODES = [1, 2, 3];
const PARTITIONS = TOPICS.flatMap((topic) => NODES.map((at) => ({ topic, partition: at - 1 })));
const NAMES = PARTITIONS.map(({ topic, partition }) => `${topic}-${partition}`);
const BETWEEN_MS = 500;
/** One of so many faults does not wait until the one before is got over. */
const HURRIED_OF = 4;
const ISR_MS = 60_000;
/** From one fault to the next, if anything is to be seen by then. */
const AT_MOST_BETWEEN_MS = 14_500;
/** After so many faults in a row that began before all was in sync, there are gentle ones until it is. */
const MOST_UNHEALED = 4;
/** As long as that may take beside them. */
const UNDER_REPLICATED_MS = 120_000;
const UNSEEN_MS = 30_000;
const SILENT_MS = 30_000;
const DISK_NODE = 3;

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { folder, say } = options;
  const chosen = chosenFaults(options.only);
  const checker = new HistoryChecker({
    acks: options.acks === '1' ? 1 : 'all',
    minAcknowledged: options.minAcknowledged ?? 1,
  });
  const history = new RecordedHistory(join(folder, 'history.jsonl'), checker);
  const links = new PeerLinks();
  const small = smallDisk(options);
  let cluster: Cluster | undefined;
  let clients: ChaosClients | undefined;
  const dataOf = (node: ClusterNode): string =>
    node.id === DISK_NODE && typeof small !== 'string' ? small.path : node.server.dataDirectory;
  let hasPassed = false;
  try {
    const onSmall = typeof small === 'string' ? {} : { settings: { 'log.dirs': small.path } };
    cluster = await Cluster.start({
      nodes: NODES.map((id) => ({ id, ...(id === DISK_NODE ? onSmall : {}) })),
      settings: options.profile.settings,
      votersSeenBy: (id, ports) => links.votersSeenBy(id, ports),
    });
    const admin = cluster.admin();
    await admin.createTopics(
      TOPICS.map((name) => ({ name, partitions: NODES.length, replicationFactor: 3 })),
    );
    await fullIsr(admin, TOPICS, NODES.length, ISR_MS);
    const load: Workload = {
      brokers: cluster.addresses(),
      partitions: PARTITIONS,
      recordsPerSecond: options.recordsPerSecond ?? 400,
      acks: options.acks ?? 'all',
      plantedLosses: options.plantedLosses ?? 0,
    };
    const watch = new AckWatch(NAMES);
    clients = new ChaosClients(load, history, watch);
    clients.start();

    const prng = new SimPrng(options.seed);
    const draw = (bound: number): number => prng.uint32() % bound;
    const disk = typeof small === 'string' ? small : { node: cluster.node(DISK_NODE), small };
    const context = (): FaultContext => ({
      cluster: cluster!,
      links,
      admin,
      topics: TOPICS,
      draw,
      shortMs: options.shortMs ?? 4_000 + draw(4_000),
      longMs: options.profile.sessionMs + 1_500 + draw(1_000),
      disk,
    });
    const skipped = chosen.flatMap((fault) => {
      const why = fault.skipped?.(context());
      return why === undefined ? [] : [`${fault.name}: ${why}`];
    });
    const made = chosen.filter((fault) => fault.skipped?.(context()) === undefined);
    if (made.length === 0) throw new Error(`no fault can be made: ${skipped.join('; ')}`);

    const log = new FaultLog({ history, watch, silentMs: SILENT_MS, say });
    const sync = new InSyncWatch(admin, history);
    let round: Fault[] = [];
    let unhealed = 0;
    do {
      const isWhole = await sync.isWhole();
      unhealed = isWhole ? 0 : unhealed + 1;
      // What takes no replica out of sync goes on while the cluster gets over what does.
      const gentle = unhealed > MOST_UNHEALED ? made.filter(({ isGentle }) => isGentle) : [];
      if (round.length === 0) round = shuffled(made, draw);
      const fault = gentle[draw(Math.max(1, gentle.length))] ?? round.pop()!;
      await log.strike(fault, context(), isWhole);
      if (log.elapsedMs >= options.forMs) break;
      if (draw(HURRIED_OF) > 0) await sync.within(AT_MOST_BETWEEN_MS - BETWEEN_MS - log.sinceStrikeMs);
      await pause(BETWEEN_MS);
    } while (log.elapsedMs < options.forMs);

    links.heal();
    await inSync(admin, history);
    await clients.settle();
    await committedToTheEnd(admin, TOPICS, NODES.length, ISR_MS);
    await clients.finish(UNSEEN_MS);
    const tookMs = log.elapsedMs;
    await readAll(load, history, 60_000);
    await stopAndCompare(cluster, dataOf, history);
    const report = checker.report();
    hasPassed = report.passed;
    return {
      history: report,
      historyPath: history.path,
      strikes: log.strikes,
      longestBetweenMs: log.longestBetweenMs,
      tookMs,
      skipped,
      clientErrors: clients.errors,
    };
  } finally {
    await clients?.close();
    history.close();
    if (!hasPassed && cluster !== undefined) await keep(cluster, dataOf, folder);
    await cluster?.dispose();
    await links.close();
  }
}

function chosenFaults(only: readonly string[] | undefined): readonly Fault[] {
  const unknown = only?.filter((name) => !faults.some((fault) => fault.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new Error(`no fault is called ${unknown.join(', ')}: ${faults.map(({ name }) => name).join(', ')}`);
  }
  return faults.filter(({ name }) => only?.includes(name) ?? true);
}

function shuffled<T>(all: readonly T[], draw: (bound: number) => number): T[] {
  const left = [...all];
  return all.map(() => left.splice(draw(left.length), 1)[0]!);
}

function smallDisk({ only, onMount, folder }: ChaosOptions): SmallDisk | string {
  if (only?.includes('disk-full') === false) return 'not chosen';
  if (onMount === undefined) return 'no mount namespace of our own (unshare -rm)';
  const path = join(folder, 'small-disk');
  onMount(path);
  return SmallDisk.mount(path);
}

/** Whether every replica is in sync, asked between faults; tells when that has not been for too long. */
class InSyncWatch {
  readonly #admin: Admin;
  readonly #history: RecordedHistory;
  #wholeMs = performance.now();

  constructor(admin: Admin, history: RecordedHistory) {
    this.#admin = admin;
    this.#history = history;
  }

  async isWhole(): Promise<boolean> {
    const missing = await notInSync(this.#admin, TOPICS, NODES.length);
    const now = performance.now();
    const lastedMs = now - this.#wholeMs;
    if (missing === 0) this.#wholeMs = now;
    else if (lastedMs > UNDER_REPLICATED_MS) {
      this.#history.tell('noFullIsr', `${missing} partitions lack a replica in sync, for ${lastedMs} ms`);
      this.#wholeMs = now;
    }
    return missing === 0;
  }

  /** Waits until it is so, but no longer than `leftMs`. */
  async within(leftMs: number): Promise<void> {
    const untilMs = performance.now() + leftMs;
    while (!(await this.isWhole()) && performance.now() < untilMs) await pause(100);
  }
}

async function inSync(admin: Admin, history: RecordedHistory): Promise<void> {
  try {
    await fullIsr(admin, TOPICS, NODES.length, ISR_MS);
  } catch (error) {
    history.tell('noFullIsr', String(error));
  }
}

/** Everything was in sync and nothing is written any more: the logs of all replicas must be the same, byte for byte. */
async function stopAndCompare(
  cluster: Cluster,
  dataOf: (node: ClusterNode) => string,
  history: RecordedHistory,
): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => node.server.stop()));
  for (const node of cluster.nodes) {
    const folder = dataOf(node);
    // By name, which is by base offset within a partition.
    const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.log')).sort();
    for (const tp of NAMES) {
      // The folder of a replica that was given up is called otherwise until it is deleted.
      const own = files.filter((file) => file.split('/').includes(tp));
      if (own.length === 0) throw new Error(`node ${node.id} has no log of ${tp}`);
      const hash = createHash('sha256');
      let bytes = 0;
      for (const file of own) {
        for await (const chunk of createReadStream(join(folder, file)) as AsyncIterable<Buffer>) {
          hash.update(chunk);
          bytes += chunk.length;
        }
      }
      history.tell('replica', tp, node.id, `${hash.digest('hex').slice(0, 16)} of ${bytes} bytes`);
    }
  }
}

/** What is needed to find the cause. */
async function keep(cluster: Cluster, dataOf: (node: ClusterNode) => string, folder: string): Promise<void> {
  for (const node of cluster.nodes) {
    await node.server.kill();
    const path = join(folder, `node-${node.id}.log`);
    await writeFile(path, node.server.log.map((line) => `${JSON.stringify(line)}\n`).join(''));
    await appendFile(path, `--- stderr at last\n${node.server.stderr}`);
    const data = dataOf(node);
    // A small disk goes with its mount.
    if (data !== node.server.dataDirectory) continue;
    await rename(data, join(folder, `node-${node.id}`)).catch((error: unknown) =>
      // The error that ended the run says more than this one.
      appendFile(path, `--- its data are not kept: ${String(error)}\n`),
    );
  }
}
