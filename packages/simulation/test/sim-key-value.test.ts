import { expect } from 'chai';
import { DiskError, type KeyValueWrite } from '@tidemark/core';
import { SimClock, SimDisk, SimKeyValueStore, SimPrng, writeAll, type CrashMode } from '@tidemark/simulation';

const key = (at: number): Uint8Array => Uint8Array.of(at >> 8, at & 0xff);
const batch = (at: number): KeyValueWrite[] => [
  { key: key(0), value: Uint8Array.of(at) },
  { key: key(at), value: Uint8Array.of(at) },
];
const text = (store: SimKeyValueStore): string =>
  store
    .contents()
    .map((entry) => `${(entry.key[0]! << 8) | entry.key[1]!}=${entry.value[0]}`)
    .join(' ');
/** The different outcomes of a crash over many seeds, sorted. */
const outcomes = (store: SimKeyValueStore, mode: CrashMode): string[] =>
  [...new Set(Array.from({ length: 100 }, (_, seed) => text(store.fork(mode, new SimPrng(seed)))))].sort();

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (error instanceof DiskError ? error.code : String(error)),
  );
}

describe('what a crash leaves of a SimKeyValueStore', () => {
  it('is every number of the batches nobody synced, from the front', async () => {
    const store = new SimKeyValueStore();
    await store.write(batch(1), { sync: false });
    await store.write(batch(2), { sync: true });
    await store.write(batch(3), { sync: false });
    await store.write([{ key: key(1), value: undefined }], { sync: false });
    const synced = '0=2 1=1 2=2';
    const third = '0=3 1=1 2=2 3=3';
    const all = '0=3 2=2 3=3';
    expect(outcomes(store, 'nothing')).to.deep.equal([synced]);
    expect(outcomes(store, 'all')).to.deep.equal([all]);
    for (const mode of ['prefix', 'torn-512', 'torn-4096', 'reordered'] as const) {
      expect(outcomes(store, mode), mode).to.deep.equal([synced, third, all].sort());
    }
    expect(text(store), 'the store goes on').to.equal(all);
  });

  it('may have batches that were still under way, synced ones too', async () => {
    const clock = new SimClock();
    const store = new SimKeyValueStore({ clock });
    const work = [store.write(batch(1), { sync: true }), store.write(batch(2), { sync: false })];
    expect(outcomes(store, 'prefix')).to.deep.equal(['', '0=1 1=1', '0=2 1=1 2=2']);
    expect(outcomes(store, 'nothing')).to.deep.equal(['']);
    await clock.settle(Promise.all(work));
    expect(outcomes(store, 'nothing')).to.deep.equal(['0=1 1=1']);
  });

  it('may have the batch that failed, which nobody could read before', async () => {
    const store = new SimKeyValueStore();
    await store.write(batch(1), { sync: true });
    store.inject({ operation: 'sync', error: 'EIO' });
    const behind = [store.write(batch(2), { sync: true }), store.write(batch(3), { sync: true })];
    expect(await Promise.all(behind.map(codeOf))).to.deep.equal(['EIO', 'EIO']);
    expect(text(store)).to.equal('0=1 1=1');
    expect(outcomes(store, 'prefix')).to.deep.equal(['0=1 1=1', '0=2 1=1 2=2']);
  });

  it('takes writes as a fresh store does, and fails no more', async () => {
    const store = new SimKeyValueStore();
    store.inject({ error: 'EIO', skip: 1 });
    await store.write(batch(1), { sync: true });
    expect(await codeOf(store.write(batch(2), { sync: true }))).to.equal('EIO');
    const after = store.crash('nothing', new SimPrng(1));
    await after.write(batch(3), { sync: true });
    expect(text(after)).to.equal('0=3 1=1 3=3');
    expect(text(store), 'the crashed one shares nothing with it').to.equal('0=1 1=1');
  });

  it('comes at one moment with that of the disk beside it', async () => {
    const clock = new SimClock();
    const disk = new SimDisk({ clock });
    const store = new SimKeyValueStore({ clock });
    let left: { disk: SimDisk; store: SimKeyValueStore } | undefined;
    store.observe((step, phase) => {
      if (step.operation !== 'sync' || phase !== 'after') return;
      left = { disk: disk.crash('nothing', new SimPrng(1)), store: store.crash('nothing', new SimPrng(1)) };
    });
    const story = async (): Promise<void> => {
      const file = await disk.open('file', 'create');
      await disk.syncDirectory('');
      await writeAll(file, [Uint8Array.of(1, 2, 3)], 0);
      await file.sync();
      await writeAll(file, [Uint8Array.of(4)], 3);
      await store.write(batch(1), { sync: true });
    };
    expect(await clock.settle(codeOf(story())), 'the write took effect, its answer was lost').to.equal('EIO');
    expect(left!.disk.contents().get('file')).to.deep.equal(Uint8Array.of(1, 2, 3));
    expect(text(left!.store)).to.equal('0=1 1=1');
    expect(await clock.settle(codeOf(disk.list('')))).to.equal('EIO');
    expect(await clock.settle(codeOf(store.get(key(1))))).to.equal('EIO');
  });
});

describe('a SimKeyValueStore', () => {
  it('is full when its capacity is reached, and stays refusing', async () => {
    const store = new SimKeyValueStore({ capacityBytes: 10 });
    await store.write(batch(1), { sync: false });
    expect(store.usedBytes).to.equal(6);
    expect(await codeOf(store.write(batch(2), { sync: false }))).to.equal('ENOSPC');
    store.capacityBytes = Infinity;
    expect(await codeOf(store.write([], { sync: true }))).to.equal('ENOSPC');
    expect(text(store)).to.equal('0=1 1=1');
  });

  it('fails the nth write, and reads only when reads are told to', async () => {
    const store = new SimKeyValueStore();
    store.inject({ operation: 'read', error: 'EIO' });
    expect(await codeOf(store.get(key(1)))).to.equal('EIO');
    expect(await codeOf(store.write(batch(1), { sync: false })), 'a failed read is no failed write').to.equal(
      'done',
    );
    store.inject({ error: 'EIO', skip: 2 });
    const work = [1, 2, 3, 4].map((at) => codeOf(store.write(batch(at), { sync: at === 2 })));
    expect(await Promise.all(work)).to.deep.equal(['done', 'done', 'EIO', 'EIO']);
  });

  it('answers every call under way with EIO when it is killed', async () => {
    const clock = new SimClock();
    const store = new SimKeyValueStore({ clock });
    const iterator = store.iterate({ from: key(0), to: key(9) });
    const work = [
      codeOf(store.write(batch(1), { sync: true })),
      codeOf(store.get(key(1))),
      codeOf(iterator.next(100)),
    ];
    store.kill();
    expect(await clock.settle(Promise.all(work))).to.deep.equal(['EIO', 'EIO', 'EIO']);
    expect(text(store)).to.equal('');
  });

  it('does the same in the same order for the same seed', async () => {
    const run = async (seed: number): Promise<string> => {
      const clock = new SimClock();
      const store = new SimKeyValueStore({ clock, prng: new SimPrng(seed) });
      const ended: number[] = [];
      const work = Array.from({ length: 50 }, async (_, at) => {
        await store.write(batch(at), { sync: at % 3 === 0 });
        ended.push(at);
        clock.trace.note('ended', at, clock.monotonicMs());
      });
      await clock.settle(Promise.all(work));
      expect(ended).to.deep.equal(Array.from({ length: 50 }, (_, at) => at));
      return clock.trace.digest;
    };
    expect(await run(1)).to.equal(await run(1));
    expect(await run(1)).not.to.equal(await run(2));
  });
});
