import { expect } from 'chai';
import { DiskError } from '@tidemark/core';
import { patterned, SimClock, SimDisk, SimPrng, writeAll } from '@tidemark/simulation';

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'ok',
    (error: unknown) => (error instanceof DiskError ? error.code : String(error)),
  );
}

describe('SimDisk under faults', () => {
  it('cuts the write that no longer fits, refuses the next with ENOSPC, and goes on once there is room', async () => {
    const disk = new SimDisk({ capacityBytes: 5 * 4096 });
    const file = await disk.open('file', 'create');
    const other = await disk.open('other', 'create');
    await other.write([patterned(100)], 0);
    expect(disk.usedBytes, 'a page for the first byte').to.equal(4096);
    expect(await file.write([patterned(10 * 4096)], 0)).to.equal(4 * 4096);
    expect(await codeOf(file.write([patterned(1)], 4 * 4096))).to.equal('ENOSPC');
    expect(await file.write([patterned(4096, 1)], 0), 'overwriting takes no space').to.equal(4096);
    expect(await other.write([patterned(3996)], 100), 'nor does the rest of a page').to.equal(3996);
    await disk.removeFile('other');
    expect(await codeOf(file.write([patterned(1)], 4 * 4096)), 'still open').to.equal('ENOSPC');
    await other.close();
    expect(await file.write([patterned(4096)], 4 * 4096)).to.equal(4096);
    await file.truncate(0);
    expect(disk.usedBytes).to.equal(0);
    disk.capacityBytes = 0;
    expect(await codeOf(file.write([patterned(1)], 0))).to.equal('ENOSPC');
  });

  it('writes short, never nothing, and all of it to a caller who goes on', async () => {
    const disk = new SimDisk({ shortWriteOneIn: 2, prng: new SimPrng(3) });
    const file = await disk.open('file', 'create');
    let short = 0;
    for (let write = 0; write < 100; write++) {
      const written = await file.write([patterned(60), patterned(40)], 0);
      expect(written).to.be.within(1, 100);
      if (written < 100) short++;
    }
    expect(short).to.be.within(30, 70);
    await writeAll(file, [patterned(5_000)], 0);
    const into = new Uint8Array(5_000);
    await file.read(into, 0);
    expect(into).to.deep.equal(patterned(5_000));
  });

  it('fails the chosen operation on the chosen file, as often as told', async () => {
    const disk = new SimDisk();
    disk.inject({ operation: 'write', path: (path) => path === 'b', error: 'EIO', skip: 1, times: 2 });
    const a = await disk.open('a', 'create');
    const b = await disk.open('b', 'create');
    const codes: string[] = [];
    for (let write = 0; write < 4; write++) {
      codes.push(await codeOf(a.write([patterned(1)], 0)), await codeOf(b.write([patterned(1)], 0)));
    }
    expect(codes).to.deep.equal(['ok', 'ok', 'ok', 'EIO', 'ok', 'EIO', 'ok', 'ok']);
  });

  it('loses the pages of a failed sync, which no later sync brings back', async () => {
    const told: string[] = [];
    const disk = new SimDisk({ onSyncAfterFailure: (path) => told.push(path) });
    const file = await disk.open('file', 'create');
    await disk.syncDirectory('');
    await file.write([Buffer.from('durable')], 0);
    await file.sync();
    await file.write([Buffer.from('DURABLE and more')], 0);
    disk.inject({ operation: 'sync', error: 'EIO', onStrike: () => told.push('struck') });
    expect(await codeOf(file.sync())).to.equal('EIO');
    expect(told).to.deep.equal(['struck']);
    expect(await codeOf(file.sync()), 'the second sync has nothing left to do').to.equal('ok');
    expect(told, 'and is noticed').to.deep.equal(['struck', 'file']);
    const survivor = disk.fork('all', new SimPrng(1)).contents().get('file')!;
    expect(Buffer.from(survivor).toString()).to.equal('durable');
    const into = new Uint8Array(20);
    expect(await file.read(into, 0), 'the size stays').to.equal(16);
    expect(Buffer.from(into).toString('latin1')).to.equal(`durable${'\0'.repeat(13)}`);
  });

  it('lets a test crash between any two steps', async () => {
    const story = async (disk: SimDisk): Promise<void> => {
      const file = await disk.open('file', 'create');
      await disk.syncDirectory('');
      await file.write([patterned(10)], 0);
      await file.sync();
      await disk.rename('file', 'renamed');
    };
    const survivors: string[] = [];
    for (let at = 1; at <= 5; at++) {
      for (const phase of ['before', 'after'] as const) {
        const disk = new SimDisk();
        let survivor: SimDisk | undefined;
        disk.observe((step, now) => {
          if (step.number === at && now === phase) survivor = disk.crash('all', new SimPrng(1));
        });
        expect(await codeOf(story(disk))).to.equal('EIO');
        survivors.push([...survivor!.contents()].map(([path, bytes]) => `${path} ${bytes.length}`).join());
      }
    }
    expect(survivors).to.deep.equal([
      '',
      'file 0',
      'file 0',
      'file 0',
      'file 0',
      'file 10',
      'file 10',
      'file 10',
      'file 10',
      'renamed 10',
    ]);
  });
});

describe('the same seed', () => {
  const run = async (seed: number): Promise<{ digest: string; steps: number; ms: number }> => {
    const clock = new SimClock();
    const disk = new SimDisk({ clock, prng: new SimPrng(seed), shortWriteOneIn: 3 });
    await clock.settle(
      Promise.all(
        [1, 2, 3].map(async (name) => {
          const file = await disk.open(`${name}`, 'create');
          for (let at = 0; at < 20; at++) {
            await writeAll(file, [patterned(100 * name, at)], at * 100 * name);
            if (at % 5 === name) await file.sync();
          }
        }),
      ),
    );
    return { digest: clock.trace.digest, steps: disk.stepCount, ms: clock.monotonicMs() };
  };

  it('gives the same trace, to the last event and the last microsecond; another seed another', async () => {
    const [first, second, other] = [await run(11), await run(11), await run(12)];
    expect(second).to.deep.equal(first);
    expect(other.digest).not.to.equal(first.digest);
  });
});
