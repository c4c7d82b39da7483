// The data plane's part of a run: a topic whose partitions are replicated three times, producers and consumers for each of its
// partitions, and in the end the question whether everybody has the same and everything that was promised.

import { type Offset, type PartitionIndex } from '@tidemark/core';
import { type PartitionLog } from '@tidemark/log';
import { batchBaseOffset, batchLeaderEpoch, batchSizeBytes } from '@tidemark/record';
import { type SimPrng } from '../sim-prng.ts';
import { RecordConsumer, RecordProducer, valuesIn, type ClientLink } from './record-client.ts';
import { RecordDeleter } from './record-deleter.ts';
import { type RecordHistory } from './record-history.ts';
import { openReplicas, placesOf, RECORD_TOPIC } from './replica-checks.ts';
import { type PartitionPlace } from './simulated-node.ts';
import { type SimWorld } from './sim-world.ts';
import { attemptTopic } from './topic-attempt.ts';

export interface RecordLoadOptions {
  readonly partitions: number;
  readonly producersPerPartition: number;
  /** Partitions, from the first on, that a producer with acks=1 writes to as well. */
  readonly weakPartitions: number;
  /** Between two batches of a producer, in ms, on average. */
  readonly pauseMs: number;
  /** How long producers work before they rest, and rest; a partition that nobody writes to keeps what leaders know of followers. */
  readonly turn: { readonly workMs: number; readonly restMs: number };
  /** Between two deletions in a partition, in ms, on average; undefined: nobody deletes anything. */
  readonly deletePauseMs?: number | undefined;
  readonly link: ClientLink;
}

export class RecordLoad {
  readonly #world: SimWorld;
  readonly #history: RecordHistory;
  readonly #options: RecordLoadOptions;
  readonly #prng: SimPrng;
  readonly #producers: RecordProducer[] = [];
  readonly #consumers: RecordConsumer[] = [];
  readonly #deleters: RecordDeleter[] = [];
  #isCreated = false;
  #isStopped = false;

  constructor(world: SimWorld, history: RecordHistory, options: RecordLoadOptions, prng: SimPrng) {
    this.#world = world;
    this.#history = history;
    this.#options = options;
    this.#prng = prng;
    const { partitions, producersPerPartition, weakPartitions, link } = options;
    let id = 0;
    for (let partition = 0; partition < partitions; partition++) {
      const isWeak = partition < weakPartitions;
      for (let each = isWeak ? -1 : 0; each < producersPerPartition; each++) {
        const acks = each < 0 ? 'leader' : 'all';
        const place = { topic: RECORD_TOPIC, partition, id: ++id, acks, link } as const;
        this.#producers.push(new RecordProducer(world, history, place, prng.fork(`producer ${id}`)));
      }
      const forked = prng.fork(`consumer ${partition}`);
      const consumer = new RecordConsumer(world, history, RECORD_TOPIC, partition, forked);
      this.#consumers.push(consumer);
      const place = { topic: RECORD_TOPIC, partition, link, consumer };
      this.#deleters.push(new RecordDeleter(world, history, place, prng.fork(`deleter ${partition}`)));
    }
  }

  start(): void {
    this.#create();
    const { pauseMs } = this.#options;
    for (const producer of this.#producers) {
      this.#every(pauseMs, () => {
        if (this.#isCreated && !this.#isResting) producer.produce();
      });
    }
    for (const consumer of this.#consumers) {
      this.#every(pauseMs, () => {
        if (this.#isCreated) consumer.poll();
      });
    }
    this.#startDeleters();
  }

  #startDeleters(): void {
    const { deletePauseMs } = this.#options;
    if (deletePauseMs === undefined) return;
    for (const deleter of this.#deleters) {
      this.#every(deletePauseMs, () => {
        if (this.#isCreated) deleter.delete();
      });
    }
  }

  get #isResting(): boolean {
    const { workMs, restMs } = this.#options.turn;
    return this.#world.clock.monotonicMs() % (workMs + restMs) > workMs;
  }

  /** Nothing new is sent; what is under way goes on until it is acknowledged. */
  stop(): void {
    this.#isStopped = true;
  }

  /** What keeps the replicas from being equal, or the producers from being done, in a few words. */
  get missing(): string | undefined {
    const busy = this.#producers.find(({ isIdle }) => !isIdle);
    if (busy !== undefined) return `an acknowledgement for a producer of ${busy.name} (${busy.lastFailure})`;
    for (const place of this.#places()) {
      const name = `${place.topic}-${place.partition}`;
      if (place.isr.length < place.replicas.length) return `in-sync replicas of ${name}: ${place.isr.join()}`;
      const replicas = openReplicas(this.#world, place);
      if (replicas.length < place.replicas.length) return `a replica of ${name}`;
      const ends = replicas.map(({ log, highWatermark }) => `${log.logEndOffset}/${highWatermark}`);
      if (new Set(ends).size > 1 || replicas[0]!.highWatermark !== replicas[0]!.log.logEndOffset) {
        return `an end of ${name}: ${ends.join(' ')}`;
      }
    }
    return undefined;
  }

  /** How every replica stands. */
  describe(): string {
    return this.#places()
      .map((place) => this.#described(place))
      .join('; ');
  }

  /** Once nothing is missing. */
  async check(): Promise<void> {
    for (const place of this.#places()) {
      const name = `${place.topic}-${place.partition}`;
      let first:
        { readonly id: number; readonly bytes: string; readonly parts: readonly Uint8Array[] } | undefined;
      const replicas = openReplicas(this.#world, place);
      // A leader that failed may have had its followers delete what its successor has kept: nobody was told that it is deleted.
      const start = Math.max(...replicas.map(({ log }) => log.logStartOffset)) as Offset;
      // A request that was repeated may still arrive, and be appended while this reads.
      const ends = replicas.map(({ id, log }) => ({ id, log, end: log.logEndOffset }));
      for (const { id, log, end } of ends) {
        const parts = await readAll(log, start, end);
        const bytes = Buffer.concat(parts).toString('base64');
        if (first === undefined) {
          first = { id, bytes, parts };
          const { values, baseOffset, gapAt } = valuesIn(parts);
          if (gapAt !== undefined) {
            this.#world.violations.report(
              'offset-gap',
              `${name}: there is nothing at ${gapAt} on node ${id}`,
            );
          }
          this.#history.check(name, values.length === 0 ? end : baseOffset, values);
        } else if (first.bytes !== bytes) {
          const other = firstOther(parts, first.parts);
          this.#world.violations.report(
            'replica-mismatch',
            `${name} has other bytes on node ${id} than on node ${first.id}: ${other}`,
          );
        }
      }
    }
  }

  #described({ topic, partition, leader, leaderEpoch, isr, replicas }: PartitionPlace): string {
    const ends = this.#world.hosts.flatMap(({ id, node }) => {
      if (node === undefined) return [];
      const found = node.replicas?.partition(topic, partition as PartitionIndex)?.describe();
      if (found === undefined) return [`${id}: none`];
      const { standing, logEndOffset, flushedOffset, highWatermark } = found;
      const why = 'refusal' in standing ? (standing.refusal?.message ?? '') : '';
      const state = standing.role === 'follower' ? standing.state : '';
      return [
        `${id}: ${standing.role} ${state} ${found.leaderEpoch} ${logEndOffset}/${flushedOffset}/${highWatermark} ${why}`,
      ];
    });
    return `${partition}: leader ${leader} in ${leaderEpoch}, isr ${isr.join()} of ${replicas.join()}: ${ends.join(', ')}`;
  }

  #places(): readonly PartitionPlace[] {
    return placesOf(this.#world, RECORD_TOPIC);
  }

  /** Asks until it is there: a repeated creation is refused. */
  #create(): void {
    const { clock, hosts } = this.#world;
    const { node } = hosts[this.#prng.below(hosts.length)]!;
    const again = (): void => void clock.after(50, () => this.#create());
    if (this.#places().length > 0) {
      this.#isCreated = true;
      return;
    }
    if (this.#isStopped) return;
    if (node?.holdsRecords !== true) {
      again();
      return;
    }
    attemptTopic(clock, node, RECORD_TOPIC, this.#options.partitions, again);
  }

  #every(pauseMs: number, work: () => void): void {
    this.#world.clock.after((this.#prng.below(2_000) * pauseMs) / 1_000, () => {
      if (this.#isStopped) return;
      work();
      this.#every(pauseMs, work);
    });
  }
}

async function readAll(log: PartitionLog, start: Offset, end: Offset): Promise<readonly Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for (let offset = start; offset < end;) {
    const read = await log.read(offset, { maxBytes: 1024 * 1024, upTo: end, atLeastOne: true });
    if (!read.ok || read.nextOffset === offset) break;
    parts.push(...read.parts);
    offset = read.nextOffset;
  }
  return parts;
}

/** The first batch in which a log differs from another, in a few words of each. */
function firstOther(parts: readonly Uint8Array[], others: readonly Uint8Array[]): string {
  const [batches, wanted] = [batchesIn(parts), batchesIn(others)];
  const isOther = (batch: Uint8Array, at: number): boolean => Buffer.compare(batch, wanted[at]!) !== 0;
  const found = batches.slice(0, wanted.length).findIndex(isOther);
  const at = found < 0 ? Math.min(batches.length, wanted.length) : found;
  return `${described(batches[at])}, not ${described(wanted[at])}`;
}

function batchesIn(parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const batches: Uint8Array[] = [];
  for (const part of parts) {
    for (let at = 0; at < part.length; at += batchSizeBytes(part, at)) {
      batches.push(part.subarray(at, at + batchSizeBytes(part, at)));
    }
  }
  return batches;
}

function described(batch: Uint8Array | undefined): string {
  if (batch === undefined) return 'nothing';
  return `${valuesIn([batch]).values.join(' ')} at ${batchBaseOffset(batch)} of epoch ${batchLeaderEpoch(batch)}`;
}
