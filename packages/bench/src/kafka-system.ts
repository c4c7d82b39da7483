// Kafka through a script that starts brokers and runs the tools it ships: kafka-producer-perf-test and
// kafka-consumer-perf-test. Their output is parsed; a line that does not look as expected is an error, never a zero.
import { minInSyncReplicas, type Cell, type ProduceMeasurement, type Throughput } from './cell.ts';
import { run } from './child.ts';
import type { MeasuredSystem } from './system.ts';

const MAX_START_MS = 120_000;
const MEGA = 1e6;

interface Peer {
  readonly script: string;
  readonly directory: string;
}

async function peer(
  { script, directory }: Peer,
  command: string,
  args: readonly string[],
  maxMs: number,
): Promise<string> {
  const result = await run('bash', [script, command, directory, ...args], { maxMs });
  if (result.code !== 0) {
    const why = result.timedOut ? `did not end within ${maxMs / 1_000} s` : `ended with ${result.code}`;
    throw new Error(
      `kafka ${command} ${args[0] ?? ''} ${why}: ${result.stderr.trim().split('\n').at(-1) ?? ''}`,
    );
  }
  return result.stdout;
}

/** `200000 records sent, 43994.7 records/sec (4.20 MB/sec), 1545.29 ms avg latency, ..., 1666 ms 50th, 1847 ms 95th, ...` */
export function parseProducerPerf(output: string, sizeBytes: number): ProduceMeasurement {
  const line = output.split('\n').findLast((text) => text.includes('50th'));
  const number = (pattern: RegExp): number => {
    const match = line === undefined ? null : pattern.exec(line);
    if (match === null)
      throw new Error(`the producer tool printed no ${pattern.source}: ${line ?? output.trim()}`);
    return Number(match[1]);
  };
  const recordsPerSecond = number(/([\d.]+) records\/sec/);
  return {
    recordsPerSecond,
    megabytesPerSecond: (recordsPerSecond * sizeBytes) / MEGA,
    p50Ms: number(/(\d+) ms 50th/),
    p99Ms: number(/(\d+) ms 99th/),
    p999Ms: number(/(\d+) ms 99\.9th/),
  };
}

/** CSV under a line of headers. Time in the group's rebalance is not reading, so `fetch.nMsg.sec` counts. */
export function parseConsumerPerf(output: string, sizeBytes: number): Throughput {
  const lines = output.trim().split('\n');
  const at = lines.findIndex((line) => line.startsWith('start.time'));
  const column = lines[at]?.split(', ').indexOf('fetch.nMsg.sec') ?? -1;
  const recordsPerSecond = Number(lines[at + 1]?.split(', ')[column]);
  if (!(recordsPerSecond > 0)) throw new Error(`the consumer tool printed no rate: ${output.trim()}`);
  return { recordsPerSecond, megabytesPerSecond: (recordsPerSecond * sizeBytes) / MEGA };
}

export async function startKafka(kafka: Peer, brokers: number, maxSeconds: number): Promise<MeasuredSystem> {
  const maxMs = maxSeconds * 1_000;
  const servers = (await peer(kafka, 'up', [String(brokers)], MAX_START_MS)).trim().split('\n').at(-1)!;
  const pids = (await peer(kafka, 'pids', [], 10_000)).trim().split('\n').map(Number);
  const tool = (name: string, ...args: readonly string[]): Promise<string> =>
    peer(kafka, 'run', [name, '--bootstrap-server', servers, ...args], maxMs);
  return {
    name: 'kafka',
    pids,
    createTopic: async (topic, cell) => {
      const flush = cell.flush === 'ack' ? ['--config', 'flush.messages=1'] : [];
      const shape = ['--partitions', String(cell.partitions), '--replication-factor', String(cell.replicas)];
      const inSync = ['--config', `min.insync.replicas=${minInSyncReplicas(cell)}`];
      await tool('topics', '--create', '--topic', topic, ...shape, ...inSync, ...flush);
    },
    produce: async (topic, cell: Cell) => {
      const load = [
        '--topic',
        topic,
        '--num-records',
        String(cell.records),
        '--record-size',
        String(cell.sizeBytes),
      ];
      const properties = [`bootstrap.servers=${servers}`, `acks=${cell.acks}`];
      return parseProducerPerf(
        await peer(
          kafka,
          'run',
          [
            'producer-perf',
            ...load,
            '--throughput',
            String(cell.rate ?? -1),
            '--producer-props',
            ...properties,
          ],
          maxMs,
        ),
        cell.sizeBytes,
      );
    },
    consume: async (topic, cell) =>
      parseConsumerPerf(
        await tool('consumer-perf', '--topic', topic, '--num-records', String(cell.records)),
        cell.sizeBytes,
      ),
    deleteTopic: async (topic) => {
      await tool('topics', '--delete', '--topic', topic);
    },
    stop: async () => {
      await peer(kafka, 'down', [], 60_000);
    },
  };
}
