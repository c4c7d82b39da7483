// Consumers of a group over real sockets: the coordinator is the state machine of `group`, the brokers are fakes, time moves by hand.
import { expect } from 'chai';
import { CommitFailed, stringDeserializer } from '@tidemark/client';
import type { Consumer, ConsumerOptions, ConsumerRecord, GroupEvent } from '@tidemark/client';
import { batchOf } from './batches.ts';
import { numbered, rejection, startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { quiet, until } from './test-clock.ts';

type Member = Consumer<Uint8Array, string> & { events: GroupEvent[] };

describe('a consumer in a group', () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await startFixture(2);
    fixture.cluster.addTopic('orders', 4);
  });
  afterEach(() => fixture.stop());

  const place = (partition: number, ...values: string[]): void => {
    fixture.cluster.partition('orders', partition).place(batchOf(values));
    fixture.cluster.pumpAll();
  };

  const cooperative = { 'partition.assignment.strategy': 'cooperative-sticky' };

  const member = (
    config: Record<string, string | number | boolean> = {},
    options: Partial<ConsumerOptions<Uint8Array, string>> = {},
  ): Member => {
    const events: GroupEvent[] = [];
    const consumer = fixture.consumer<Uint8Array, string>({
      valueDeserializer: stringDeserializer,
      groupId: 'billing',
      config: { 'auto.offset.reset': 'earliest', ...config },
      onGroupEvent: (event) => events.push(event),
      ...options,
    });
    return Object.assign(consumer, { events });
  };

  const partitionsOf = ({ assignment }: Member): number[] =>
    assignment.map(({ partition }) => partition).sort();
  const settled = (...members: readonly Member[]) =>
    until(() => {
      const { state, members: joined } = fixture.coordinator.describe('billing') ?? {
        state: '',
        members: [],
      };
      return (
        state === 'Stable' &&
        joined.length === members.length &&
        members.reduce((sum, { assignment }) => sum + assignment.length, 0) === 4
      );
    });
  /** Lets heartbeats go out, so that members hear of rebalances. */
  const beat = async (): Promise<void> => {
    fixture.clock.advance(3000);
    await quiet();
  };
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 3000) await beat();
  };
  async function settles(...members: readonly Member[]): Promise<void> {
    for (let tries = 0; tries < 20; tries++) {
      await beat();
      const group = fixture.coordinator.describe('billing');
      const total = members.reduce((sum, { assignment }) => sum + assignment.length, 0);
      if (group?.state === 'Stable' && group.members.length === members.length && total === 4) return;
    }
    throw new Error('the group does not settle');
  }
  const read = async (consumer: Member, count: number): Promise<ConsumerRecord<Uint8Array, string>[]> => {
    const records: ConsumerRecord<Uint8Array, string>[] = [];
    while (records.length < count) records.push(...(await consumer.poll({ timeoutMs: 60_000 })));
    return records;
  };

  it('gets every partition when it is alone, and begins where the group is', async () => {
    place(0, 'a', 'b', 'c');
    const first = member();
    first.subscribe(['orders']);
    expect((await read(first, 3)).map(({ value }) => value)).to.deep.equal(['a', 'b', 'c']);
    expect(partitionsOf(first)).to.deep.equal([0, 1, 2, 3]);
    await first.commit([{ topic: 'orders', partition: 0, offset: 2, metadata: 'two thirds' }]);
    const [committed, none] = await first.committed([
      { topic: 'orders', partition: 0 },
      { topic: 'orders', partition: 1 },
    ]);
    expect(committed).to.include({ offset: 2, metadata: 'two thirds' });
    expect(none).to.equal(undefined);
    await first.close();
    expect(fixture.coordinator.describe('billing')?.members).to.deep.equal([]);
    // In its hands when it closed: a, b and c; the application's own commit stands.
    expect(fixture.coordinator.committed('billing', 'orders', 0)).to.equal(2);
    const second = member();
    second.subscribe(['orders']);
    expect((await read(second, 1)).map(({ value }) => value)).to.deep.equal(['c']);
  });

  it('shares the partitions with others, eagerly', async () => {
    const [one, two] = [member(), member()];
    one.subscribe(['orders']);
    await settled(one);
    two.subscribe(['orders']);
    await settles(one, two);
    expect([...partitionsOf(one), ...partitionsOf(two)].sort()).to.deep.equal([0, 1, 2, 3]);
    expect(partitionsOf(one)).to.have.length(2);
    await two.close();
    await beat();
    await settles(one);
    expect(partitionsOf(one)).to.deep.equal([0, 1, 2, 3]);
  });

  it('keeps what does not move in a cooperative rebalance, with its position', async () => {
    for (const partition of [0, 1, 2, 3]) place(partition, ...numbered(4, `p${partition}-`));
    const calls: string[] = [];
    const note = (name: string) => ({
      onAssigned: (partitions: readonly { partition: number }[]) =>
        void calls.push(`${name} assigned ${partitions.map(({ partition }) => partition).join()}`),
      onRevoked: (partitions: readonly { partition: number }[]) =>
        void calls.push(`${name} revoked ${partitions.map(({ partition }) => partition).join()}`),
    });
    // Nothing is committed: a position that came from a commit would show.
    const manual = { ...cooperative, 'enable.auto.commit': false };
    const [one, two] = [member(manual), member(manual)];
    one.subscribe(['orders'], note('one'));
    await read(one, 16);
    expect(await one.poll()).to.deep.equal([]);
    two.subscribe(['orders'], note('two'));
    await settles(one, two);
    const kept = partitionsOf(one);
    expect(kept).to.have.length(2);
    expect(calls[0]).to.equal('one assigned 0,1,2,3');
    const gone = [0, 1, 2, 3].filter((partition) => !kept.includes(partition));
    expect(calls.filter((call) => call.startsWith('one revoked'))).to.deep.equal([
      `one revoked ${gone.join()}`,
    ]);
    expect(calls.indexOf(`one revoked ${gone.join()}`)).to.be.below(
      calls.indexOf(`two assigned ${gone.join()}`),
    );
    for (const partition of kept) expect(await one.position({ topic: 'orders', partition })).to.equal(4);
    expect(await one.poll()).to.deep.equal([]);
    // What moved begins anew: nobody committed it.
    expect(await read(two, 8)).to.have.length(8);
  });

  it('waits for the records in hand before it gives a partition up, and commits them', async () => {
    for (const partition of [0, 1, 2, 3]) place(partition, ...numbered(2, `p${partition}-`));
    const [one, two] = [member(), member()];
    one.subscribe(['orders']);
    const inHand = await read(one, 8);
    expect(inHand).to.have.length(8);
    two.subscribe(['orders']);
    await beat();
    await beat();
    expect(partitionsOf(one), 'the application has them in its hands').to.deep.equal([0, 1, 2, 3]);
    expect(partitionsOf(two)).to.deep.equal([]);
    const polling = one.poll({ timeoutMs: 1_000_000 });
    await settles(one, two);
    for (const partition of [0, 1, 2, 3]) {
      expect(fixture.coordinator.committed('billing', 'orders', partition)).to.equal(2);
    }
    place(partitionsOf(one)[0]!, 'next');
    expect((await polling).map(({ value }) => value)).to.deep.equal(['next']);
  });

  it('never hands out records of a partition after it was revoked, however many were pushed', async () => {
    for (const partition of [0, 1, 2, 3])
      for (const value of numbered(30, `p${partition}-`)) place(partition, value);
    const revoked = new Set<number>();
    const late: string[] = [];
    const one = member({ ...cooperative, 'max.poll.records': 1 });
    one.subscribe(['orders'], {
      onAssigned: (partitions) => partitions.forEach(({ partition }) => revoked.delete(partition)),
      onRevoked: (partitions) => partitions.forEach(({ partition }) => revoked.add(partition)),
    });
    const stop = new AbortController();
    const reading = (async () => {
      while (!stop.signal.aborted) {
        for (const { partition, value } of await one.poll({ timeoutMs: 10 }))
          if (revoked.has(partition)) late.push(value ?? '');
        await quiet(2);
      }
    })();
    await until(() => one.metrics.batchesConsumed > 5);
    const two = member(cooperative);
    two.subscribe(['orders']);
    await settles(one, two);
    await quiet(100);
    stop.abort();
    await reading;
    expect(revoked.size).to.equal(2);
    expect(late).to.deep.equal([]);
  });

  it('is refused a commit of a generation that is over, with the cause', async () => {
    place(0, 'a', 'b');
    const one = member({ 'enable.auto.commit': false, 'max.poll.interval.ms': 60_000 });
    const lost: number[] = [];
    one.subscribe(['orders'], {
      onLost: (partitions) => void lost.push(...partitions.map(({ partition }) => partition)),
    });
    const [record] = await read(one, 1);
    await pass(60_000);
    await until(() => lost.length === 4);
    const failed = await rejection(
      one.commit([{ topic: 'orders', partition: 0, offset: record!.offset + 1 }]),
    );
    expect(failed).to.be.instanceOf(CommitFailed);
    expect(failed.cause).to.include({ error: 'UNKNOWN_MEMBER_ID' });
    expect(failed.message).to.match(
      /UNKNOWN_MEMBER_ID: the commit of orders-0@1 failed.*no member of billing/,
    );
    await until(() => one.events.some(({ type }) => type === 'left'));
    expect(fixture.coordinator.describe('billing')?.members).to.deep.equal([]);
    const rebalance = fixture.coordinator.describe('billing')?.rebalances.at(-1)?.cause;
    expect(rebalance)
      .to.have.property('clientReason')
      .that.matches(/has not asked for more in max.poll.interval.ms/);
    // It comes back, and begins where the group is.
    expect((await read(one, 2)).map(({ value }) => value)).to.deep.equal(['a', 'b']);
  });
});
