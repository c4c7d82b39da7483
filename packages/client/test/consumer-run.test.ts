// `consumer.run`: order within a partition, a bound on how many are worked on, and what becomes of the record in hand.
import { expect } from 'chai';
import { numbered, rejection, startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { GroupStory, cooperative, partitionsOf } from './group-story.ts';
import { quiet, until } from './test-clock.ts';

describe('a run', () => {
  let fixture: Fixture;
  let story: GroupStory;
  beforeEach(async () => {
    fixture = await startFixture(2);
    story = new GroupStory(fixture);
  });
  afterEach(() => fixture.stop());

  /** Handlers that wait until the test lets them go on. */
  class Gate {
    readonly waiting: { readonly value: string; readonly go: () => void }[] = [];

    hold(value: string): Promise<void> {
      return new Promise((go) => this.waiting.push({ value, go }));
    }

    release(value: string): void {
      const at = this.waiting.findIndex((each) => each.value === value);
      this.waiting.splice(at, 1)[0]!.go();
    }
  }

  it('hands out each partition in order, and no more partitions at a time than it may', async () => {
    for (const partition of [0, 1, 2, 3]) story.place(partition, ...numbered(5, `p${partition}-`));
    const one = story.member();
    one.subscribe(['orders']);
    const seen: string[] = [];
    let [now, most] = [0, 0];
    const running = one.run({
      concurrency: 3,
      eachMessage: async ({ value }) => {
        now += 1;
        most = Math.max(most, now);
        await quiet(3);
        seen.push(value!);
        now -= 1;
      },
    });
    await until(() => seen.length === 20);
    await one.close();
    await running;
    expect(most).to.equal(3);
    for (const partition of [0, 1, 2, 3]) {
      const values = seen.filter((value) => value.startsWith(`p${partition}-`));
      expect(values).to.deep.equal(numbered(5, `p${partition}-`));
      expect(story.committed(partition)).to.equal(5);
    }
  });

  it('finishes the record in hand of a partition that is taken away, and drops the rest', async () => {
    for (const partition of [0, 1, 2, 3]) story.place(partition, ...numbered(5, `p${partition}-`));
    const gate = new Gate();
    const [one, two] = [story.member(cooperative), story.member(cooperative)];
    one.subscribe(['orders']);
    const running = one.run({ concurrency: 4, eachMessage: ({ value }) => gate.hold(value!) });
    await until(() => gate.waiting.length === 4);
    two.subscribe(['orders']);
    await story.pass(9000);
    expect(partitionsOf(one), 'four records are in hand').to.deep.equal([0, 1, 2, 3]);
    for (const partition of [0, 1, 2, 3]) gate.release(`p${partition}-0`);
    await story.settles(one, two);
    const kept = partitionsOf(one);
    const gone = [0, 1, 2, 3].filter((partition) => !kept.includes(partition));
    expect(gate.waiting.map(({ value }) => value).sort()).to.deep.equal(
      kept.map((partition) => `p${partition}-1`),
    );
    for (const partition of gone) expect(story.committed(partition)).to.equal(1);
    const records = await story.read(two, 8);
    for (const partition of gone) {
      const values = records.filter((record) => record.partition === partition).map(({ value }) => value);
      expect(values).to.deep.equal(numbered(5, `p${partition}-`).slice(1));
    }
    for (const { value } of [...gate.waiting]) gate.release(value);
    await quiet();
    const stopping = one.close();
    await until(() => gate.waiting.length > 0);
    for (const { value } of [...gate.waiting]) gate.release(value);
    await stopping;
    await running;
  });

  it('ends with what a handler throws; its record is not committed and comes again', async () => {
    story.place(0, 'a', 'b', 'c');
    const one = story.member();
    one.subscribe(['orders']);
    const seen: string[] = [];
    const handler = (fails: boolean) => ({
      eachMessage: ({ value }: { value: string | null }) => {
        if (fails && value === 'b') throw new Error('no room for b');
        seen.push(value!);
      },
    });
    expect((await rejection(one.run(handler(true)))).message).to.equal('no room for b');
    await story.pass(6000);
    expect(story.committed()).to.equal(1);
    const stop = new AbortController();
    const running = one.run({ ...handler(false), signal: stop.signal });
    await until(() => seen.length === 3);
    stop.abort();
    await running;
    expect(seen).to.deep.equal(['a', 'b', 'c']);
  });

  it('hands out whole batches, of which a handler may commit a part', async () => {
    story.place(0, ...numbered(10));
    const one = story.member();
    one.subscribe(['orders']);
    const gate = new Gate();
    const running = one.run({
      eachBatch: async (batch, { done }) => {
        done(batch.firstOffset + 4);
        await gate.hold('half');
      },
    });
    await until(() => gate.waiting.length === 1);
    await story.pass(6000);
    expect(story.committed()).to.equal(4);
    gate.release('half');
    await quiet();
    await one.close();
    await running;
    expect(story.committed()).to.equal(10);
  });

  it('loses its partitions when a handler takes longer than max.poll.interval.ms, and gets them back after it', async () => {
    story.place(0, 'a', 'b');
    const gate = new Gate();
    const one = story.member({ 'max.poll.interval.ms': 30_000 });
    one.subscribe(['orders']);
    const running = one.run({ eachMessage: ({ value }) => gate.hold(value!) });
    await until(() => gate.waiting.length === 1);
    await story.pass(33_000);
    expect(one.events.some(({ type }) => type === 'lost')).to.equal(true);
    expect(partitionsOf(one)).to.deep.equal([]);
    gate.release('a');
    await story.settles(one);
    await until(() => gate.waiting.length === 1);
    expect(gate.waiting[0]!.value, 'its commit would not have counted').to.equal('a');
    gate.release('a');
    await until(() => gate.waiting.length === 1);
    gate.release('b');
    await one.close();
    await running;
  });

  it('refuses what makes no sense', async () => {
    const one = story.member();
    expect((await rejection(one.run({}))).message).to.match(/eachMessage or eachBatch/);
    expect((await rejection(one.run({ eachMessage: () => undefined, concurrency: 0 }))).message).to.match(
      /concurrency/,
    );
  });
});
