// One cell of the matrix, and what was measured in it.

export interface Cell {
  readonly partitions: number;
  readonly sizeBytes: number;
  readonly acks: '1' | 'all';
  /** `ack`: on disk before acks=all is answered. `os`: in the page cache. Kafka gets flush.messages=1 for `ack`. */
  readonly flush: 'ack' | 'os';
  readonly records: number;
}

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
  readonly consume: Throughput | undefined;
  /** Processor time of the broker for each GB (10^9 bytes of values) written and read. */
  readonly cpuSecondsPerGb: number | undefined;
  readonly rssIdleBytes: number;
  readonly rssLoadedBytes: number;
  /** Why something is missing. */
  readonly problem: string | undefined;
}

/** At least enough records to measure, at most ten million. */
export function cells(options: {
  readonly partitions: readonly number[];
  readonly sizes: readonly number[];
  readonly acks: readonly Cell['acks'][];
  readonly flushPolicies: readonly Cell['flush'][];
  readonly megabytes: number;
}): readonly Cell[] {
  return options.partitions.flatMap((partitions) =>
    options.sizes.flatMap((sizeBytes) =>
      options.acks.flatMap((acks) =>
        options.flushPolicies.map((flush) => ({
          partitions,
          sizeBytes,
          acks,
          flush,
          records: Math.min(Math.max(Math.round((options.megabytes * 1e6) / sizeBytes), 1_000), 10_000_000),
        })),
      ),
    ),
  );
}
