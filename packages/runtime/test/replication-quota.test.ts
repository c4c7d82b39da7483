import { expect } from 'chai';
import { ReplicationQuota } from '../src/replica/replication-quota.ts';

describe('a replication quota (KIP-73)', () => {
  it('lets its rate through and no more, whatever is taken at a time', () => {
    const quota = new ReplicationQuota();
    quota.setRate(1_000_000, 0);
    let nowMs = 0;
    let taken = 0;
    while (nowMs < 10_000) {
      const waitMs = quota.waitMs(nowMs);
      if (waitMs > 0) {
        nowMs += waitMs;
        continue;
      }
      const bytes = 1 + ((taken * 7919) % 300_000);
      quota.take(bytes, nowMs);
      taken += bytes;
      nowMs += 1;
    }
    expect(taken / 10_000_000).to.be.within(0.98, 1.05);
  });

  it('saves up no more than a moment, and waits for what was taken too early', () => {
    const quota = new ReplicationQuota();
    quota.setRate(1_000, 0);
    expect(quota.waitMs(60_000)).to.equal(0);
    quota.take(1_100, 60_000);
    expect(quota.waitMs(60_000), 'a tenth of a second was saved').to.equal(1_000);
    expect(quota.waitMs(61_000)).to.equal(0);
  });

  it('is no limit until there is a rate, and none any more when it is taken away', () => {
    const quota = new ReplicationQuota();
    quota.take(1e12, 0);
    expect(quota.waitMs(0)).to.equal(0);
    quota.setRate(10, 0);
    quota.take(1e6, 0);
    expect(quota.waitMs(0)).to.equal(100_000_000);
    quota.setRate(Infinity, 0);
    expect(quota.waitMs(0)).to.equal(0);
  });
});
