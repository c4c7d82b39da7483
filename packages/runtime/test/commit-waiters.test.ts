// What becomes readable with a higher high watermark, however many appends wait for it.

import { expect } from 'chai';
import type { Offset } from '@tidemark/core';
import { CommitWaiters } from '../src/commit-waiters.ts';

const at = (offset: number): Offset => offset as Offset;
const nothing = (): undefined => undefined;

describe('appends that wait to be committed', () => {
  it('take no more memory the longer nothing is committed, and count with all their bytes in the end', async () => {
    const waiters = new CommitWaiters();
    const appends = 50_000;
    for (let offset = 0; offset < appends; offset++) {
      waiters.appended(at(offset + 1), 10, Promise.resolve());
      if (offset % 100 === 99) await Promise.resolve();
    }
    expect(waiters.spanCount).to.be.at.most(5000);
    const half = waiters.passed(at(appends / 2), nothing);
    expect(half).to.be.within((appends / 2) * 9, (appends / 2) * 10);
    expect(half + waiters.passed(at(appends), nothing)).to.equal(appends * 10);
    expect(waiters.spanCount).to.equal(0);
  });

  it('count for nothing when they are taken back, though others were counted together', async () => {
    const waiters = new CommitWaiters();
    for (let offset = 0; offset < 4096; offset++) waiters.appended(at(offset + 1), 10, Promise.resolve());
    await Promise.resolve();
    const full = [4097, 4098].map((endOffset) => {
      const written = Promise.resolve().then(() => Promise.reject(new Error('the disk is full')));
      waiters.appended(at(endOffset), 1000, written);
      return written;
    });
    await Promise.allSettled(full);
    waiters.appended(at(4097), 1, Promise.resolve());
    expect(waiters.passed(at(4097), nothing)).to.equal(4096 * 10 + 1);
  });
});
