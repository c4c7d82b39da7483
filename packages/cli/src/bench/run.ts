// `tidemark bench produce | consume | e2e`. Each run has a topic of its own, made before and deleted after, unless one is named.
import { Consumer, Producer } from '@tidemark/client';
import { randomBytes } from 'node:crypto';
import { clientOptions, requireTopic, withAdmin } from '../cluster-access.ts';
import { parseAssignments, type CommandContext } from '../command-context.ts';
import { CommandFailure, usageFailure } from '../exit.ts';
import { Payload } from './load.ts';
import { Meter, printResult, type BenchResult } from './meter.ts';
import { readLoad } from './reader.ts';
import { writeLoad } from './writer.ts';

interface LoadOptions {
  readonly topic?: string;
  readonly partitions: number;
  readonly replicas?: number;
  readonly topicConfig?: readonly string[];
  readonly records?: number;
  readonly size: number;
  readonly duration?: number;
  readonly progress: boolean;
}

interface ProducerLoadOptions extends LoadOptions {
  readonly batchSize?: number;
  readonly linger?: number;
  readonly acks?: 'all' | '1' | '0' | '-1';
  readonly compression?: string;
  readonly rate?: number;
  readonly keys?: number;
}

const DEFAULT_RECORDS = 1_000_000;
const DEFAULT_END_TO_END_RECORDS = 10_000;
const DEFAULT_END_TO_END_RATE = 1_000;
/** The send time an end-to-end record carries. */
const STAMP_BYTES = 8;

type LoadProducer = Producer<Uint8Array, Uint8Array>;

/** Runs `body` with the topic's name and partitions; deletes the topic afterwards if it was made here. */
async function withTopic<T>(
  context: CommandContext,
  options: LoadOptions,
  body: (topic: string, partitions: readonly number[]) => Promise<T>,
): Promise<T> {
  if (options.topic !== undefined)
    return body(options.topic, await requireTopic(context.cluster, options.topic));
  const name = `tidemark-bench-${randomBytes(4).toString('hex')}`;
  return withAdmin(context.cluster, async (admin) => {
    await admin.createTopic({
      name,
      partitions: options.partitions,
      replicationFactor: options.replicas,
      configs: parseAssignments(options.topicConfig ?? []),
    });
    try {
      return await body(
        name,
        Array.from({ length: options.partitions }, (_, partition) => partition),
      );
    } finally {
      await admin.deleteTopic(name);
    }
  });
}

function loadProducer(
  context: CommandContext,
  options: Partial<ProducerLoadOptions>,
  defaults: Readonly<Record<string, number>>,
  onError: (error: unknown) => void,
): LoadProducer {
  const set: Record<string, string | number> = { ...defaults };
  if (options.batchSize !== undefined) set['batch.size'] = options.batchSize;
  if (options.linger !== undefined) set['linger.ms'] = options.linger;
  if (options.acks !== undefined) set['acks'] = options.acks;
  if (options.compression !== undefined) set['compression.type'] = options.compression;
  return new Producer({ ...clientOptions(context.cluster, set), onError });
}

/** Says when a run is over before its records are: time is up, it was interrupted, or a record failed. */
class Limit {
  readonly #signal: AbortSignal;
  readonly #endMs: number;
  error: unknown;

  constructor(context: CommandContext, durationMs: number | undefined) {
    this.#signal = context.interruption.signal;
    this.#endMs = performance.now() + (durationMs ?? Infinity);
  }

  readonly stopped = (): boolean =>
    this.#signal.aborted || this.error !== undefined || performance.now() >= this.#endMs;

  readonly fail = (error: unknown): void => {
    this.error ??= error;
  };
}

function throwIfFailed(limit: Limit): void {
  if (limit.error === undefined) return;
  if (limit.error instanceof Error) throw limit.error;
  throw new CommandFailure('records could not be written', { cause: limit.error });
}

async function write(
  context: CommandContext,
  topic: string,
  options: ProducerLoadOptions,
  records: number,
): Promise<BenchResult> {
  const limit = new Limit(context, options.duration);
  const producer = loadProducer(context, options, {}, limit.fail);
  try {
    // The connection and the topic's leaders are found before the clock starts.
    await producer.partitionsFor(topic);
    const meter = new Meter(context);
    await writeLoad({
      producer,
      topic,
      payload: new Payload(options.size, options.keys ?? 0),
      records,
      ratePerSecond: options.rate,
      meter,
      stopped: limit.stopped,
    });
    const result = meter.result('produce', topic, producer.metrics.recordsFailed);
    if (limit.error !== undefined) await printResult(context, result);
    throwIfFailed(limit);
    return result;
  } finally {
    await producer.close({ timeoutMs: context.cluster.timeoutMs });
  }
}

export async function benchProduce(
  context: CommandContext,
  _args: readonly string[],
  options: ProducerLoadOptions,
): Promise<undefined> {
  await withTopic(context, options, async (topic) => {
    await printResult(context, await write(context, topic, options, options.records ?? recordsFor(options)));
  });
  return undefined;
}

/** With --duration alone, records do not end the run. */
const recordsFor = ({ duration }: LoadOptions): number =>
  duration === undefined ? DEFAULT_RECORDS : Infinity;

export async function benchConsume(
  context: CommandContext,
  _args: readonly string[],
  options: LoadOptions,
): Promise<undefined> {
  await withTopic(context, options, async (topic, partitions) => {
    const wanted = options.records ?? (options.topic === undefined ? DEFAULT_RECORDS : Infinity);
    if (options.topic === undefined) {
      context.io.stderr.write(`filling ${topic} with ${wanted} records\n`);
      // What --duration limits is the reading.
      await write({ ...context, progress: false }, topic, { ...options, duration: Infinity }, wanted);
    }
    const limit = new Limit(context, options.duration);
    const consumer = new Consumer(clientOptions(context.cluster, {}));
    try {
      const places = partitions.map((partition) => ({ topic, partition }));
      const ends = await consumer.endOffsets(places);
      const starts = await consumer.beginningOffsets(places);
      const present = ends.reduce((sum, { offset }, at) => sum + offset - starts[at]!.offset, 0);
      const meter = new Meter(context);
      consumer.assign(places.map((place) => ({ ...place, position: 'start' as const })));
      await readLoad({
        consumer,
        records: Math.min(wanted, present),
        meter,
        stopped: limit.stopped,
        signal: context.interruption.signal,
      });
      await printResult(context, meter.result('consume', topic));
    } finally {
      await consumer.close();
    }
  });
  return undefined;
}

export async function benchEndToEnd(
  context: CommandContext,
  _args: readonly string[],
  options: ProducerLoadOptions,
): Promise<undefined> {
  if (options.size < STAMP_BYTES)
    throw usageFailure(`--size must be at least ${STAMP_BYTES}: a record carries its send time`);
  await withTopic(context, options, async (topic, partitions) => {
    const limit = new Limit(context, options.duration);
    // As Kafka's tool: a record that lingers measures linger.ms and nothing else.
    const producer = loadProducer(context, options, { 'linger.ms': 0 }, limit.fail);
    const consumer = new Consumer(clientOptions(context.cluster, { 'fetch.max.wait.ms': 500 }));
    const reading = new AbortController();
    try {
      await producer.partitionsFor(topic);
      const places = partitions.map((partition) => ({ topic, partition }));
      consumer.assign(places.map((place) => ({ ...place, position: 'end' as const })));
      // Positions first: a record written before the consumer knows the end would not be read.
      await Promise.all(places.map((place) => consumer.position(place)));
      const records = options.records ?? DEFAULT_END_TO_END_RECORDS;
      const meter = new Meter(context);
      let target = records;
      const read = readLoad({
        consumer,
        records,
        meter,
        stopped: () => meter.records >= target,
        signal: reading.signal,
        stamped: true,
      });
      await writeStamped(context, { producer, topic, options, records, limit });
      // Cut short, fewer are on their way than were asked for; perhaps all of them have arrived.
      target = producer.metrics.recordsAcknowledged;
      if (meter.records >= target) reading.abort();
      await read;
      await printResult(context, meter.result('e2e', topic, producer.metrics.recordsFailed));
      throwIfFailed(limit);
    } finally {
      reading.abort();
      await consumer.close();
      await producer.close({ timeoutMs: context.cluster.timeoutMs });
    }
  });
  return undefined;
}

async function writeStamped(
  context: CommandContext,
  order: {
    readonly producer: LoadProducer;
    readonly topic: string;
    readonly options: ProducerLoadOptions;
    readonly records: number;
    readonly limit: Limit;
  },
): Promise<void> {
  const { producer, topic, options, records, limit } = order;
  const payload = new Payload(options.size, options.keys ?? 0);
  await writeLoad({
    producer,
    topic,
    payload,
    records,
    ratePerSecond: options.rate ?? DEFAULT_END_TO_END_RATE,
    // What counts here is what arrives.
    meter: new Meter({ ...context, progress: false }),
    stopped: limit.stopped,
    value: (record, intendedMs) => {
      const value = payload.value(record);
      value.writeDoubleBE(intendedMs, 0);
      return value;
    },
  });
}
