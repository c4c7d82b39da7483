import { expect } from 'chai';
import { runSeed, shrink, type Fault, type Schedule } from '@tidemark/simulation';
import { raftNode, type RaftNodeFaults } from './raft-node.ts';

/** The checkers that complain about a node with `faults` within the seeds from 1 on. */
async function complaints(faults: RaftNodeFaults, seeds: number): Promise<Set<string>> {
  const found = new Set<string>();
  for (let seed = 1; seed <= seeds && found.size === 0; seed++) {
    const { violation } = await runSeed({ seed, factory: raftNode(faults), minEvents: 4_000 });
    if (violation !== undefined) found.add(violation.checker);
  }
  return found;
}

describe('a simulated cluster of the smallest nodes', () => {
  it('makes the same trace from the same seed, and another from another', async () => {
    const run = async (seed: number) =>
      (await runSeed({ seed, factory: raftNode(), minEvents: 3_000 })).digest;
    expect(await run(11)).to.equal(await run(11));
    expect(await run(11)).not.to.equal(await run(12));
  });

  it('gets work done and comes to rest whatever happens to it', async () => {
    for (let seed = 100; seed < 104; seed++) {
      const result = await runSeed({ seed, factory: raftNode() });
      expect(result.violation, `seed ${seed}`).to.equal(undefined);
      expect(result.events).to.be.at.least(20_000);
      expect(result.acknowledged, `seed ${seed}`).to.be.above(100);
      expect(result.reads, `seed ${seed}`).to.be.above(50);
    }
  });

  const mutants: readonly [string, RaftNodeFaults, readonly string[]][] = [
    ['that forget votes', { votesUnsynced: true }, ['one-vote-per-term', 'election-safety']],
    ['whose leader answers reads by itself', { readsUnconfirmed: true }, ['linearizable-read']],
    ['whose images differ', { imagesDiffer: true }, ['image-equality']],
  ];
  for (const [name, faults, checkers] of mutants) {
    it(`notices nodes ${name}`, async () => {
      const [found] = await complaints(faults, 200);
      expect(checkers).to.include(found);
    });
  }

  it('notices commands that are answered before they are committed', async () => {
    const found = await complaints({ answersEarly: true }, 50);
    expect([...found]).to.satisfy(
      ([checker]: string[]) => checker === 'acknowledged-command-lost' || checker === 'linearizable-read',
    );
  });

  it('notices topics that nobody asked for', async () => {
    expect([...(await complaints({ ghosts: true }, 5))]).to.deep.equal(['applied-twice']);
  });

  it('notices a cluster that does not come back', async () => {
    expect([...(await complaints({ deafAfterMs: 1_500 }, 3))]).to.deep.equal(['liveness']);
  });

  it('notices a node that throws', async () => {
    expect([...(await complaints({ throwsAtOffset: 20 }, 3))]).to.deep.equal(['node-failed']);
  });
});

describe('shrinking a schedule', () => {
  const fault = (pick: number): Fault => ({ type: 'transfer', atMs: pick * 100, forMs: 80, pick });
  const schedule: Schedule = { faults: Array.from({ length: 20 }, (_, at) => fault(at)), durationMs: 9_000 };

  it('leaves only the faults that are needed, and less time', async () => {
    const needs = ({ faults }: Schedule): boolean =>
      [3, 17].every((pick) => faults.some((one) => one.pick === pick));
    const { schedule: smaller, runs } = await shrink(schedule, 'liveness', (candidate) =>
      Promise.resolve(needs(candidate) ? 'liveness' : undefined),
    );
    expect(smaller.faults.map(({ pick }) => pick)).to.deep.equal([3, 17]);
    expect(smaller.durationMs).to.be.below(2_100);
    expect(runs).to.be.at.most(60);
  });

  it('takes nothing that fails otherwise', async () => {
    const { schedule: same } = await shrink(schedule, 'liveness', () => Promise.resolve('image-equality'));
    expect(same).to.equal(schedule);
  });
});
