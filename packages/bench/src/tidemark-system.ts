// Tidemark as users run it: `tidemark server` as its own process in a folder of its own, on ports the system chooses, measured by
// `tidemark bench`.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Cell, ProduceMeasurement, Throughput } from './cell.ts';
import { run } from './child.ts';
import type { MeasuredSystem } from './system.ts';

const CLI = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));
const START_MS = 30_000;
const STOP_MS = 30_000;

interface BenchOutput {
  readonly recordsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly latency?: { readonly p50Ms: number; readonly p99Ms: number; readonly p999Ms: number };
}

/** The line `tidemark server` prints when it serves: `{"ready":true,"addresses":{"CLIENT":"127.0.0.1:41234"}}`. */
function clientAddress(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  const ready = JSON.parse(line) as { readonly addresses?: { readonly CLIENT?: string } };
  return ready.addresses?.CLIENT;
}

async function untilReady(server: ChildProcess): Promise<string> {
  let errors = '';
  server.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_096);
  });
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => {
      reject(new Error(`the server was not ready within ${START_MS / 1_000} s: ${errors}`));
    }, START_MS);
    const settle = (action: () => void): void => {
      clearTimeout(limit);
      action();
    };
    server.on('error', (error) => settle(() => reject(error)));
    server.on('exit', (code) => settle(() => reject(new Error(`the server ended with ${code}: ${errors}`))));
    createInterface({ input: server.stdout! }).on('line', (line) => {
      const address = clientAddress(line);
      if (address !== undefined) settle(() => resolve(address));
    });
  });
}

async function stopServer(server: ChildProcess, directory: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
    server.kill('SIGTERM');
    const kill = setTimeout(() => server.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(kill);
  }
  await rm(directory, { recursive: true, force: true });
}

export async function startTidemark(maxSeconds: number): Promise<MeasuredSystem> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-bench-'));
  const server = spawn(
    process.execPath,
    [
      CLI,
      'server',
      '--set',
      'listeners=CLIENT://127.0.0.1:0',
      '--set',
      `log.dirs=${join(directory, 'data')}`,
      '--set',
      'logging.level=warn',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let address: string;
  try {
    address = await untilReady(server);
  } catch (error) {
    await stopServer(server, directory);
    throw error;
  }
  const cli = async (...args: readonly string[]): Promise<string> => {
    const result = await run(process.execPath, [CLI, ...args, '--brokers', address], {
      maxMs: maxSeconds * 1_000,
    });
    if (result.code === 0 && !result.timedOut) return result.stdout;
    const why = result.timedOut ? `did not end within ${maxSeconds} s` : `ended with ${result.code}`;
    throw new Error(
      `tidemark ${args.slice(0, 2).join(' ')} ${why}: ${result.stderr.trim().split('\n').slice(-2).join(' ')}`,
    );
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
    pid: server.pid!,
    createTopic: async (topic, cell) => {
      const shape = ['-p', String(cell.partitions), '-r', '1', '-c', `flush.policy=${cell.flush}`];
      await cli('topic', 'create', topic, ...shape);
    },
    produce: async (topic, cell): Promise<ProduceMeasurement> => {
      const { recordsPerSecond, megabytesPerSecond, latency } = await bench(
        'produce',
        topic,
        cell,
        '--acks',
        cell.acks,
      );
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
    stop: () => stopServer(server, directory),
  };
}
