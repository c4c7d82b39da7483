// Tidemark as users run it: `tidemark server` processes with a folder each, on ports the system chooses, measured by `tidemark bench`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@tidemark/cli';
import { minInSyncReplicas, type Cell, type ProduceMeasurement, type Throughput } from './cell.ts';
import { run } from './child.ts';
import { CLI, ServerProcess } from './server-process.ts';
import type { MeasuredSystem } from './system.ts';

const IN_SYNC_MS = 120_000;

interface BenchOutput {
  readonly recordsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly latency?: { readonly p50Ms: number; readonly p99Ms: number; readonly p999Ms: number };
}

async function serversIn(directory: string, brokers: number): Promise<readonly ServerProcess[]> {
  if (brokers === 1) {
    const settings = ['listeners=CLIENT://127.0.0.1:0', `log.dirs=${join(directory, '1')}`];
    return [new ServerProcess([...settings, 'logging.level=warn'])];
  }
  const ports = await freePorts(brokers);
  const voters = ports.map((port, at) => `${at + 1}@127.0.0.1:${port}`).join(',');
  return ports.map(
    (port, at) =>
      new ServerProcess([
        'cluster.id=bench',
        `node.id=${at + 1}`,
        `controller.quorum.voters=${voters}`,
        `listeners=CLIENT://127.0.0.1:0,PEER://127.0.0.1:${port}`,
        `log.dirs=${join(directory, String(at + 1))}`,
        'logging.level=warn',
      ]),
  );
}

export async function startTidemark(brokers: number, maxSeconds: number): Promise<MeasuredSystem> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const servers = await serversIn(directory, brokers);
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(directory, { recursive: true, force: true });
  };
  let addresses: readonly string[];
  try {
    addresses = await Promise.all(servers.map(({ address }) => address));
  } catch (error) {
    await stop();
    throw error;
  }
  const cli = async (...args: readonly string[]): Promise<string> => {
    const result = await run(process.execPath, [CLI, ...args, '--brokers', addresses.join(',')], {
      maxMs: maxSeconds * 1_000,
    });
    if (result.code === 0 && !result.timedOut) return result.stdout;
    const why = result.timedOut ? `did not end within ${maxSeconds} s` : `ended with ${result.code}`;
    throw new Error(
      `tidemark ${args.slice(0, 2).join(' ')} ${why}: ${result.stderr.trim().split('\n').slice(-2).join(' ')}`,
    );
  };
  const inSync = async (): Promise<void> => {
    const endMs = performance.now() + IN_SYNC_MS;
    for (;;) {
      const listed = await cli('partition', 'list', '--under-replicated', '-o', 'json');
      if ((JSON.parse(listed) as readonly unknown[]).length === 0) return;
      if (performance.now() > endMs) throw new Error(`replicas not in sync within ${IN_SYNC_MS / 1_000} s`);
    }
  };
  const bench = async (
    kind: string,
    topic: string,
    cell: Cell,
    ...more: readonly string[]
  ): Promise<BenchOutput> => {
    const load = ['--topic', topic, '--records', String(cell.records), '--size', String(cell.sizeBytes)];
    return JSON.parse(
      await cli('bench', kind, ...load, ...more, '--no-progress', '-o', 'json'),
    ) as BenchOutput;
  };
  return {
    name: 'tidemark',
    pids: servers.map(({ pid }) => pid),
    createTopic: async (topic, cell) => {
      const shape = ['-p', String(cell.partitions), '-r', String(cell.replicas)];
      const configs = [`flush.policy=${cell.flush}`, `min.insync.replicas=${minInSyncReplicas(cell)}`];
      await cli('topic', 'create', topic, ...shape, ...configs.flatMap((config) => ['-c', config]));
      if (cell.replicas > 1) await inSync();
    },
    produce: async (topic, cell): Promise<ProduceMeasurement> => {
      const rate = cell.rate === undefined ? [] : ['--rate', String(cell.rate)];
      const output = await bench('produce', topic, cell, '--acks', cell.acks, ...rate);
      const { recordsPerSecond, megabytesPerSecond, latency } = output;
      if (latency === undefined) throw new Error('tidemark bench produce told no latencies');
      const { p50Ms, p99Ms, p999Ms } = latency;
      return { recordsPerSecond, megabytesPerSecond, p50Ms, p99Ms, p999Ms };
    },
    consume: async (topic, cell): Promise<Throughput> => {
      const { recordsPerSecond, megabytesPerSecond } = await bench('consume', topic, cell);
      return { recordsPerSecond, megabytesPerSecond };
    },
    deleteTopic: async (topic) => {
      await cli('topic', 'delete', topic, '-y');
    },
    stop,
  };
}
