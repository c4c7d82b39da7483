// DeleteRecords may leave a leader's log beginning inside a batch. Whole batches are what it sends, so that the first one begins
// below its start; a follower that has nothing of the log takes it all the same.

import { expect } from 'chai';
import { append, at, FollowingScene } from './following-scene.ts';

describe('a leader’s log that begins inside a batch', () => {
  it('is taken over by a follower that has nothing of it, which then begins where the leader’s does', async () => {
    const scene = new FollowingScene();
    const leader = await scene.openLog('leader');
    await append(leader, 10);
    await append(leader, 3);
    await leader.deleteRecordsBefore(at(5));
    const log = await scene.openLog('follower');
    const replica = scene.follow(log);
    replica.begin();
    for (let turn = 0; turn < 4; turn++) await scene.answer(replica, leader);
    expect(scene.errors).to.deep.equal([]);
    expect(log.nextOffset).to.equal(13);
    expect(log.logStartOffset).to.equal(5);
    expect(replica.highWatermark).to.equal(13);
    expect(log.leaderEpochs.map(({ epoch }) => epoch)).to.deep.equal([1]);
    expect(scene.done).to.equal(scene.sent);
    replica.end();
    await scene.close();
  });

  it('is asked for again when there was no room for it, and leaves nothing behind when the role is over', async () => {
    const scene = new FollowingScene();
    const leader = await scene.openLog('leader');
    await append(leader, 10);
    await leader.deleteRecordsBefore(at(5));
    const log = await scene.openLog('follower');
    const replica = scene.follow(log);
    replica.begin();
    await scene.answer(replica, leader);
    scene.disk.inject({ error: 'ENOSPC', operation: 'write', path: (path) => path.endsWith('.log') });
    await scene.answer(replica, leader);
    expect(log.nextOffset).to.equal(5);
    expect(scene.done).to.equal(1);
    const over = scene.answer(replica, leader);
    replica.end();
    await over;
    expect(scene.done).to.equal(2);
    expect([log.logStartOffset, log.nextOffset]).to.deep.equal([5, 5]);
    const next = scene.follow(log);
    next.begin();
    for (let turn = 0; turn < 4; turn++) await scene.answer(next, leader);
    expect([log.logStartOffset, log.nextOffset]).to.deep.equal([5, 10]);
    next.end();
    await scene.close();
  });
});
