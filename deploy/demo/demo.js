#!/usr/bin/env node
// `make demo`: a real file goes line by line through a real server that is killed with SIGKILL half-way and started again. The
// producer lives on, repeats what it must, and at the end everything is read back and held against the file: every line exactly
// once, in order within its partition, by SHA-256. Exit code 0 if so, 1 if anything differs. Nothing is left behind.
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Admin, Consumer, Producer } from '@tidemark/client';
import { readInput } from './input.js';
import { DemoServer } from './server.js';

const TOPIC = 'documentation';
const PARTITIONS = 3;
// How far the producer runs ahead of what is acknowledged: far enough to keep it busy, near enough for the kill to come in the
// middle of the file and not when all of it has long been handed over.
const AHEAD = 5_000;

const begunMs = performance.now();
const say = (text) =>
  process.stdout.write(`[${((performance.now() - begunMs) / 1_000).toFixed(2).padStart(6)} s] ${text}\n`);
const number = (value) => value.toLocaleString('en-US');
const lineOf = ({ key, value }) => `${key}\t${value}\n`;
const sha256 = (lines) => {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(line);
  return hash.digest('hex');
};

/**
 * Sends every line, waiting for nothing but room. Answers where each line went, by the receipts.
 * @param {DemoServer} server
 * @param {readonly import('./input.js').InputLine[]} lines
 */
async function produce(server, lines) {
  const producer = new Producer({ brokers: [server.address] });
  const receipts = new Array(lines.length);
  const half = Math.floor(lines.length / 2);
  let acknowledged = 0;
  let sent = 0;
  let failure;
  let restart;
  let resume;
  const killAndRestart = async () => {
    const pid = server.child.pid;
    const unanswered = sent - acknowledged;
    await server.end('SIGKILL');
    const downMs = performance.now();
    say(
      `killed the server (SIGKILL, pid ${pid}) at ${number(acknowledged)} acknowledged, ${number(unanswered)} under way`,
    );
    const restarted = await server.start();
    say(
      `the server is back as pid ${restarted} after ${Math.round(performance.now() - downMs)} ms, its log recovered`,
    );
  };
  for (const [at, { key, value }] of lines.entries()) {
    producer.send({ topic: TOPIC, key, value }, (error, receipt) => {
      if (error === undefined) {
        receipts[at] = receipt;
        acknowledged++;
        if (acknowledged === half) restart = killAndRestart();
      } else failure ??= error;
      if (sent - acknowledged < AHEAD || failure !== undefined) resume?.();
    });
    sent++;
    if (sent - acknowledged >= AHEAD) await new Promise((resolve) => (resume = resolve));
    if (failure !== undefined) break;
  }
  await producer.flush();
  await restart;
  const { batchesRetried, duplicatesAnswered } = producer.metrics;
  await producer.close();
  if (failure !== undefined) throw failure;
  if (restart === undefined) throw new Error('the server was never killed: too little was acknowledged');
  return { receipts, batchesRetried, duplicatesAnswered };
}

/** Everything the topic holds, by partition, in order. */
async function readBack(server) {
  const consumer = new Consumer({ brokers: [server.address] });
  const places = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition }));
  const ends = await consumer.endOffsets(places);
  let left = ends.reduce((sum, { offset }) => sum + offset, 0);
  const partitions = places.map(() => []);
  consumer.assign(places.map((place) => ({ ...place, position: 'start' })));
  for await (const record of consumer.records()) {
    partitions[record.partition].push({
      offset: record.offset,
      line: lineOf({
        key: Buffer.from(record.keyBytes).toString('utf8'),
        value: Buffer.from(record.valueBytes).toString('utf8'),
      }),
    });
    if (--left === 0) break;
  }
  await consumer.close();
  return partitions;
}

/** Holds what was read against the file. Answers whether all is as it should be. */
function compare(input, receipts, partitions) {
  let sound = true;
  const rows = [];
  const rebuilt = new Array(input.lines.length);
  for (const [partition, records] of partitions.entries()) {
    const sentHere = [...input.lines.keys()].filter((at) => receipts[at]?.partition === partition);
    const expected = sentHere.map((at) => lineOf(input.lines[at]));
    const before = sha256(expected);
    const after = sha256(records.map(({ line }) => line));
    // Offsets without a gap and each line under the offset its receipt named: exactly once, in order.
    const gapless = records.every(({ offset }, at) => offset === at);
    const asReceipted = sentHere.every((at, place) => receipts[at].offset === place);
    const good = before === after && gapless && asReceipted && records.length === expected.length;
    sound &&= good;
    records.forEach(({ line }, place) => {
      if (place < sentHere.length) rebuilt[sentHere[place]] = line;
    });
    rows.push({
      name: `partition ${partition}`,
      sent: expected.length,
      read: records.length,
      before,
      after,
      good,
    });
  }
  const read = partitions.reduce((sum, records) => sum + records.length, 0);
  const after = sha256(rebuilt.map((line) => line ?? ''));
  const good = after === input.sha256 && read === input.lines.length;
  rows.push({ name: 'the whole file', sent: input.lines.length, read, before: input.sha256, after, good });
  process.stdout.write('\n                       SENT       READ  SHA-256 SENT      SHA-256 READ\n');
  for (const row of rows) {
    const counts = `${number(row.sent).padStart(9)}  ${number(row.read).padStart(9)}`;
    const hashes = `${row.before.slice(0, 16)}  ${row.after.slice(0, 16)}`;
    process.stdout.write(
      `${row.name.padEnd(16)}  ${counts}  ${hashes}  ${row.good ? 'same' : 'DIFFERENT'}\n`,
    );
  }
  process.stdout.write('\n');
  return sound && good;
}

const directory = mkdtempSync(join(tmpdir(), 'tidemark-demo-'));
const server = new DemoServer(directory);
// Ctrl-C in the middle must not leave a server or a folder behind.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.child?.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
    process.exit(130);
  });
}
try {
  const input = readInput();
  say(
    `input: ${number(input.lines.length)} lines of ${input.name}, ${number(input.bytes)} bytes, SHA-256 ${input.sha256.slice(0, 16)}`,
  );
  const pid = await server.start();
  say(`a server serves on ${server.address} (pid ${pid})`);
  const admin = new Admin({ brokers: [server.address] });
  await admin.createTopic({ name: TOPIC, partitions: PARTITIONS, replicationFactor: 1 });
  await admin.close();
  say(`topic "${TOPIC}" has ${PARTITIONS} partitions; every line goes to the partition of its file's name`);
  const producingMs = performance.now();
  const { receipts, batchesRetried, duplicatesAnswered } = await produce(server, input.lines);
  const seconds = (performance.now() - producingMs) / 1_000;
  say(
    `all ${number(input.lines.length)} lines are acknowledged after ${seconds.toFixed(2)} s; ${batchesRetried} batches were sent again, ${duplicatesAnswered} of them were there already`,
  );
  const readingMs = performance.now();
  const partitions = await readBack(server);
  say(`read everything back in ${Math.round(performance.now() - readingMs)} ms`);
  const sound = compare(input, receipts, partitions);
  const exit = await server.end('SIGTERM');
  say(`the server shut down cleanly (exit code ${exit})`);
  say(sound && exit === 0 ? 'PASSED: every line exactly once, in order' : 'FAILED: see above');
  process.exitCode = sound && exit === 0 ? 0 : 1;
} catch (error) {
  say(`FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  if (server.errors !== '') process.stderr.write(server.errors);
  process.exitCode = 1;
} finally {
  await server.end('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
