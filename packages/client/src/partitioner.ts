// Which partition a record goes to. A key decides by Kafka's hash, so that every client agrees; without a key the partitions
// take turns by whole batches (KIP-480, KIP-794), which makes batches full and the load even.
import { TidemarkError } from '@tidemark/core';
import { murmur2 } from '@tidemark/record';
import type { TopicInfo } from './cluster-metadata.ts';

/** The partition Kafka's default partitioner gives a key: `toPositive(murmur2(key)) % partitionCount`. */
export function partitionForKey(key: Uint8Array, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount;
}

export interface PartitionerInput {
  readonly topic: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly partitionCount: number;
  /** Those that have a leader; empty when none has. */
  readonly available: readonly number[];
}

/** Your own choice, 0 .. partitionCount - 1; `undefined` leaves it to the default. */
export type Partitioner = (input: PartitionerInput) => number | undefined;

/** Every record to the next partition in turn, those without a leader left out. Keys do not count. */
export function roundRobinPartitioner(): Partitioner {
  const turns = new Map<string, number>();
  return ({ topic, partitionCount, available }) => {
    const turn = turns.get(topic) ?? 0;
    turns.set(topic, turn + 1);
    return available.length > 0 ? available[turn % available.length]! : turn % partitionCount;
  };
}

export function availablePartitions(info: TopicInfo): number[] {
  return info.partitions.filter(({ leaderId }) => leaderId >= 0).map(({ partition }) => partition);
}

/** A partition somebody named, checked against the topic. */
export function checkedPartition(info: TopicInfo, partition: number): number {
  if (Number.isInteger(partition) && partition >= 0 && partition < info.partitions.length) return partition;
  throw new TidemarkError(
    'INVALID_PARTITIONS',
    `topic "${info.name}" has partitions 0 to ${info.partitions.length - 1}, not ${partition}`,
  );
}

/** What a sticky choice goes by; undefined without adaptive partitioning. */
export interface PartitionLoads {
  /** Batches of the partition that wait or are under way. */
  load(partition: number): number;
  /** The leader has taken nothing for partitioner.availability.timeout.ms. */
  isUnavailable(leaderId: number): boolean;
}

/** The partition that records without a key go to until its batch is full. */
export class StickyPartition {
  readonly #random: () => number;
  readonly #loads: PartitionLoads | undefined;
  #partition = -1;

  constructor(random: () => number, loads?: PartitionLoads) {
    this.#random = random;
    this.#loads = loads;
  }

  current(info: TopicInfo): number {
    return this.#partition < 0 ? this.next(info) : this.#partition;
  }

  /** At random: another one with a leader; or, where batches pile up, any of them, the less often the more there are (KIP-794). */
  next(info: TopicInfo): number {
    const available = availablePartitions(info);
    let choice = available.length > 0 ? available : info.partitions.map(({ partition }) => partition);
    const loads = this.#loads;
    if (loads !== undefined) {
      const taking = choice.filter((partition) => !loads.isUnavailable(info.partitions[partition]!.leaderId));
      if (taking.length > 0) choice = taking;
      const weighed = this.#byLoad(
        choice,
        choice.map((partition) => loads.load(partition)),
      );
      if (weighed !== undefined) return (this.#partition = weighed);
    }
    const others = choice.length > 1 ? choice.filter((partition) => partition !== this.#partition) : choice;
    this.#partition = others[Math.floor(this.#random() * others.length)] ?? 0;
    return this.#partition;
  }

  /** In the ratio of largest load + 1 - own load, as Kafka's BuiltInPartitioner. Undefined when the loads are equal. */
  #byLoad(choice: readonly number[], loads: readonly number[]): number | undefined {
    const most = Math.max(...loads);
    if (loads.every((load) => load === most)) return undefined;
    const total = loads.reduce((sum, load) => sum + most + 1 - load, 0);
    let left = this.#random() * total;
    for (const [at, load] of loads.entries()) {
      left -= most + 1 - load;
      if (left < 0) return choice[at];
    }
    return choice.at(-1);
  }
}
