import { expect } from 'chai';
import type { BrokerId, NodeId } from '@tidemark/core';
import { SimClock, SimNetwork, SimPrng } from '@tidemark/simulation';
import { Knocks } from '../src/knocks.ts';
import { PeerRouter, peerChannels } from '../src/peer-router.ts';

const node = (id: number): NodeId => id as NodeId;

function activeController(silent: (nowMs: number) => readonly number[], intervalMs = 250) {
  const clock = new SimClock();
  const network = new SimNetwork({ clock, prng: new SimPrng(1) });
  const own = network.join(node(1));
  const refused: number[] = [];
  own.onRefused?.((peer) => refused.push(peer));
  const channel = new PeerRouter(own).channel(peerChannels.knock);
  const knocks = new Knocks({
    clock,
    channel,
    intervalMs,
    silent: (nowMs) => silent(nowMs) as readonly BrokerId[],
  });
  return { clock, network, refused, knocks };
}

describe('an active controller', () => {
  it('hears that nobody listens where it does not hear a broker, over and over', async () => {
    const { clock, refused, knocks } = activeController(() => [1, 2]);
    knocks.begin();
    await clock.advance(3000);
    expect(refused.length).to.be.above(3);
    expect(new Set(refused), 'not at itself').to.deep.equal(new Set([2]));
    knocks.end();
    const { length } = refused;
    await clock.advance(3000);
    expect(refused.length, 'some were under way').to.be.below(length + 2);
  });

  it('leaves alone whom it hears, and asks anew each time', async () => {
    const { clock, network, knocks } = activeController((nowMs) => (nowMs > 1000 ? [] : [2]));
    const router = new PeerRouter(network.join(node(2)));
    let arrived = 0;
    router.channel(peerChannels.knock).onMessage(() => (arrived += 1));
    knocks.begin();
    await clock.advance(3000);
    expect(arrived).to.equal(4);
    knocks.end();
  });

  it('does not knock where refusals mean nothing', async () => {
    const { clock, refused, knocks } = activeController(() => [2], Infinity);
    knocks.begin();
    await clock.advance(10_000);
    expect(refused).to.deep.equal([]);
  });
});
