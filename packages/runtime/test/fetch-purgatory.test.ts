import { expect } from 'chai';
import { FetchPurgatory, type PartitionWatcher, type Watchable } from '@tidemark/runtime';
import { ManualClock, settled } from './manual-clock.ts';

class FakePartition implements Watchable {
  readonly watchers = new Set<PartitionWatcher>();

  watch(watcher: PartitionWatcher): void {
    this.watchers.add(watcher);
  }

  unwatch(watcher: PartitionWatcher): void {
    this.watchers.delete(watcher);
  }

  progress(bytes: number): void {
    for (const watcher of [...this.watchers]) watcher.progressed(bytes);
  }

  disturb(): void {
    for (const watcher of [...this.watchers]) watcher.disturbed();
  }
}

describe('the fetch purgatory', () => {
  const outcome = (waiting: { woken: Promise<string> }): { reason?: string } => {
    const seen: { reason?: string } = {};
    void waiting.woken.then((reason) => {
      seen.reason = reason;
    });
    return seen;
  };

  it('wakes when the partitions together have enough, and leaves nothing behind', async () => {
    const clock = new ManualClock();
    const purgatory = new FetchPurgatory(clock, 10);
    const [a, b] = [new FakePartition(), new FakePartition()];
    const seen = outcome(purgatory.wait([a, b], 100, 500));
    a.progress(60);
    await settled();
    expect(seen.reason).to.equal(undefined);
    b.progress(40);
    await settled();
    expect(seen.reason).to.equal('progressed');
    expect(purgatory.waitingCount).to.equal(0);
    expect(a.watchers.size + b.watchers.size).to.equal(0);
    expect(clock.timerCount).to.equal(0);
  });

  it('gives up at the time asked for and not before', async () => {
    const clock = new ManualClock();
    const purgatory = new FetchPurgatory(clock, 10);
    const seen = outcome(purgatory.wait([new FakePartition()], 1, 500));
    await clock.advance(499);
    expect(seen.reason).to.equal(undefined);
    await clock.advance(1);
    expect(seen.reason).to.equal('timed-out');
    expect(purgatory.waitingCount).to.equal(0);
  });

  it('is woken by a disturbed partition, by cancelling and by closing', async () => {
    const purgatory = new FetchPurgatory(new ManualClock(), 10);
    const partition = new FakePartition();
    const disturbed = outcome(purgatory.wait([partition], 1, 500));
    partition.disturb();
    const waiting = purgatory.wait([partition], 1, 500);
    const cancelled = outcome(waiting);
    waiting.cancel();
    waiting.cancel();
    const closed = outcome(purgatory.wait([partition], 1, 500));
    purgatory.close();
    await settled();
    expect([disturbed.reason, cancelled.reason, closed.reason]).to.deep.equal([
      'disturbed',
      'cancelled',
      'cancelled',
    ]);
  });

  it('lets no more wait than its bound', async () => {
    const purgatory = new FetchPurgatory(new ManualClock(), 2);
    const partition = new FakePartition();
    purgatory.wait([partition], 1, 500);
    purgatory.wait([partition], 1, 500);
    expect(await purgatory.wait([partition], 1, 500).woken).to.equal('full');
    expect(purgatory.waitingCount).to.equal(2);
    partition.progress(1);
    const again = outcome(purgatory.wait([partition], 1, 500));
    await settled();
    expect(again.reason).to.equal(undefined);
  });
});
