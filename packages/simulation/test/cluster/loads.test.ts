import { expect } from 'chai';
import { drawnBy, runSeed } from '@tidemark/simulation';
import { raftNode } from './raft-node.ts';

describe('what a seed draws', () => {
  it('makes the same run when it is given', async () => {
    const seed = 5;
    const own = await runSeed({ seed, factory: raftNode(), minEvents: 3_000 });
    const given = await runSeed({ seed, ...drawnBy(seed), factory: raftNode(), minEvents: 3_000 });
    expect([given.digest, given.events]).to.deep.equal([own.digest, own.events]);
  });

  it('is part of what a run answers, for who keeps it', async () => {
    const { schedule, loads } = await runSeed({ seed: 6, factory: raftNode(), minEvents: 3_000 });
    expect({ schedule, loads }).to.deep.equal(drawnBy(6));
  });
});
