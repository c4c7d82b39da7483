// What the tests of this package begin with: a fake cluster, a clock that does not wait, and clients that are closed afterwards.
import { Consumer, Producer } from '@tidemark/client';
import type { ConsumerOptions, ProducerOptions } from '@tidemark/client';
import type { GroupSettings } from '@tidemark/group';
import { FakeCluster } from './fake-cluster.ts';
import { FakeCoordinator } from './fake-coordinator.ts';
import { TestClock, seededRandom } from './test-clock.ts';

export interface Fixture {
  readonly cluster: FakeCluster;
  readonly clock: TestClock;
  readonly coordinator: FakeCoordinator;
  /** What reached `onError` of the producers. */
  readonly errors: unknown[];
  producer<K = string, V = string>(options?: Partial<ProducerOptions<K, V>>): Producer<K, V>;
  consumer<K = Uint8Array, V = Uint8Array>(options?: Partial<ConsumerOptions<K, V>>): Consumer<K, V>;
  stop(): Promise<void>;
}

export async function startFixture(
  brokerCount = 1,
  groupSettings: Partial<GroupSettings> = {},
): Promise<Fixture> {
  const cluster = await FakeCluster.start(brokerCount);
  const clock = new TestClock();
  const coordinator = new FakeCoordinator(clock, groupSettings);
  coordinator.locate = () => {
    const { brokerId } = coordinator;
    return { nodeId: brokerId, host: '127.0.0.1', port: cluster.broker(brokerId).port };
  };
  cluster.coordinator = coordinator;
  const open: (() => Promise<unknown>)[] = [];
  const errors: unknown[] = [];
  const base = { brokers: cluster.bootstrap, clock, random: seededRandom() };
  return {
    cluster,
    clock,
    coordinator,
    errors,
    producer: <K, V>(options: Partial<ProducerOptions<K, V>> = {}) => {
      const producer = new Producer<K, V>({ ...base, onError: (error) => errors.push(error), ...options });
      open.push(() => producer.close({ timeoutMs: 0 }));
      return producer;
    },
    consumer: <K, V>(options: Partial<ConsumerOptions<K, V>> = {}) => {
      const consumer = new Consumer<K, V>({ ...base, onError: (error) => errors.push(error), ...options });
      open.push(() => consumer.close());
      return consumer;
    },
    stop: async () => {
      for (const close of open) await close();
      coordinator.stop();
      cluster.stop();
    },
  };
}

/** The values of the next `count` records. */
export async function pollValues(consumer: Consumer<Uint8Array, string>, count: number): Promise<string[]> {
  const values: string[] = [];
  while (values.length < count) {
    const records = await consumer.poll({ maxRecords: count - values.length, timeoutMs: 100_000 });
    values.push(...records.map(({ value }) => value!));
  }
  return values;
}

/** The error a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { error?: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error('it was fulfilled');
}

export const numbered = (count: number, prefix = 'v'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
