// What every Network must do while its connections hold: these cases run on a network without faults. What faults may do
// (lose, repeat, reorder around a reconnect) is for the protocols above to bear and for the simulation's own tests.

import assert from 'node:assert/strict';
import { type Network, type NetworkMessage, type NodeId } from '@tidemark/core';
import { patterned, sameBytes, type ConformanceCase } from './case.ts';

/** Three nodes that reach each other; `limitBytes` is what may be queued for one peer, at most 64 MiB. */
export interface NetworkUnderTest {
  readonly nodes: readonly [Network, Network, Network];
  readonly limitBytes: number;
}

/** Resolves once `count` messages have arrived. */
function received(node: Network, count: number): Promise<NetworkMessage[]> {
  const messages: NetworkMessage[] = [];
  return new Promise((resolve) => {
    node.onMessage((message) => {
      messages.push(message);
      if (messages.length === count) resolve(messages);
    });
  });
}

const closed = (network: NetworkUnderTest): Promise<unknown> =>
  Promise.all(network.nodes.map((node) => node.close()));

export const networkConformance: readonly ConformanceCase<NetworkUnderTest>[] = [
  {
    name: 'delivers a message with its bytes and its sender, and never inside send',
    run: async (make) => {
      const network = await make();
      const [a, b] = network.nodes;
      assert.notEqual(a.self, b.self);
      let sending = true;
      const arrived = new Promise<NetworkMessage>((resolve) =>
        b.onMessage((message) => {
          assert(!sending, 'delivered inside send');
          resolve(message);
        }),
      );
      assert.equal(a.send(b.self, patterned(100_000)), true);
      sending = false;
      const message = await arrived;
      assert.equal(message.from, a.self);
      sameBytes(message.payload, patterned(100_000), 'payload');
      await closed(network);
    },
  },
  {
    name: 'keeps the order of one sender, each message once, empty ones included',
    run: async (make) => {
      const network = await make();
      const [a, b, c] = network.nodes;
      const arrived = received(b, 400);
      for (let at = 0; at < 200; at++) {
        assert.equal(a.send(b.self, at === 7 ? new Uint8Array(0) : patterned(at * 10 + 1, at)), true);
        assert.equal(c.send(b.self, patterned(1, at)), true);
      }
      const messages = await arrived;
      const fromA = messages.filter((message) => message.from === a.self);
      const fromC = messages.filter((message) => message.from === c.self);
      assert.equal(fromA.length, 200);
      for (let at = 0; at < 200; at++) {
        const expected = at === 7 ? new Uint8Array(0) : patterned(at * 10 + 1, at);
        sameBytes(fromA[at]!.payload, expected, `message ${at} of a`);
        sameBytes(fromC[at]!.payload, patterned(1, at), `message ${at} of c`);
      }
      await closed(network);
    },
  },
  {
    name: 'delivers what was sent although the sender reuses its buffer',
    run: async (make) => {
      const network = await make();
      const [a, b] = network.nodes;
      const arrived = received(b, 2);
      const buffer = patterned(5_000);
      a.send(b.self, buffer);
      buffer.fill(0);
      a.send(b.self, buffer);
      sameBytes((await arrived)[0]!.payload, patterned(5_000), 'the first message');
      await closed(network);
    },
  },
  {
    name: 'carries answers sent from inside the receiver',
    run: async (make) => {
      const network = await make();
      const [a, b] = network.nodes;
      b.onMessage((message) => void b.send(message.from, message.payload));
      const echoed = received(a, 1);
      a.send(b.self, patterned(10));
      const [message] = await echoed;
      assert.equal(message!.from, b.self);
      await closed(network);
    },
  },
  {
    name: 'drops at once, without a throw, what is for an unknown peer',
    run: async (make) => {
      const network = await make();
      assert.equal(network.nodes[0].send(2_000_000_000 as NodeId, patterned(10)), false);
      await closed(network);
    },
  },
  {
    name: 'drops at once what would pass the limit of queued bytes, for that peer alone, and takes more once it drained',
    run: async (make) => {
      const network = await make();
      const [a, b, c] = network.nodes;
      assert.equal(a.send(b.self, new Uint8Array(network.limitBytes + 1)), false);
      const message = patterned(Math.max(1, Math.floor(network.limitBytes / 8)));
      let taken = 0;
      while (a.send(b.self, message)) {
        taken++;
        assert(taken <= 1_000, 'the queue for a peer has no limit');
      }
      assert(taken >= 8, `only ${taken} eighths of the limit were taken`);
      assert.equal(a.send(c.self, message), true, 'another peer has a queue of its own');
      await received(b, taken);
      assert.equal(a.send(b.self, message), true, 'a drained queue takes messages again');
      await received(b, 1);
      await closed(network);
    },
  },
  {
    name: 'neither sends nor receives after close, which may be called twice',
    run: async (make) => {
      const network = await make();
      const [a, b, c] = network.nodes;
      let late = 0;
      b.onMessage(() => late++);
      await b.close();
      await b.close();
      assert.equal(b.send(a.self, patterned(3)), false);
      a.send(b.self, patterned(3));
      // Whatever a sent to the closed node, the others go on; when this one arrived, the other had its time.
      const arrived = received(c, 1);
      a.send(c.self, patterned(3));
      await arrived;
      assert.equal(late, 0);
      await closed(network);
    },
  },
];
