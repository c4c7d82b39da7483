// A follower that has had more than its rate pauses, for as long as the rate says, and no longer than the rate is there.

import { expect } from 'chai';
import { at, FollowingScene } from './following-scene.ts';

async function pausing() {
  const { scene, leader, log, replica } = await FollowingScene.begun();
  scene.quota.setRate(1, scene.clock.monotonicMs());
  await scene.answer(replica, leader);
  expect(log.nextOffset).to.equal(10);
  const close = (): Promise<void> => {
    replica.end();
    return scene.close();
  };
  return { scene, close, pauseMs: scene.quota.waitMs(scene.clock.monotonicMs()) };
}

describe('a follower above its rate', () => {
  it('asks for more when its pause is over', async () => {
    const { scene, close, pauseMs } = await pausing();
    expect(pauseMs).to.be.above(60_000);
    await scene.clock.advance(pauseMs - 1000);
    expect(scene.asked).to.have.length(1);
    await scene.clock.advance(1000);
    expect(scene.asked.at(-1)?.position.fetchOffset).to.equal(at(10));
    await close();
  });

  for (const [what, bytesPerSecond] of [
    ['taken away', Infinity],
    ['raised', 1_000_000],
  ] as const) {
    it(`asks for more soon after the rate was ${what}: one that was too low must not stop it for hours`, async () => {
      const { scene, close } = await pausing();
      scene.quota.setRate(bytesPerSecond, scene.clock.monotonicMs());
      await scene.clock.advance(1000);
      expect(scene.asked.at(-1)?.position.fetchOffset).to.equal(at(10));
      await close();
    });
  }
});
