import { expect } from 'chai';
import type { NodeId } from '@tidemark/core';
import { PeerRouter } from '@tidemark/runtime';
import { SimClock, SimNetwork, SimPrng } from '@tidemark/simulation';

const [A, B] = [1 as NodeId, 2 as NodeId];

function twoNodes() {
  const clock = new SimClock();
  const network = new SimNetwork({ clock, prng: new SimPrng(1) });
  const [plainA, plainB] = [network.join(A), network.join(B)];
  return { clock, plainA, a: new PeerRouter(plainA), b: new PeerRouter(plainB) };
}

describe('PeerRouter', () => {
  it('brings a message to the channel it was sent on, with its sender and without the channel’s byte', async () => {
    const { clock, a, b } = twoNodes();
    const got: string[] = [];
    for (const kind of [1, 2]) {
      b.channel(kind).onMessage(({ from, payload }) => got.push(`${kind}: ${from} ${payload.join(' ')}`));
    }
    expect(a.channel(2).send(B, new Uint8Array([7, 8]))).to.equal(true);
    expect(a.channel(1).send(B, new Uint8Array(0))).to.equal(true);
    expect(a.channel(1).sendPrefixed(B, new Uint8Array([99, 5]))).to.equal(true);
    await clock.runUntilIdle();
    expect(got).to.deep.equal(['2: 1 7 8', '1: 1 ', '1: 1 5']);
    expect(b.dropped).to.equal(0);
    expect([b.self, a.channel(1).self]).to.deep.equal([B, A]);
  });

  it('leaves the sender’s payload as it was', () => {
    const { a } = twoNodes();
    const payload = new Uint8Array([9]);
    a.channel(1).send(B, payload);
    expect([...payload]).to.deep.equal([9]);
  });

  it('drops and counts what is empty and what nobody receives', async () => {
    const { clock, plainA, a, b } = twoNodes();
    const got: number[] = [];
    b.channel(1).onMessage(({ payload }) => got.push(payload.length));
    b.channel(3);
    plainA.send(B, new Uint8Array(0));
    plainA.send(B, new Uint8Array([200, 1]));
    a.channel(3).send(B, new Uint8Array([1]));
    a.channel(1).send(B, new Uint8Array([1]));
    await clock.runUntilIdle();
    expect(got).to.deep.equal([1]);
    expect(b.dropped).to.equal(3);
  });

  it('says at once what the network refuses', () => {
    const { a } = twoNodes();
    expect(a.channel(1).send(77 as NodeId, new Uint8Array(1))).to.equal(false);
  });
});
