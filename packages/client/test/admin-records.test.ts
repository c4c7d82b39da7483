// What the admin client asks of the leaders of partitions.
import { Admin } from '@tidemark/client';
import { expect } from 'chai';
import { batchOf } from './batches.ts';
import { startFixture } from './fixture.ts';
import type { Fixture } from './fixture.ts';
import { seededRandom } from './test-clock.ts';

describe('deleting records', () => {
  let fixture: Fixture;
  let admin: Admin;
  beforeEach(async () => {
    fixture = await startFixture();
    const { cluster, clock } = fixture;
    admin = new Admin({ brokers: cluster.bootstrap, clock, random: seededRandom() });
  });
  afterEach(async () => {
    await admin.close();
    await fixture.stop();
  });

  it('up to the end deletes nothing that comes while it is repeated', async () => {
    const { cluster } = fixture;
    const log = cluster.addTopic('orders', 1).partitions[0]!;
    for (const value of ['a', 'b']) log.place(batchOf([value]));
    cluster.onDelete = () => {
      if (cluster.deletions.length > 2) return undefined;
      log.place(batchOf(['later']));
      return 'REQUEST_TIMED_OUT';
    };
    const deleted = await admin.deleteRecords([{ topic: 'orders', partition: 0, beforeOffset: 'end' }]);
    expect(deleted).to.deep.equal([{ topic: 'orders', partition: 0, logStartOffset: 2 }]);
    expect(cluster.deletions).to.deep.equal([2, 2, 2]);
  });

  it('goes by the offsets that were given, and by the end where that was', async () => {
    const { cluster } = fixture;
    const { partitions } = cluster.addTopic('orders', 2);
    for (const value of ['a', 'b', 'c']) partitions[1]!.place(batchOf([value]));
    const deleted = await admin.deleteRecords([
      { topic: 'orders', partition: 0, beforeOffset: 0 },
      { topic: 'orders', partition: 1, beforeOffset: 'end' },
    ]);
    expect(deleted.map(({ logStartOffset }) => logStartOffset)).to.deep.equal([0, 3]);
  });
});
