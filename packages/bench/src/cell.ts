// One cell of the matrix, and what was measured in it.

export interface Cell {
  readonly partitions: number;
  readonly sizeBytes: number;
  readonly acks: '1' | 'all';
  /** `ack`: on disk before acks=all is answered. `os`: in the page cache. Kafka gets flush.messages=1 for `ack`. */
  readonly flush: 'ack' | 'os';
  /** Replication factor; min.insync.replicas is one less, at least 1. */
  readonly replicas: number;
  readonly records: number;
  /** Records a second; undefined: as fast as the producer can. */
  readonly rate: number | undefined;
}

export const minInSyncReplicas = ({ replicas }: Cell): number => Math.max(1, replicas - 1);

export interface Throughput {
  readonly recordsPerSecond: number;
  readonly megabytesPerSecond: number;
}

export interface ProduceMeasurement extends Throughput {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

export interface CellResult {
  readonly system: string;
  readonly cell: Cell;
  readonly produce: ProduceMeasurement | undefined;
  /** At full speed only. */
  readonly consume: Throughput | undefined;
  /** Processor time of all brokers for each GB (10^9 bytes of values) written and read. */
  readonly cpuSecondsPerGb: number | undefined;
  /** Of one core, a broker, while producing. */
  readonly cpuPercentProducing: number | undefined;
  /** Of one core, a broker, with the topic there and nothing to do. */
  readonly cpuPercentIdle: number | undefined;
  /** Of the largest broker. */
  readonly rssIdleBytes: number;
  readonly rssLoadedBytes: number;
  /** Why something is missing. */
  readonly problem: string | undefined;
}

/** How long a cell at a fixed rate lasts. */
const RATE_SECONDS = 15;

/** At full speed at least enough records to measure, at most ten million; then the same at each rate. */
export function cells(options: {
  readonly partitions: readonly number[];
  readonly sizes: readonly number[];
  readonly acks: readonly Cell['acks'][];
  readonly flushPolicies: readonly Cell['flush'][];
  readonly replicas: readonly number[];
  readonly rates: readonly number[];
  readonly megabytes: number;
}): readonly Cell[] {
  const { acks, flushPolicies, megabytes, partitions, rates, replicas, sizes } = options;
  const shapes = partitions.flatMap((count) =>
    sizes.flatMap((sizeBytes) =>
      acks.flatMap((ack) =>
        replicas.flatMap((factor) =>
          flushPolicies.map((flush) => ({
            partitions: count,
            sizeBytes,
            acks: ack,
            flush,
            replicas: factor,
          })),
        ),
      ),
    ),
  );
  return shapes.flatMap((shape) => [
    {
      ...shape,
      records: Math.min(Math.max(Math.round((megabytes * 1e6) / shape.sizeBytes), 1_000), 10_000_000),
      rate: undefined,
    },
    ...rates.map((rate) => ({ ...shape, records: rate * RATE_SECONDS, rate })),
  ]);
}
