// What cleaning a compacted topic does and costs on a real server: records on a few keys, written while the cleaner runs, with SIGKILL
// in the middle of cleanings. At the end the latest value of each key is looked for at the offset its receipt names, and the folder
// is read by `tidemark log dump` and, when told where it is, by Kafka's DumpLogSegments. By hand, after a build:
//
//   node --import tsx --conditions=@tidemark/source test/scale/compaction.ts [--records 1000000] [--keys 10000] [--kills 5]
//     [--kafka-peer SCRIPT --kafka-dir FOLDER]
//
// Figures of one machine; exit code 1 if anything is not as it should be.
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { Consumer, Producer, type Receipt } from '@tidemark/client';
import { Cluster, eventually } from '../integration/cluster.ts';
import { runCommand } from '../integration/start-server.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    keys: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '5' },
    'kafka-peer': { type: 'string' },
    'kafka-dir': { type: 'string' },
  },
});
const RECORDS = Number(values.records);
const KEYS = Number(values.keys);
const KILLS = Number(values.kills);
const TOPIC = 'state';
const VALUE_BYTES = 100;
const AHEAD = 20_000;
const MAX_RSS_SAMPLE_MS = 100;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const faults: string[] = [];
const check = (holds: boolean, what: string): void => {
  say(`${holds ? 'ok   ' : 'WRONG'} ${what}`);
  if (!holds) faults.push(what);
};

const cluster = await Cluster.start({
  nodes: [{ id: 1 }],
  settings: {
    'log.cleaner.backoff.ms': '50',
    // Only what a checkpoint says to be on the disk is cleaned; once a minute by default.
    'log.flush.offset.checkpoint.interval.ms': '250',
    'log.cleaner.dedupe.buffer.size': `${4 * 1024 * 1024}`,
    'logging.level': 'info',
  },
});
const [node] = cluster.nodes;
const folder = join(node!.server.dataDirectory, `${TOPIC}-0`);

let largestRss = 0;
const sampling = setInterval(() => {
  if (!node!.server.isRunning) return;
  const { pid } = node!.server;
  readFile(`/proc/${pid}/status`, 'utf8').then(
    (status) => {
      largestRss = Math.max(largestRss, Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024);
    },
    () => undefined,
  );
}, MAX_RSS_SAMPLE_MS);

async function isCleaning(): Promise<boolean> {
  return (await readdir(folder)).some((name) => name.endsWith('.cleaned'));
}

async function logBytes(): Promise<{ readonly bytes: number; readonly segments: readonly string[] }> {
  const segments = (await readdir(folder)).filter((name) => name.endsWith('.log')).sort();
  const sizes = await Promise.all(segments.map(async (name) => (await stat(join(folder, name))).size));
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), segments };
}

try {
  const admin = cluster.admin();
  await admin.createTopic({
    name: TOPIC,
    partitions: 1,
    replicationFactor: 1,
    configs: {
      'cleanup.policy': 'compact',
      'segment.bytes': `${4 * 1024 * 1024}`,
      'min.cleanable.dirty.ratio': '0.1',
    },
  });
  const producer = new Producer({ brokers: cluster.addresses() });
  const latest = new Map<string, { readonly value: string; readonly receipt: Receipt }>();
  let acknowledged = 0;
  let refused: unknown;
  let resume: (() => void) | undefined;
  let kills = 0;
  let inCleaning = 0;
  const startMs = performance.now();
  let killing: Promise<void> | undefined;

  async function kill(): Promise<void> {
    // As near to the middle of a cleaning as can be seen from outside.
    const deadline = performance.now() + 3_000;
    while (!(await isCleaning()) && performance.now() < deadline) await new Promise(setImmediate);
    if (await isCleaning()) inCleaning++;
    await node!.server.kill();
    kills++;
    await node!.start();
  }

  for (let at = 0; at < RECORDS && refused === undefined; at++) {
    // Scattered, so that the last record of a key may be anywhere.
    const name = `key-${(Math.imul(at, 2_654_435_761) >>> 0) % KEYS}`;
    const value = `${at}`.padEnd(VALUE_BYTES, '.');
    producer.send({ topic: TOPIC, key: name, value }, (error, receipt) => {
      acknowledged++;
      if (receipt === undefined) refused ??= error;
      else if ((latest.get(name)?.receipt.offset ?? -1) < receipt.offset)
        latest.set(name, { value, receipt });
      if (at - acknowledged < AHEAD) resume?.();
    });
    if (at + 1 - acknowledged >= AHEAD) await new Promise<void>((resolve) => (resume = resolve));
    const isDue = kills < KILLS && acknowledged > ((kills + 0.5) / KILLS) * RECORDS;
    if (isDue && killing === undefined) {
      killing = kill().finally(() => {
        killing = undefined;
      });
    }
  }
  await producer.flush();
  await killing;
  await producer.close();
  if (refused !== undefined) throw refused as Error;
  const writeSeconds = (performance.now() - startMs) / 1_000;
  say(
    `${RECORDS} records on ${KEYS} keys written in ${writeSeconds.toFixed(1)} s, ${kills} kills, ${inCleaning} of them with a .cleaned file on the disk`,
  );

  const before = await logBytes();
  // Clean when nothing has changed for a while: the last segment is active and is never cleaned.
  let lastBytes = -1;
  let sameSinceMs = performance.now();
  await eventually('the log is clean', 120_000, async () => {
    const { bytes } = await logBytes();
    if (bytes !== lastBytes || (await isCleaning())) {
      lastBytes = bytes;
      sameSinceMs = performance.now();
    }
    return performance.now() - sameSinceMs > 3_000 ? true : undefined;
  });
  const after = await logBytes();
  say(
    `log: ${mib(before.bytes)} at the end of writing, ${mib(after.bytes)} in ${after.segments.length} segments clean; uncompacted it would be about ${mib(RECORDS * (VALUE_BYTES + 18))}`,
  );
  say(`largest resident memory of the server: ${mib(largestRss)}`);

  const consumer = new Consumer({ brokers: cluster.addresses() });
  const place = { topic: TOPIC, partition: 0 };
  const [end] = await consumer.endOffsets([place]);
  check(
    end!.offset === RECORDS,
    `the log ends at ${RECORDS}, each record at its offset (found ${end!.offset})`,
  );
  consumer.assign([{ ...place, position: 'start' }]);
  const found = new Map<string, { readonly value: string; readonly offset: number }>();
  let read = 0;
  let lastOffset = -1;
  let isOrdered = true;
  const { offset: lastWritten } = [...latest.values()].reduce((a, b) =>
    a.receipt.offset > b.receipt.offset ? a : b,
  ).receipt;
  for await (const record of consumer.records()) {
    read++;
    isOrdered &&= record.offset > lastOffset;
    lastOffset = record.offset;
    found.set(Buffer.from(record.keyBytes!).toString(), {
      value: Buffer.from(record.valueBytes!).toString(),
      offset: record.offset,
    });
    if (record.offset >= lastWritten) break;
  }
  await consumer.close();
  const wrong = [...latest].filter(([key, { value, receipt }]) => {
    const there = found.get(key);
    return there?.value !== value || there.offset !== receipt.offset;
  });
  check(isOrdered, 'offsets rise');
  check(found.size === KEYS, `${KEYS} keys (found ${found.size})`);
  check(
    wrong.length === 0,
    `the latest value of each key at the offset of its receipt (${wrong.length} are not)`,
  );
  say(`${read} records are left`);

  await node!.server.stop();
  const atRest = await logBytes();
  const paths = atRest.segments.map((name) => join(folder, name));
  let dumpedRecords = 0;
  for (const path of paths) {
    const dumped = await runCommand(['log', 'dump', path, '-o', 'json']);
    if (dumped.code === 0) {
      const batches = JSON.parse(dumped.stdout) as readonly { readonly recordCount?: number }[];
      for (const { recordCount = 0 } of batches) dumpedRecords += recordCount;
    } else check(false, `log dump of ${path}: ${dumped.stderr.trim()}`);
  }
  // It may have been cleaned once more since it was read.
  check(
    dumpedRecords <= read,
    `tidemark log dump reads ${dumpedRecords} records in ${paths.length} segments`,
  );
  const script = values['kafka-peer'];
  const directory = values['kafka-dir'];
  if (script === undefined || directory === undefined) say('skipped: DumpLogSegments (no --kafka-peer)');
  else {
    const run = promisify(execFile);
    const files = paths.join(',');
    const deep = await run(
      'bash',
      [script, 'run', directory, 'dump-log', '--deep-iteration', '--files', files],
      {
        maxBuffer: 1 << 30,
      },
    );
    const seen = deep.stdout.split('\n').filter((line) => line.startsWith('| offset:')).length;
    check(
      !/invalid|error|exception|mismatch/i.test(deep.stderr) && !/isvalid: false/.test(deep.stdout),
      'DumpLogSegments finds every batch valid',
    );
    check(seen === dumpedRecords, `DumpLogSegments counts the same records (${seen})`);
    const indexes = paths.flatMap((path) => [
      path.replace(/log$/, 'index'),
      path.replace(/log$/, 'timeindex'),
    ]);
    const sane = await run('bash', [
      ...[script, 'run', directory, 'dump-log', '--index-sanity-check'],
      ...['--files', indexes.join(',')],
    ]);
    const passed = sane.stdout
      .split('\n')
      .filter((line) => /passed sanity check|index is empty/.test(line)).length;
    check(passed === indexes.length, `its index check passes ${passed} of ${indexes.length}`);
  }
} finally {
  clearInterval(sampling);
  await cluster.dispose();
}
if (faults.length > 0) {
  say(`FAILED: ${faults.length} things are wrong`);
  process.exitCode = 1;
} else say('PASSED');
