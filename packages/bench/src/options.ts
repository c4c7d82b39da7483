// The command line of the comparison. Everything has a default that ends in minutes on a small machine.
import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** The script that runs Kafka, and the folder with its jars; both or neither. */
  readonly kafka: { readonly script: string; readonly directory: string } | undefined;
  readonly partitions: readonly number[];
  readonly sizes: readonly number[];
  readonly acks: readonly ('1' | 'all')[];
  readonly flushPolicies: readonly ('ack' | 'os')[];
  /** Of each system: 1, or 3 as a cluster. */
  readonly brokers: number;
  /** Replication factors. */
  readonly replicas: readonly number[];
  /** Records a second, each a cell of its own beside the one at full speed. */
  readonly rates: readonly number[];
  /** How long a topic is left alone before it is written to, in seconds. */
  readonly idleSeconds: number;
  /** Of data a measurement writes, values only. */
  readonly megabytes: number;
  /** A measurement that takes longer is ended and reported as such. */
  readonly maxSeconds: number;
  readonly skipTidemark: boolean;
  readonly output: 'table' | 'json';
}

export const USAGE = `usage: node packages/bench/dist/main.js [options]

Measures a Tidemark server or cluster, and Kafka beside it when told where it is, with the same load.

  --kafka-peer PATH      script that starts and stops Kafka and runs its tools
  --kafka-dir DIR        folder it works in
  --partitions 1,16      --sizes 100,1024      --acks 1,all      --flush ack,os
  --brokers 1            of each system, each also a controller
  --replicas 1,3         replication factors (default: as many as brokers); min.insync.replicas is one less
  --rates 2000,10000     also at these rates, in records a second, for 15 s each
  --idle 0               seconds each topic is left alone first, for the processor time of doing nothing
  --megabytes 50         data each measurement writes
  --max-seconds 120       limit of one measurement
  --kafka-only           leave Tidemark out
  -o, --output FORMAT    table (default) or json
`;

function numbers(text: string, name: string): readonly number[] {
  return text.split(',').map((item) => {
    const value = Number(item);
    if (!Number.isSafeInteger(value) || value < 1)
      throw new Error(`--${name}: "${item}" is not a positive number`);
    return value;
  });
}

function choices<T extends string>(text: string, name: string, known: readonly T[]): readonly T[] {
  return text.split(',').map((item) => {
    const found = known.find((choice) => choice === item);
    if (found === undefined) throw new Error(`--${name}: "${item}" is none of ${known.join(', ')}`);
    return found;
  });
}

/** Throws an Error with a sentence for the user. Undefined when help was asked for. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'kafka-peer': { type: 'string' },
      'kafka-dir': { type: 'string' },
      partitions: { type: 'string', default: '1,16' },
      sizes: { type: 'string', default: '100,1024' },
      acks: { type: 'string', default: '1,all' },
      flush: { type: 'string', default: 'ack,os' },
      brokers: { type: 'string', default: '1' },
      replicas: { type: 'string' },
      rates: { type: 'string' },
      idle: { type: 'string', default: '0' },
      megabytes: { type: 'string', default: '50' },
      'max-seconds': { type: 'string', default: '120' },
      'kafka-only': { type: 'boolean', default: false },
      output: { type: 'string', short: 'o', default: 'table' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const script = values['kafka-peer'];
  const directory = values['kafka-dir'];
  if ((script === undefined) !== (directory === undefined)) {
    throw new Error('--kafka-peer and --kafka-dir go together');
  }
  const brokers = numbers(values.brokers, 'brokers')[0]!;
  const replicas = numbers(values.replicas ?? values.brokers, 'replicas');
  const tooMany = replicas.find((factor) => factor > brokers);
  if (tooMany !== undefined) throw new Error(`--replicas ${tooMany}: there are only ${brokers} brokers`);
  return {
    brokers,
    replicas,
    rates: values.rates === undefined ? [] : numbers(values.rates, 'rates'),
    idleSeconds: values.idle === '0' ? 0 : numbers(values.idle, 'idle')[0]!,
    kafka: script === undefined || directory === undefined ? undefined : { script, directory },
    partitions: numbers(values.partitions, 'partitions'),
    sizes: numbers(values.sizes, 'sizes'),
    acks: choices(values.acks, 'acks', ['1', 'all']),
    flushPolicies: choices(values.flush, 'flush', ['ack', 'os']),
    megabytes: numbers(values.megabytes, 'megabytes')[0]!,
    maxSeconds: numbers(values['max-seconds'], 'max-seconds')[0]!,
    skipTidemark: values['kafka-only'],
    output: choices(values.output, 'output', ['table', 'json'])[0]!,
  };
}
