import { expect } from 'chai';
import { clockConformance, NodeSimClock, SimClock } from '@tidemark/simulation';

function started(rate = 1) {
  const world = new SimClock({ wallMs: 1_000_000 });
  const clock = new NodeSimClock(world, { rate });
  const ran: string[] = [];
  const at = (delayMs: number, name: string) => clock.setTimer(delayMs, () => ran.push(name));
  return { world, clock, ran, at };
}

describe('a node’s clock', () => {
  for (const rate of [0.9, 1, 1.1]) {
    for (const { name, run } of clockConformance) {
      it(`at rate ${rate} ${name}`, async () => {
        const world = new SimClock();
        await world.settle(run(() => Promise.resolve(new NodeSimClock(world, { rate }))));
      });
    }
  }

  it('runs fast or slow, and takes timers that wait with it', async () => {
    const { world, clock, ran, at } = started(0.5);
    at(10, 'ten');
    at(100, 'hundred');
    await world.advance(20);
    expect([clock.monotonicMs(), ran]).to.deep.equal([10, ['ten']]);
    clock.setRate(2);
    await world.advance(44);
    expect([clock.monotonicMs(), ran]).to.deep.equal([98, ['ten']]);
    await world.advance(1);
    expect(ran).to.deep.equal(['ten', 'hundred']);
  });

  it('takes with it only timers that were not cancelled, at whichever place among the others', async () => {
    for (const gone of [[0], [1], [3], [1, 2], [0, 3], [0, 1, 2, 3], [3, 3]]) {
      const { world, clock, ran, at } = started();
      const timers = ['a', 'b', 'c', 'd'].map((name) => at(10, name));
      for (const index of gone) timers[index]!.cancel();
      at(10, 'e');
      clock.setRate(2);
      expect(world.pending).to.equal(5 - new Set(gone).size);
      await world.advance(5);
      const kept = ['a', 'b', 'c', 'd'].filter((_, index) => !gone.includes(index));
      expect(ran).to.deep.equal([...kept, 'e']);
    }
  });

  it('keeps timers in the order they are due when its rate changes between them', async () => {
    const { world, clock, ran, at } = started(0.9);
    at(100, 'first');
    clock.setRate(1.1);
    at(101, 'second');
    clock.setRate(0.9);
    at(100, 'between');
    await world.runUntilIdle();
    expect(ran).to.deep.equal(['first', 'between', 'second']);
  });

  it('jumps its own wall clock and nobody else’s', () => {
    const { world, clock } = started();
    clock.jumpWall(-500);
    expect([clock.wallMs(), world.wallMs()]).to.deep.equal([999_500, 1_000_000]);
  });

  it('runs nothing while paused, then everything overdue in its order, then the rest on time', async () => {
    const { world, clock, ran, at } = started();
    at(30, 'late');
    at(10, 'soon');
    at(20, 'cancelled').cancel();
    const held = at(15, 'cancelled while held');
    at(60, 'after');
    clock.pause();
    await world.advance(50);
    held.cancel();
    expect([ran, clock.monotonicMs()]).to.deep.equal([[], 50]);
    clock.resume();
    await world.advance(0);
    expect(ran).to.deep.equal(['soon', 'late']);
    await world.advance(10);
    expect(ran).to.deep.equal(['soon', 'late', 'after']);
  });

  it('runs nothing any more once dead, not even what was overdue', async () => {
    const { world, clock, ran, at } = started();
    at(10, 'held');
    at(100, 'pending');
    clock.pause();
    await world.advance(20);
    clock.kill();
    clock.resume();
    at(1, 'set after death');
    await world.runUntilIdle();
    expect([ran, world.pending]).to.deep.equal([[], 0]);
  });
});
