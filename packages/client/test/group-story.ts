// What the stories about groups have in common: members of the group `billing` over a fake cluster, and time that passes in steps of a
// heartbeat, so that members hear of rebalances on the way.
import { stringDeserializer } from '@tidemark/client';
import type { Consumer, ConsumerOptions, ConsumerRecord, GroupEvent } from '@tidemark/client';
import { batchOf } from './batches.ts';
import type { Fixture } from './fixture.ts';
import { quiet } from './test-clock.ts';

export type Member = Consumer<Uint8Array, string> & { events: GroupEvent[] };

export const cooperative = { 'partition.assignment.strategy': 'cooperative-sticky' };

export class GroupStory {
  readonly #fixture: Fixture;
  readonly #partitionCount: number;

  constructor(fixture: Fixture, partitionCount = 4) {
    this.#fixture = fixture;
    this.#partitionCount = partitionCount;
    fixture.cluster.addTopic('orders', partitionCount);
  }

  place(partition: number, ...values: string[]): void {
    this.#fixture.cluster.partition('orders', partition).place(batchOf(values));
    this.#fixture.cluster.pumpAll();
  }

  member(
    config: Record<string, string | number | boolean> = {},
    options: Partial<ConsumerOptions<Uint8Array, string>> = {},
  ): Member {
    const events: GroupEvent[] = [];
    const consumer = this.#fixture.consumer<Uint8Array, string>({
      valueDeserializer: stringDeserializer,
      groupId: 'billing',
      config: { 'auto.offset.reset': 'earliest', ...config },
      onGroupEvent: (event) => events.push(event),
      ...options,
    });
    return Object.assign(consumer, { events });
  }

  committed(partition = 0, groupId = 'billing'): number | undefined {
    return this.#fixture.coordinator.committed(groupId, 'orders', partition);
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 3000) {
      this.#fixture.clock.advance(Math.min(left, 3000));
      await quiet();
    }
  }

  /** Until these are the group, stable, and have everything between them. */
  async settles(...members: readonly Member[]): Promise<void> {
    for (let tries = 0; tries < 20; tries++) {
      await this.pass(3000);
      const group = this.#fixture.coordinator.describe('billing');
      const total = members.reduce((sum, { assignment }) => sum + assignment.length, 0);
      const isComplete = group?.members.length === members.length && total === this.#partitionCount;
      if (group?.state === 'Stable' && isComplete) return;
    }
    throw new Error('the group does not settle');
  }

  async read(consumer: Member, count: number): Promise<ConsumerRecord<Uint8Array, string>[]> {
    const records: ConsumerRecord<Uint8Array, string>[] = [];
    while (records.length < count) records.push(...(await consumer.poll({ timeoutMs: 60_000 })));
    return records;
  }
}

export const partitionsOf = ({ assignment }: Member): number[] =>
  assignment.map(({ partition }) => partition).sort((one, other) => one - other);

export const valuesOf = (records: readonly ConsumerRecord<unknown, string>[]): (string | null)[] =>
  records.map(({ value }) => value);
