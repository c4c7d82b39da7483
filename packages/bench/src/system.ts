// What is measured: a broker with a pid, and its own tools to write and read with.
import type { Cell, ProduceMeasurement, Throughput } from './cell.ts';

export interface MeasuredSystem {
  readonly name: string;
  /** Of the broker. */
  readonly pid: number;
  createTopic(topic: string, cell: Cell): Promise<void>;
  produce(topic: string, cell: Cell): Promise<ProduceMeasurement>;
  consume(topic: string, cell: Cell): Promise<Throughput>;
  deleteTopic(topic: string): Promise<void>;
  /** Ends the broker and removes its data. */
  stop(): Promise<void>;
}
