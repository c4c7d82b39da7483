// What is measured: brokers with their pids, and their own tools to write and read with.
import type { Cell, ProduceMeasurement, Throughput } from './cell.ts';

export interface MeasuredSystem {
  readonly name: string;
  /** Of the brokers. */
  readonly pids: readonly number[];
  /** Resolves when every replica is in sync. */
  createTopic(topic: string, cell: Cell): Promise<void>;
  produce(topic: string, cell: Cell): Promise<ProduceMeasurement>;
  consume(topic: string, cell: Cell): Promise<Throughput>;
  deleteTopic(topic: string): Promise<void>;
  /** Ends the brokers and removes their data. */
  stop(): Promise<void>;
}
