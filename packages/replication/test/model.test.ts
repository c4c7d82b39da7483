import { expect } from 'chai';
import { ModelCluster, type ModelOptions } from './model-cluster.ts';

/** Runs the seeds and adds up what happened. */
function runs(count: number, options: Omit<ModelOptions, 'seed'>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let seed = 1; seed <= count; seed++) {
    const cluster = new ModelCluster({ seed, ...options });
    cluster.run();
    for (const [what, times] of cluster.counts) counts.set(what, (counts.get(what) ?? 0) + times);
  }
  return counts;
}

describe('replicas at random, with the real controller (P1, P2, P7, P8, P9, P10)', () => {
  it('lose nothing that was acknowledged, whatever crashes and whatever the network does', () => {
    const counts = runs(1500, { flush: 'ack' });
    for (const what of ['elections', 'truncations', 'commits', 'crashes', 'deletions', 'proposals taken']) {
      expect(counts.get(what), what).to.be.greaterThan(1000);
    }
    for (const what of ['proposals of unknown outcome', 'proposals INVALID_UPDATE_VERSION']) {
      expect(counts.get(what), what).to.be.greaterThan(100);
    }
  });

  it('lose nothing while replicas are moved and min.insync.replicas changes', () => {
    expect(runs(1500, { flush: 'ack', hasOperator: true, steps: 600 }).get('operations')).to.be.greaterThan(
      1000,
    );
  });

  it('without syncing, lose nothing as long as one broker at a time does', () => {
    runs(1000, { flush: 'os' });
  });

  it('come to agree even after unclean elections', () => {
    runs(500, { flush: 'os', isUnclean: true });
  });
});
