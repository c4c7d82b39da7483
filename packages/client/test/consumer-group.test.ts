// Consumers of a group over real sockets: the coordinator is the state machine of `group`, the brokers are fakes, time moves by hand.
import { expect } from 'chai';
import { CommitFailed } from '@tidemark/client';
import { batchOf } from './batches.ts';
import { numbered, rejection, startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { GroupStory, cooperative, partitionsOf, valuesOf } from './group-story.ts';
import { quiet, until } from './test-clock.ts';

describe('a consumer in a group', () => {
  let fixture: Fixture;
  let story: GroupStory;
  beforeEach(async () => {
    fixture = await startFixture(2);
    story = new GroupStory(fixture);
  });
  afterEach(() => fixture.stop());

  it('gets every partition when it is alone, and begins where the group is', async () => {
    story.place(0, 'a', 'b', 'c');
    const first = story.member();
    first.subscribe(['orders']);
    expect((await story.read(first, 3)).map(({ value }) => value)).to.deep.equal(['a', 'b', 'c']);
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
    const second = story.member();
    second.subscribe(['orders']);
    expect((await story.read(second, 1)).map(({ value }) => value)).to.deep.equal(['c']);
  });

  it('shares the partitions with others, eagerly', async () => {
    const [one, two] = [story.member(), story.member()];
    one.subscribe(['orders']);
    await story.settles(one);
    two.subscribe(['orders']);
    await story.settles(one, two);
    expect([...partitionsOf(one), ...partitionsOf(two)].sort()).to.deep.equal([0, 1, 2, 3]);
    expect(partitionsOf(one)).to.have.length(2);
    await two.close();
    await story.pass(3000);
    await story.settles(one);
    expect(partitionsOf(one)).to.deep.equal([0, 1, 2, 3]);
  });

  it('keeps what does not move in a cooperative rebalance, with its position', async () => {
    for (const partition of [0, 1, 2, 3]) story.place(partition, ...numbered(4, `p${partition}-`));
    const calls: string[] = [];
    const note = (name: string) => ({
      onAssigned: (partitions: readonly { partition: number }[]) =>
        void calls.push(`${name} assigned ${partitions.map(({ partition }) => partition).join()}`),
      onRevoked: (partitions: readonly { partition: number }[]) =>
        void calls.push(`${name} revoked ${partitions.map(({ partition }) => partition).join()}`),
    });
    // Nothing is committed: a position that came from a commit would show.
    const manual = { ...cooperative, 'enable.auto.commit': false };
    const [one, two] = [story.member(manual), story.member(manual)];
    one.subscribe(['orders'], note('one'));
    await story.read(one, 16);
    expect(await one.poll()).to.deep.equal([]);
    two.subscribe(['orders'], note('two'));
    await story.settles(one, two);
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
    expect(await story.read(two, 8)).to.have.length(8);
  });

  it('waits for the records in hand before it gives a partition up, and commits them', async () => {
    for (const partition of [0, 1, 2, 3]) story.place(partition, ...numbered(2, `p${partition}-`));
    const [one, two] = [story.member(), story.member()];
    one.subscribe(['orders']);
    const inHand = await story.read(one, 8);
    expect(inHand).to.have.length(8);
    two.subscribe(['orders']);
    await story.pass(3000);
    await story.pass(3000);
    expect(partitionsOf(one), 'the application has them in its hands').to.deep.equal([0, 1, 2, 3]);
    expect(partitionsOf(two)).to.deep.equal([]);
    const polling = one.poll({ timeoutMs: 1_000_000 });
    await story.settles(one, two);
    for (const partition of [0, 1, 2, 3]) {
      expect(fixture.coordinator.committed('billing', 'orders', partition)).to.equal(2);
    }
    story.place(partitionsOf(one)[0]!, 'next');
    expect((await polling).map(({ value }) => value)).to.deep.equal(['next']);
  });

  for (const strategy of ['range', 'cooperative-sticky']) {
    it(`begins a topic that was made again from its beginning, and commits nothing of the old one for it (${strategy})`, async () => {
      story.place(0, ...numbered(10, 'old'));
      const one = story.member({ 'partition.assignment.strategy': strategy });
      one.subscribe(['orders']);
      expect(await story.read(one, 10)).to.have.length(10);
      const { cluster, coordinator } = fixture;
      cluster.topics.delete('orders');
      coordinator.topicDeleted('orders');
      cluster.addTopic('another');
      cluster.addTopic('orders', 4);
      story.place(0, ...numbered(20, 'new'));
      cluster.announce();
      await story.pass(3000);
      // It comes for more: the ten are done, and are of no topic that there is.
      const read = [await one.poll({ timeoutMs: 60_000 })];
      while (read.flat().length === 0) read.push(await one.poll({ timeoutMs: 60_000 }));
      await story.pass(6000);
      expect(story.committed() ?? 0, 'nothing is done of the new one').to.equal(0);
      while (read.flat().length < 20) read.push(await one.poll({ timeoutMs: 60_000 }));
      expect(valuesOf(read.flat())).to.deep.equal(numbered(20, 'new'));
      expect(await one.poll(), 'it is done with them').to.deep.equal([]);
      await one.close();
      expect(story.committed()).to.equal(20);
    });
  }

  it('never hands out records of a partition after it was revoked, however many were pushed', async () => {
    for (const partition of [0, 1, 2, 3])
      for (const value of numbered(30, `p${partition}-`)) story.place(partition, value);
    const revoked = new Set<number>();
    const late: string[] = [];
    const one = story.member({ ...cooperative, 'max.poll.records': 1 });
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
    const two = story.member(cooperative);
    two.subscribe(['orders']);
    await story.settles(one, two);
    await quiet(100);
    stop.abort();
    await reading;
    expect(revoked.size).to.equal(2);
    expect(late).to.deep.equal([]);
  });

  it('hands out nothing of a partition while its revocation is being called back', async () => {
    for (const partition of [0, 1, 2, 3]) {
      for (const value of numbered(12, `p${partition}-`)) story.place(partition, value);
    }
    let finish = (): void => undefined;
    const going: number[] = [];
    const one = story.member({ ...cooperative, 'max.poll.records': 1 });
    one.subscribe(['orders'], {
      onRevoked: (partitions) => {
        if (going.length > 0) return undefined;
        going.push(...partitions.map(({ partition }) => partition));
        return new Promise((resolve) => (finish = resolve));
      },
    });
    await story.read(one, 1);
    const two = story.member(cooperative);
    two.subscribe(['orders']);
    const isGoing = (): boolean => going.length > 0;
    for (let tries = 0; tries < 5 && !isGoing(); tries++) {
      await story.pass(3000);
      if (!isGoing()) await one.poll();
      await quiet();
    }
    expect(going).to.have.length(2);
    const during: number[] = [];
    for (let polls = 0; polls < 12; polls++) {
      during.push(...(await one.poll()).map(({ partition }) => partition));
      await quiet(2);
    }
    expect(during).to.have.length.above(3);
    expect(during.filter((partition) => going.includes(partition))).to.deep.equal([]);
    finish();
    await one.poll();
    await story.settles(one, two);
  });

  it('is refused a commit of a generation that is over, with the cause', async () => {
    story.place(0, 'a', 'b');
    const one = story.member({ 'enable.auto.commit': false, 'max.poll.interval.ms': 60_000 });
    const lost: number[] = [];
    one.subscribe(['orders'], {
      onLost: (partitions) => void lost.push(...partitions.map(({ partition }) => partition)),
    });
    const [record] = await story.read(one, 1);
    await story.pass(60_000);
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
    expect((await story.read(one, 2)).map(({ value }) => value)).to.deep.equal(['a', 'b']);
  });

  it('goes on at the next coordinator, and commits there', async () => {
    story.place(0, 'a');
    const one = story.member();
    one.subscribe(['orders']);
    await story.read(one, 1);
    fixture.coordinator.move(2);
    await one.commit();
    expect(story.committed()).to.equal(1);
    await story.pass(60_000);
    expect(partitionsOf(one)).to.deep.equal([0, 1, 2, 3]);
    expect(one.events.filter(({ type }) => type === 'coordinator-found')).to.have.length(2);
    expect(one.events.some(({ type }) => type === 'lost')).to.equal(false);
  });

  it('commits with metadata, in the order of the calls, and says which offset is refused', async () => {
    story.place(0, ...numbered(5));
    const one = story.member({ 'enable.auto.commit': false });
    one.subscribe(['orders']);
    await story.read(one, 5);
    // The first attempt fails in a way that passes: what was asked for later must not overtake it.
    let isFirst = true;
    fixture.coordinator.onRequest = ({ method }) => {
      if (method !== 'CommitOffsets' || !isFirst) return undefined;
      isFirst = false;
      return 'COORDINATOR_LOAD_IN_PROGRESS';
    };
    one.commitSoon([{ topic: 'orders', partition: 0, offset: 1 }]);
    await until(() => !isFirst);
    for (const offset of [2, 3]) one.commitSoon([{ topic: 'orders', partition: 0, offset }]);
    await one.commit([{ topic: 'orders', partition: 0, offset: 4, metadata: 'four' }]);
    const commits = fixture.coordinator.requests.filter(({ method }) => method === 'CommitOffsets');
    expect(
      commits.map(({ request }) => (request as { offsets: { offset: number }[] }).offsets[0]!.offset),
    ).to.deep.equal([1, 1, 4]);
    const tooLong = one.commit([{ topic: 'orders', partition: 0, offset: 5, metadata: 'x'.repeat(5000) }]);
    const refused = await rejection(tooLong);
    expect(refused).to.be.instanceOf(CommitFailed);
    expect(refused.message).to.match(/OFFSET_METADATA_TOO_LARGE.*orders-0@5.*offset.metadata.max.bytes/);
    // NaN would go over the wire as 0, and everything be read again.
    const none = await rejection(one.commit([{ topic: 'orders', partition: 0, offset: NaN }]));
    expect(none.error).to.equal('INVALID_REQUEST');
    const foreign = await rejection(one.commit([{ topic: 'orders', partition: 9, offset: 1 }]));
    expect(foreign.message).to.match(/ILLEGAL_GENERATION.*orders-9 is not assigned/);
    expect(story.committed()).to.equal(4);
  });

  it('sends commits that wait for one another in one request, the last offset of each partition', async () => {
    const one = story.member({ 'enable.auto.commit': false });
    one.subscribe(['orders']);
    await story.settles(one);
    const asked = (): number =>
      fixture.coordinator.requests.filter(({ method }) => method === 'CommitOffsets').length;
    const before = asked();
    const first = one.commit([{ topic: 'orders', partition: 0, offset: 1 }]);
    await quiet();
    await first;
    expect(asked() - before).to.equal(1);
    const all: Promise<void>[] = [];
    for (let offset = 2; offset <= 200; offset++) {
      all.push(one.commit([{ topic: 'orders', partition: offset % 2, offset }]));
    }
    await Promise.all(all);
    expect(asked() - before).to.be.at.most(3);
    expect([story.committed(0), story.committed(1)]).to.deep.equal([200, 199]);
    // One that cannot be committed is told alone.
    const [good, bad, later] = [
      one.commit([{ topic: 'orders', partition: 2, offset: 5 }]),
      rejection(one.commit([{ topic: 'orders', partition: 9, offset: 5 }])),
      one.commit([{ topic: 'orders', partition: 2, offset: 6 }]),
    ];
    await Promise.all([good, later]);
    expect((await bad).message).to.match(/orders-9@5/);
    expect(story.committed(2)).to.equal(6);
  });

  it('commits by itself what the application has come back from, and before it gives a partition up', async () => {
    story.place(0, 'a', 'b');
    const one = story.member({ 'max.poll.records': 1 });
    one.subscribe(['orders']);
    await story.read(one, 1);
    await story.pass(6000);
    expect(story.committed(), 'a is in its hands').to.be.oneOf([undefined, 0]);
    await one.poll({ timeoutMs: 1000 });
    await story.pass(6000);
    expect(story.committed(), 'it came back for b').to.equal(1);
    expect(await one.poll()).to.deep.equal([]);
    await one.close();
    expect(story.committed(), 'it came back once more').to.equal(2);
  });

  it('commits where it began although nothing was read, so that latest means latest once', async () => {
    story.place(0, 'old');
    const one = story.member({ 'auto.offset.reset': 'latest' });
    one.subscribe(['orders']);
    await story.settles(one);
    await one.position({ topic: 'orders', partition: 0 });
    await one.close();
    expect(story.committed()).to.equal(1);
    story.place(0, 'written while nobody reads');
    const two = story.member({ 'auto.offset.reset': 'latest' });
    two.subscribe(['orders']);
    expect(valuesOf(await story.read(two, 1))).to.deep.equal(['written while nobody reads']);
  });

  it('begins where a callback says, and hands out nothing before it has returned', async () => {
    story.place(0, ...numbered(5));
    let finish = (): void => undefined;
    const one = story.member();
    one.subscribe(['orders'], {
      onAssigned: () => {
        one.seek({ topic: 'orders', partition: 0 }, 3);
        return new Promise((resolve) => (finish = resolve));
      },
    });
    const polling = one.poll({ timeoutMs: 100_000 });
    let isDone = false;
    void polling.then(() => (isDone = true));
    await until(() => one.assignment.length === 4);
    await quiet();
    expect(isDone).to.equal(false);
    finish();
    expect(valuesOf(await polling)).to.deep.equal(['v3', 'v4']);
  });

  it('does not wait for a callback longer than a rebalance may take, and tells what one throws', async () => {
    const one = story.member({ 'max.poll.interval.ms': 30_000 });
    one.subscribe(['orders'], { onAssigned: () => new Promise(() => undefined) });
    const polling = rejection(one.poll({ timeoutMs: 100_000 }));
    await story.pass(33_000);
    expect((await polling).message).to.match(/onAssigned has not returned in 30000 ms/);
    const two = story.member({}, { groupId: 'other' });
    two.subscribe(['orders'], { onAssigned: () => Promise.reject(new Error('no room')) });
    expect((await rejection(two.poll({ timeoutMs: 100_000 }))).message).to.equal('no room');
    story.place(0, 'a');
    expect(valuesOf(await story.read(two, 1)), 'and goes on').to.deep.equal(['a']);
  });

  it('reads topics that appear, and stops reading those that go', async () => {
    const one = story.member({ ...cooperative, 'metadata.max.age.ms': 5000 });
    one.subscribe(/^(orders|returns)/);
    await story.settles(one);
    fixture.cluster.addTopic('returns-eu', 1);
    fixture.cluster.addTopic('other', 1);
    await story.pass(12_000);
    expect(one.assignment.map(({ topic, partition }) => `${topic}-${partition}`)).to.include('returns-eu-0');
    expect(one.assignment).to.have.length(5);
    expect(one.events.filter(({ type }) => type === 'revoked')).to.deep.equal([]);
    fixture.cluster.topics.delete('orders');
    await story.pass(12_000);
    expect(one.assignment).to.deep.equal([{ topic: 'returns-eu', partition: 0 }]);
    expect(await one.poll()).to.deep.equal([]);
  });

  it('hears of a topic that comes or gains partitions when a broker does: its leader watches, and nobody else', async () => {
    const { cluster } = fixture;
    const watches = (): number => cluster.brokers.reduce((sum, { watches: { size } }) => sum + size, 0);
    const assigned = (): string[] =>
      [...one.assignment, ...two.assignment].map(({ topic, partition }) => `${topic}-${partition}`).sort();
    const [one, two] = [story.member(cooperative), story.member(cooperative)];
    one.subscribe(/^(orders|returns)/);
    two.subscribe(/^(orders|returns)/);
    await story.settles(one, two);
    await until(() => watches() === 1);
    cluster.addTopic('returns', 3);
    cluster.announce();
    await story.pass(12_000);
    const orders = [0, 1, 2, 3].map((partition) => `orders-${partition}`);
    expect(assigned()).to.deep.equal([...orders, 'returns-0', 'returns-1', 'returns-2']);
    cluster.addTopic('returns', 8);
    cluster.announce();
    await story.pass(12_000);
    expect(assigned()).to.have.length(12);
    // Who heard of it from the leader alone reads it too.
    expect([one, two].map(({ assignment }) => assignment.length)).to.deep.equal([6, 6]);
    // Gone with the member, whoever led.
    await one.close();
    await story.pass(6_000);
    await until(() => watches() === 1);
    await two.close();
    await until(() => watches() === 0);
  });

  it('hears of a topic it is subscribed to by name when that is created', async () => {
    const one = story.member(cooperative);
    one.subscribe(['orders', 'later']);
    await story.settles(one);
    await until(() => fixture.cluster.brokers.some(({ watches }) => watches.size === 1));
    fixture.cluster.addTopic('later', 1);
    fixture.cluster.announce();
    await story.pass(6_000);
    expect(one.assignment).to.deep.include({ topic: 'later', partition: 0 });
  });

  it('is told when another one has taken its instance id', async () => {
    const config = { 'group.instance.id': 'till-1' };
    const [one, again] = [story.member(config), story.member(config)];
    one.subscribe(['orders']);
    await story.settles(one);
    again.subscribe(['orders']);
    const failed = rejection(one.poll({ timeoutMs: 100_000 }));
    await story.pass(6000);
    expect((await failed).message).to.match(/FENCED_INSTANCE_ID.*till-1/);
    expect((await rejection(one.poll())).message).to.match(/FENCED_INSTANCE_ID/);
    expect(partitionsOf(one)).to.deep.equal([]);
    expect(partitionsOf(again)).to.deep.equal([0, 1, 2, 3]);
  });

  it('assigned by hand it begins where the group is and commits without being a member', async () => {
    story.place(0, ...numbered(4));
    const one = story.member();
    one.assign([{ topic: 'orders', partition: 0 }]);
    await story.read(one, 4);
    await one.commit([{ topic: 'orders', partition: 0, offset: 2 }]);
    await one.close();
    const two = story.member();
    two.assign([{ topic: 'orders', partition: 0 }]);
    expect(valuesOf(await story.read(two, 2))).to.deep.equal(['v2', 'v3']);
    expect(fixture.coordinator.describe('billing')).to.deep.include({ state: 'Empty', generation: 0 });
    const none = fixture.consumer();
    expect(() => none.subscribe(['orders'])).to.throw(/INVALID_GROUP_ID.*groupId/);
  });

  it('begins so long ago as auto.offset.reset says', async () => {
    story.place(0, 'old');
    fixture.cluster.partition('orders', 0).place(batchOf(['young'], fixture.clock.wallMs() - 1000));
    const one = story.member({ 'auto.offset.reset': 'by_duration:PT1H' });
    one.subscribe(['orders']);
    expect(valuesOf(await story.read(one, 1))).to.deep.equal(['young']);
  });

  it('leaves no timer behind', async () => {
    const one = story.member();
    one.subscribe(['orders']);
    await story.settles(one);
    const polling = rejection(one.poll({ timeoutMs: 100_000 }));
    await one.close();
    await polling;
    fixture.coordinator.stop();
    await quiet();
    expect(fixture.clock.pending).to.equal(0);
  });
});
