// Consumers that all read everything: every partition of some topics, those to come too, without a group. Over a fake cluster.
import { stringDeserializer } from '@tidemark/client';
import type { AssignmentChange, Consumer, ConsumerOptions } from '@tidemark/client';
import { expect } from 'chai';
import { batchOf } from './batches.ts';
import { pollValues, rejection, startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { quiet, until } from './test-clock.ts';

type Reader = Consumer<Uint8Array, string>;

describe('a consumer that reads whole topics', () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture(2);
    fixture.cluster.addTopic('prices', 2);
  });
  afterEach(() => fixture.stop());

  const reader = (
    config: ConsumerOptions['config'] = {},
    options: Partial<ConsumerOptions<Uint8Array, string>> = {},
  ): Reader =>
    fixture.consumer<Uint8Array, string>({ valueDeserializer: stringDeserializer, config, ...options });

  const earliest = { 'auto.offset.reset': 'earliest' } as const;

  function place(topic: string, partition: number, ...values: string[]): void {
    fixture.cluster.partition(topic, partition).place(batchOf(values));
    fixture.cluster.pumpAll();
  }

  const placesOf = ({ assignment }: Reader): string[] =>
    assignment.map(({ topic, partition }) => `${topic}-${partition}`).sort();

  /** A change is known to every broker, and they have told whoever watches. */
  async function changed(): Promise<void> {
    await until(() => fixture.cluster.brokers.some(({ watches }) => watches.size > 0));
    fixture.cluster.announce();
    await quiet();
  }

  it('gets every record, as does every other one, each at its own pace', async () => {
    place('prices', 0, 'a');
    place('prices', 1, 'b');
    const [one, two] = [reader(earliest), reader(earliest)];
    expect(await one.assignAll(['prices'])).to.deep.equal([
      { topic: 'prices', partition: 0 },
      { topic: 'prices', partition: 1 },
    ]);
    expect((await pollValues(one, 2)).sort()).to.deep.equal(['a', 'b']);
    place('prices', 0, 'c');
    expect(await pollValues(one, 1)).to.deep.equal(['c']);
    await two.assignAll(['prices']);
    expect((await pollValues(two, 3)).sort()).to.deep.equal(['a', 'b', 'c']);
    expect(fixture.coordinator.describe('billing'), 'nobody is in a group').to.equal(undefined);
  });

  it('reads what comes later from its start, though it began at the end of what was there', async () => {
    place('prices', 0, 'old');
    const changes: AssignmentChange[] = [];
    const one = reader({ 'auto.offset.reset': 'latest' });
    await one.assignAll(/^prices/, { onChange: (change) => changes.push(change) });
    await one.position({ topic: 'prices', partition: 0 });
    await one.position({ topic: 'prices', partition: 1 });
    fixture.cluster.addTopic('prices-eu', 1);
    fixture.cluster.addTopic('orders', 1);
    place('prices-eu', 0, 'first');
    await changed();
    expect(placesOf(one)).to.deep.equal(['prices-0', 'prices-1', 'prices-eu-0']);
    expect(await pollValues(one, 1)).to.deep.equal(['first']);
    fixture.cluster.topic('prices').grow(3);
    place('prices', 2, 'new partition');
    await changed();
    expect(await pollValues(one, 1)).to.deep.equal(['new partition']);
    expect(changes.map(({ added, removed }) => [added.length, removed.length])).to.deep.equal([
      [2, 0],
      [1, 0],
      [1, 0],
    ]);
  });

  it('begins where the application says, partition by partition', async () => {
    place('prices', 0, 'a', 'b', 'c');
    place('prices', 1, 'x', 'y');
    const positions = new Map([[0, 2]]);
    const one = reader(earliest);
    await one.assignAll(['prices'], { position: ({ partition }) => positions.get(partition) });
    expect((await pollValues(one, 3)).sort()).to.deep.equal(['c', 'x', 'y']);
  });

  it('goes on where it was when a topic was unknown for a moment, and begins anew in another of its name', async () => {
    place('prices', 0, 'a');
    const one = reader(earliest);
    await one.assignAll(['prices']);
    expect(await pollValues(one, 1)).to.deep.equal(['a']);
    const topic = fixture.cluster.topic('prices');
    fixture.cluster.topics.delete('prices');
    await changed();
    expect(placesOf(one)).to.deep.equal([]);
    expect(await one.poll(), 'and no error').to.deep.equal([]);
    fixture.cluster.topics.set('prices', topic);
    await changed();
    place('prices', 0, 'b');
    expect(await pollValues(one, 1)).to.deep.equal(['b']);
    fixture.cluster.addTopic('filler');
    fixture.cluster.addTopic('prices', 1);
    place('prices', 0, 'of another topic');
    await changed();
    expect(placesOf(one)).to.deep.equal(['prices-0']);
    expect(await pollValues(one, 1)).to.deep.equal(['of another topic']);
  });

  it('reads a topic that is named when that is created', async () => {
    const one = reader();
    expect(await one.assignAll(['later'])).to.deep.equal([]);
    fixture.cluster.addTopic('later', 1);
    place('later', 0, 'a');
    await changed();
    expect(await pollValues(one, 1)).to.deep.equal(['a']);
  });

  it('keeps its positions in a group of its own, if it has one', async () => {
    place('prices', 0, 'a', 'b');
    const one = reader(earliest, { groupId: 'instance-1' });
    await one.assignAll(['prices']);
    await pollValues(one, 2);
    await one.commit();
    await one.close();
    place('prices', 0, 'c');
    const again = reader(earliest, { groupId: 'instance-1' });
    await again.assignAll(['prices']);
    expect(await pollValues(again, 1)).to.deep.equal(['c']);
  });

  it('tells what a listener throws, and is ended by another assignment', async () => {
    const errors: unknown[] = [];
    const one = reader({}, { onError: (error) => errors.push(error) });
    await one.assignAll(['prices'], {
      onChange: () => {
        throw new Error('no room');
      },
    });
    expect(errors.map(String)).to.deep.equal(['Error: no room']);
    one.assign([{ topic: 'prices', partition: 1 }]);
    fixture.cluster.topic('prices').grow(4);
    fixture.cluster.announce();
    await quiet();
    expect(placesOf(one)).to.deep.equal(['prices-1']);
    expect((await rejection(one.commit())).message).to.match(/INVALID_GROUP_ID/);
    expect(() => one.subscribe(['prices'])).to.throw(/assignAll/);
  });

  it('leaves no watch and no timer behind', async () => {
    const one = reader();
    await one.assignAll(/./);
    await until(() => fixture.cluster.brokers.some(({ watches }) => watches.size > 0));
    await one.close();
    await until(() => fixture.cluster.brokers.every(({ watches }) => watches.size === 0));
    fixture.coordinator.stop();
    await quiet();
    expect(fixture.clock.pending).to.equal(0);
  });
});
