#!/usr/bin/env node
// `make demo`: a real file goes line by line through a cluster of three real servers, of which one that leads is killed with SIGKILL
// half-way. The others take over, the producer lives on and repeats what it must, the killed one comes back and catches up; at the
// end everything is read back and held against the file: every line exactly once, in order within its partition, by SHA-256. Exit
// code 0 if so, 1 if anything differs. Nothing is left behind.
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers';
import { freePorts } from '@tidemark/cli';
import { Admin, Consumer, Producer } from '@tidemark/client';
import { readInput } from './input.js';
import { DemoNode } from './server.js';

const TOPIC = 'documentation';
const PARTITIONS = 3;
const NODES = 3;
const IN_SYNC_MS = 30_000;
/** A dead node is noticed sooner than by default (9 s), so that the demo is short. */
const FAST = [
  'broker.session.timeout.ms=2000',
  'broker.heartbeat.interval.ms=300',
  'controller.quorum.election.timeout.ms=300',
  'controller.quorum.fetch.timeout.ms=600',
];
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
 * Sends every line, waiting for nothing but room; half-way the node that leads partition 0 is killed. Answers where each line went,
 * by the receipts, and which node it was.
 * @param {readonly DemoNode[]} nodes
 * @param {Admin} admin
 * @param {readonly import('./input.js').InputLine[]} lines
 */
async function produce(nodes, admin, lines) {
  const producer = new Producer({ brokers: nodes.map(({ address }) => address) });
  const receipts = new Array(lines.length);
  const half = Math.floor(lines.length / 2);
  let acknowledged = 0;
  let sent = 0;
  let failure;
  let killing;
  let resume;
  let victim;
  let killedMs;
  let nextMs;
  const kill = async () => {
    const led = await leaders(admin);
    victim = nodes.find(({ id }) => id === led[0]);
    const pid = victim.child.pid;
    await victim.end('SIGKILL');
    killedMs = performance.now();
    const count = led.filter((id) => id === victim.id).length;
    say(
      `killed node ${victim.id} (SIGKILL, pid ${pid}), which led ${count} of ${PARTITIONS} partitions, at ${number(acknowledged)} acknowledged, ${number(sent - acknowledged)} under way`,
    );
  };
  for (const [at, { key, value }] of lines.entries()) {
    producer.send({ topic: TOPIC, key, value }, (error, receipt) => {
      if (error === undefined) {
        receipts[at] = receipt;
        acknowledged++;
        if (acknowledged === half) killing = kill();
        // From the next leader of a partition the killed node led: the leader epoch has gone up.
        if (killedMs !== undefined && nextMs === undefined && receipt.leaderEpoch > 0)
          nextMs = performance.now();
      } else failure ??= error;
      if (sent - acknowledged < AHEAD || failure !== undefined) resume?.();
    });
    sent++;
    if (sent - acknowledged >= AHEAD) await new Promise((resolve) => (resume = resolve));
    if (failure !== undefined) break;
  }
  await producer.flush();
  await killing;
  const { batchesRetried, duplicatesAnswered } = producer.metrics;
  await producer.close();
  if (failure !== undefined) throw failure;
  if (victim === undefined) throw new Error('no node was killed: too little was acknowledged');
  const takeOverMs = nextMs === undefined ? undefined : nextMs - killedMs;
  return { receipts, victim, takeOverMs, batchesRetried, duplicatesAnswered };
}

/** Who leads, by partition. */
async function leaders(admin) {
  const [described] = await admin.describeTopics([TOPIC]);
  return described.partitions.map(({ leaderId }) => leaderId);
}

/** Resolves when every replica of every partition is in sync. */
async function allInSync(admin) {
  const endMs = performance.now() + IN_SYNC_MS;
  for (;;) {
    const [described] = await admin.describeTopics([TOPIC]);
    if (described.partitions.every(({ inSyncReplicas }) => inSyncReplicas.length === NODES)) return;
    if (performance.now() > endMs) throw new Error('not all replicas came to be in sync');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Everything the topic holds, by partition, in order. */
async function readBack(nodes) {
  const consumer = new Consumer({ brokers: nodes.map(({ address }) => address) });
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
let nodes = [];
// Ctrl-C in the middle must not leave a server or a folder behind.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const node of nodes) node.child?.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
    process.exit(130);
  });
}
let admin;
try {
  const input = readInput();
  say(
    `input: ${number(input.lines.length)} lines of ${input.name}, ${number(input.bytes)} bytes, SHA-256 ${input.sha256.slice(0, 16)}`,
  );
  const ports = await freePorts(NODES);
  const voters = ports.map((port, at) => `${at + 1}@127.0.0.1:${port}`).join(',');
  const settings = ['cluster.id=demo', `controller.quorum.voters=${voters}`, ...FAST];
  nodes = ports.map((port, at) => new DemoNode(at + 1, join(directory, `node-${at + 1}`), port, settings));
  const pids = await Promise.all(nodes.map((node) => node.start()));
  say(`a cluster of ${NODES} servers serves (pids ${pids.join(', ')})`);
  admin = new Admin({ brokers: nodes.map(({ address }) => address) });
  await admin.createTopic({ name: TOPIC, partitions: PARTITIONS, replicationFactor: NODES });
  say(
    `topic "${TOPIC}": ${PARTITIONS} partitions, each on all ${NODES} nodes, written with acks=all; every line goes to the partition of its file's name`,
  );
  const producingMs = performance.now();
  const { receipts, victim, takeOverMs, batchesRetried, duplicatesAnswered } = await produce(
    nodes,
    admin,
    input.lines,
  );
  const seconds = (performance.now() - producingMs) / 1_000;
  if (takeOverMs !== undefined) {
    say(`another node led and acknowledged ${Math.round(takeOverMs)} ms after the kill`);
  }
  say(
    `all ${number(input.lines.length)} lines are acknowledged after ${seconds.toFixed(2)} s; ${batchesRetried} batches were sent again, ${duplicatesAnswered} of them were there already`,
  );
  const backMs = performance.now();
  await victim.start();
  await allInSync(admin);
  say(
    `node ${victim.id} came back, caught up and is in sync again after ${Math.round(performance.now() - backMs)} ms`,
  );
  const readingMs = performance.now();
  const partitions = await readBack(nodes);
  say(`read everything back in ${Math.round(performance.now() - readingMs)} ms`);
  const sound = compare(input, receipts, partitions);
  await admin.close();
  const exits = await Promise.all(nodes.map((node) => node.end('SIGTERM')));
  const clean = exits.every((exit) => exit === 0);
  say(`the servers shut down cleanly (exit codes ${exits.join(', ')})`);
  say(sound && clean ? 'PASSED: every line exactly once, in order' : 'FAILED: see above');
  process.exitCode = sound && clean ? 0 : 1;
} catch (error) {
  say(`FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  for (const node of nodes) if (node.errors !== '') process.stderr.write(node.errors);
  process.exitCode = 1;
} finally {
  await admin?.close();
  await Promise.all(nodes.map((node) => node.end('SIGKILL')));
  rmSync(directory, { recursive: true, force: true });
}
