// A follower deletes what its leader has deleted, as far as it knows it to be committed; what it is told while it cannot is not lost.

import { expect } from 'chai';
import { at, FollowingScene } from './following-scene.ts';

describe('the start of a follower’s log', () => {
  it('moves to where the leader’s was moved while an earlier move was carried out', async () => {
    const { scene, leader, log, replica } = await FollowingScene.begun();
    await scene.answer(replica, leader);
    const { position } = scene.asked.at(-1)!;
    for (const logStartOffset of [at(3), at(6)])
      replica.answered(position, { type: 'progress', highWatermark: at(10), logStartOffset });
    await scene.clock.advance(200);
    expect(log.logStartOffset).to.equal(6);
    expect(scene.asked.at(-1)!.logStartOffset).to.equal(0);
    // Whoever deletes records waits for it.
    expect(scene.logStarts.at(-1)).to.equal(6);
    replica.end();
    await scene.close();
  });

  it('is told once it is there for good: with a full disk it is tried again until it is', async () => {
    const { scene, leader, log, replica } = await FollowingScene.begun();
    await scene.answer(replica, leader);
    const isLogStart = (path: string): boolean => path.includes('follower/log-start');
    scene.disk.inject({ operation: 'write', path: isLogStart, error: 'ENOSPC', times: 4 });
    const { position } = scene.asked.at(-1)!;
    replica.answered(position, { type: 'progress', highWatermark: at(10), logStartOffset: at(6) });
    await scene.clock.advance(0);
    replica.askAgain();
    expect([log.logStartOffset, scene.asked.at(-1)!.logStartOffset]).to.deep.equal([6, 0]);
    await scene.clock.advance(150);
    expect(scene.logStarts).to.deep.equal([]);
    await scene.clock.advance(200);
    expect(scene.logStarts).to.deep.equal([6]);
    replica.askAgain();
    expect(scene.asked.at(-1)!.logStartOffset).to.equal(6);
    expect([scene.errors, scene.clock.pending]).to.deep.equal([[], 0]);
    replica.end();
    await scene.close();
  });

  it('moves as soon as what was deleted is known here to be committed', async () => {
    const { scene, leader, log, replica } = await FollowingScene.begun();
    // The batches come, and before they are on the disk the leader deletes some of them.
    const answered = scene.answer(replica, leader);
    for (let turn = 0; turn < 3; turn++) await Promise.resolve();
    expect(log.acknowledgeableEndOffset).to.equal(0);
    const { position } = scene.asked.at(-1)!;
    replica.answered(position, { type: 'progress', highWatermark: at(10), logStartOffset: at(6) });
    await answered;
    expect(log.logStartOffset).to.equal(6);
    replica.end();
    await scene.close();
  });
});
