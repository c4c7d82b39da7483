#!/usr/bin/env node
// `make rolling-restart`: three real servers are restarted one after the other, by SIGTERM, under a producer with default settings and a
// consumer. Figures: errors the clients saw (there should be none), the longest time without an acknowledgement, what a restart took.
// At the end every acknowledged record must be there once. RATE: records a second (5,000); ROUNDS: how often around (1).
/* global AbortController */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Admin, Consumer } from '@tidemark/client';
import { freePorts } from '@tidemark/cli';
import { DemoNode } from '../demo/server.js';
import { Load, readAll, requireKept } from '../test-compose/load.js';
import { pause, say, step, until } from '../test-compose/steps.js';

const TOPIC = 'orders';
const PARTITIONS = 12;
const NODES = 3;
const RATE = Number(process.env['RATE'] ?? 5_000);
const ROUNDS = Number(process.env['ROUNDS'] ?? 1);
const QUIET_MS = 5_000;

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => stopping.abort(new Error(`ended by ${signal}`)));
}
const stop = stopping.signal;
const seconds = (ms) => `${(ms / 1_000).toFixed(2)} s`;

const folder = mkdtempSync(join(tmpdir(), 'tidemark-rolling-'));
const peerPorts = await freePorts(NODES);
const voters = peerPorts.map((port, at) => `${at + 1}@127.0.0.1:${port}`).join(',');
const settings = ['cluster.id=rolling', `controller.quorum.voters=${voters}`];
const nodes = peerPorts.map((port, at) => new DemoNode(at + 1, join(folder, `n${at + 1}`), port, settings));

/** Reads what is written as it comes, and counts; its longest time without a record is the pause a reader sees. */
class Reader {
  #consumer;
  #lastMs = performance.now();
  #longestMs = 0;
  read = 0;
  errors = [];
  done;

  constructor(brokers) {
    this.#consumer = new Consumer({ brokers });
    this.#consumer.assign(
      Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition, position: 'start' })),
    );
    this.done = this.#run();
  }

  takePauseMs() {
    const now = performance.now();
    const longest = Math.max(this.#longestMs, now - this.#lastMs);
    this.#longestMs = 0;
    this.#lastMs = now;
    return longest;
  }

  async #run() {
    try {
      for await (const record of this.#consumer.records()) {
        if (record === undefined) continue;
        const now = performance.now();
        this.#longestMs = Math.max(this.#longestMs, now - this.#lastMs);
        this.#lastMs = now;
        this.read++;
      }
    } catch (error) {
      this.errors.push(error);
    }
  }

  async close() {
    await this.#consumer.close();
    await this.done;
  }
}

let failure;
let load;
let reader;
const pauses = [];
try {
  await step(`${NODES} servers, a topic of ${PARTITIONS} partitions`, 60_000, stop, async () => {
    await Promise.all(nodes.map((node) => node.start()));
  });
  const brokers = nodes.map(({ address }) => address);
  const admin = new Admin({ brokers });
  await admin.createTopics([{ name: TOPIC, partitions: PARTITIONS, replicationFactor: NODES }]);
  const inSync = () =>
    admin
      .describeTopics([TOPIC])
      .then(([topic]) => topic.partitions.every(({ inSyncReplicas }) => inSyncReplicas.length === NODES));
  load = new Load(brokers, TOPIC, RATE);
  reader = new Reader(brokers);
  await step(
    `${RATE} records a second, undisturbed for ${QUIET_MS / 1_000} s`,
    60_000,
    stop,
    async (signal) => {
      await until('1,000 acknowledged', signal, () => load.acknowledged.size >= 1_000);
      load.takePauseMs();
      reader.takePauseMs();
      const before = load.acknowledged.size;
      await pause(QUIET_MS, signal);
      const rate = (load.acknowledged.size - before) / (QUIET_MS / 1_000);
      load.takePartitionPauseMs();
      load.slowestMs = 0;
      return `${Math.round(rate)} acknowledged a second; longest pause: producer ${seconds(load.takePauseMs())}, consumer ${seconds(reader.takePauseMs())}`;
    },
  );
  for (let round = 1; round <= ROUNDS; round++) {
    for (const node of nodes) {
      await step(`restart node ${node.id}`, 120_000, stop, async (signal) => {
        load.takePauseMs();
        load.takePartitionPauseMs();
        reader.takePauseMs();
        const begunMs = performance.now();
        const code = await node.end('SIGTERM');
        const endedMs = performance.now();
        if (code !== 0) throw new Error(`node ${node.id} ended with ${code}`);
        await node.start();
        const servesMs = performance.now();
        await until('all replicas in sync', signal, inSync);
        const inSyncMs = performance.now();
        // What a returning node does to others shows in the seconds after.
        await pause(2_000, signal);
        const longest = {
          producer: load.takePauseMs(),
          partition: load.takePartitionPauseMs(),
          consumer: reader.takePauseMs(),
        };
        pauses.push(longest);
        return `stopped in ${seconds(endedMs - begunMs)}, served after ${seconds(servesMs - endedMs)}, in sync after ${seconds(inSyncMs - servesMs)}; longest pause: producer ${seconds(longest.producer)}, of one partition ${seconds(longest.partition)}, consumer ${seconds(longest.consumer)}`;
      });
    }
  }
  await step('no more is sent; all is acknowledged', 120_000, stop, async () => {
    const { open } = load;
    await load.stop();
    return `${open} were under way; slowest acknowledgement ${seconds(load.slowestMs)}`;
  });
  await admin.close();
  await step('every acknowledged record is there once', 120_000, stop, async (signal) => {
    requireKept(load.acknowledged, await readAll(brokers, TOPIC, PARTITIONS));
    await until('the consumer has read them all', signal, () => reader.read >= load.acknowledged.size);
    return `${load.acknowledged.size} of ${load.sent} sent, ${reader.read} read`;
  });
  await reader.close();
  const errors = [...load.errors, ...reader.errors];
  if (errors.length > 0) throw new Error(`the clients saw ${errors.length} errors, the first: ${errors[0]}`);
} catch (error) {
  failure = error;
} finally {
  await Promise.all(nodes.map((node) => node.end('SIGKILL')));
  rmSync(folder, { recursive: true, force: true });
}
if (pauses.length > 0) {
  const worst = (of) => seconds(Math.max(...pauses.map((each) => each[of])));
  say(
    `${pauses.length} restarts at ${RATE} records a second; errors seen by clients: ${(load?.errors.length ?? 0) + (reader?.errors.length ?? 0)}; longest pause: producer ${worst('producer')}, of one partition ${worst('partition')}, consumer ${worst('consumer')}`,
  );
}
say(failure === undefined ? 'passed' : `FAILED: ${failure.message}`);
process.exit(failure === undefined ? 0 : stop.aborted ? 130 : 1);
