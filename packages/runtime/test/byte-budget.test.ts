import { expect } from 'chai';
import fc from 'fast-check';
import { ByteBudget } from '@tidemark/runtime';
import { settled } from './manual-clock.ts';

describe('a byte budget', () => {
  it('admits in the order of asking, however small the later ones are', async () => {
    const budget = new ByteBudget(100, 10);
    const admitted: string[] = [];
    const take = (name: string, bytes: number): void => {
      void budget.take(bytes).then((ok) => admitted.push(`${name}:${ok}`));
    };
    take('a', 80);
    take('b', 50);
    take('c', 10);
    await settled();
    expect(admitted).to.deep.equal(['a:true']);
    expect(budget.tryTake(1), 'nobody passes those who wait').to.equal(false);
    budget.giveBack(80);
    await settled();
    expect(admitted).to.deep.equal(['a:true', 'b:true', 'c:true']);
    expect(budget.usedBytes).to.equal(60);
  });

  it('lets a request above the limit through alone', async () => {
    const budget = new ByteBudget(100, 10);
    expect(await budget.take(500)).to.equal(true);
    expect(budget.tryTake(1)).to.equal(false);
    budget.giveBack(500);
    expect(budget.tryTake(1)).to.equal(true);
  });

  it('refuses when too many wait, and everybody when it closes', async () => {
    const budget = new ByteBudget(10, 1);
    expect(await budget.take(10)).to.equal(true);
    const waiting = budget.take(1);
    expect(await budget.take(1)).to.equal(false);
    budget.close();
    expect(await waiting).to.equal(false);
  });

  it('refuses what would wait when too many bytes wait, save one request alone', async () => {
    const budget = new ByteBudget(100, 10, 100);
    expect(await budget.take(100)).to.equal(true);
    const admitted: string[] = [];
    void budget.take(90).then((ok) => admitted.push(`first:${ok}`));
    expect(await budget.take(20), 'somebody holds what waits').to.equal(false);
    budget.giveBack(100);
    await settled();
    expect(admitted).to.deep.equal(['first:true']);
    void budget.take(500).then((ok) => admitted.push(`large:${ok}`));
    budget.giveBack(90);
    await settled();
    expect(admitted).to.deep.equal(['first:true', 'large:true']);
  });

  it('never has more in flight than its limit, save one request alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 30 }), async (sizes) => {
        const budget = new ByteBudget(100, 1000);
        const held: number[] = [];
        const done = sizes.map((bytes) => budget.take(bytes).then(() => held.push(bytes)));
        for (let round = 0; round < sizes.length; round++) {
          await settled();
          expect(budget.usedBytes).to.equal(held.reduce((sum, each) => sum + each, 0));
          expect(budget.usedBytes <= 100 || held.length === 1).to.equal(true);
          const first = held.shift();
          if (first !== undefined) budget.giveBack(first);
        }
        await Promise.all(done);
      }),
      { numRuns: 30 },
    );
  });
});
