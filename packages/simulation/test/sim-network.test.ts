import { expect } from 'chai';
import { type Network, type NodeId } from '@tidemark/core';
import { patterned, SimClock, SimNetwork, SimPrng, type NetworkFaults } from '@tidemark/simulation';

const node = (id: number): NodeId => id as NodeId;

function world(seed: number, ids: readonly number[] = [1, 2, 3]) {
  const clock = new SimClock();
  const network = new SimNetwork({ clock, prng: new SimPrng(seed) });
  const nodes = ids.map((id) => network.join(node(id)));
  const inbox = nodes.map((receiver) => {
    const arrived: number[] = [];
    receiver.onMessage((message) => arrived.push(message.payload[0]!));
    return arrived;
  });
  return { clock, network, nodes: nodes as [Network, Network, Network], inbox };
}

const none: NetworkFaults = { dropOneIn: 0, duplicateOneIn: 0, reorderOneIn: 0 };
const numbers = Array.from({ length: 100 }, (_, at) => at);

async function sendNumbers(seed: number, faults: Partial<NetworkFaults>): Promise<number[]> {
  const { clock, network, nodes, inbox } = world(seed);
  network.faults = { ...none, ...faults };
  for (const number of numbers) nodes[0].send(node(2), Uint8Array.of(number));
  await clock.runUntilIdle();
  return inbox[1]!;
}

describe('SimNetwork', () => {
  it('loses, repeats and reorders messages when told to, each fault by itself', async () => {
    expect(await sendNumbers(1, {})).to.deep.equal(numbers);
    const dropped = await sendNumbers(1, { dropOneIn: 4 });
    expect(dropped.length).to.be.within(55, 95);
    expect(dropped).to.deep.equal([...new Set(dropped)].sort((a, b) => a - b));
    const repeated = await sendNumbers(1, { duplicateOneIn: 4 });
    expect(repeated.length).to.be.within(105, 145);
    expect(new Set(repeated).size).to.equal(100);
    const reordered = await sendNumbers(1, { reorderOneIn: 4 });
    expect(reordered).not.to.deep.equal(numbers);
    expect([...reordered].sort((a, b) => a - b)).to.deep.equal(numbers);
  });

  it('cuts a partition both ways, one direction alone, and heals', async () => {
    const { clock, network, nodes, inbox } = world(2);
    const everybody = async (payload: number): Promise<number[][]> => {
      for (const from of nodes) {
        for (const to of nodes) if (to !== from) from.send(to.self, Uint8Array.of(payload + from.self));
      }
      await clock.runUntilIdle();
      return inbox.map((arrived) => arrived.splice(0).sort());
    };
    network.partition([node(1)], [node(2), node(3)]);
    expect(await everybody(10)).to.deep.equal([[], [13], [12]]);
    network.heal();
    network.block(node(1), node(2));
    expect(await everybody(20)).to.deep.equal([[22, 23], [23], [21, 22]]);
    network.heal();
    expect(await everybody(30)).to.deep.equal([
      [32, 33],
      [31, 33],
      [31, 32],
    ]);
  });

  it('tells mostly, and later, that a node is not there, but not across a cut path nor of a paused one', async () => {
    const { clock, network, nodes } = world(9);
    const refused: number[] = [];
    nodes[0].onRefused?.((peer) => refused.push(peer));
    network.pause(node(3));
    await nodes[1].close();
    for (let times = 0; times < 100; times++) {
      nodes[0].send(node(2), Uint8Array.of(1));
      nodes[0].send(node(3), Uint8Array.of(1));
    }
    expect(refused, 'never inside send').to.deep.equal([]);
    await clock.runUntilIdle();
    expect(new Set(refused)).to.deep.equal(new Set([2]));
    expect(refused.length).to.be.within(50, 80);
    network.block(node(1), node(2));
    nodes[0].send(node(2), Uint8Array.of(1));
    const heard = refused.length;
    await clock.runUntilIdle();
    expect(refused.length).to.equal(heard);
  });

  it('loses what is under way when the path is cut, and when the sender or the receiver goes', async () => {
    const { clock, network, nodes, inbox } = world(3);
    nodes[0].send(node(2), Uint8Array.of(1));
    network.block(node(1), node(2));
    await clock.runUntilIdle();
    network.heal();
    nodes[0].send(node(2), Uint8Array.of(2));
    nodes[2].send(node(2), Uint8Array.of(3));
    await nodes[0].close();
    await clock.runUntilIdle();
    expect(inbox[1]).to.deep.equal([3]);
    nodes[2].send(node(2), Uint8Array.of(4));
    await nodes[1].close();
    const restarted = network.join(node(2));
    const arrived: number[] = [];
    restarted.onMessage((message) => arrived.push(message.payload[0]!));
    nodes[2].send(node(2), Uint8Array.of(5));
    await clock.runUntilIdle();
    expect(arrived, 'a restarted node has connections of its own').to.deep.equal([5]);
  });

  it('makes one direction slow, and the messages on it still arrive in order', async () => {
    const { clock, network, nodes } = world(4);
    const arrivals: string[] = [];
    nodes[1].onMessage(({ from, payload }) => arrivals.push(`${from}:${payload[0]}`));
    nodes[0].onMessage(() => arrivals.push('back'));
    network.setLink(node(1), node(2), { delayFactor: 100 });
    nodes[0].send(node(2), Uint8Array.of(1));
    nodes[0].send(node(2), Uint8Array.of(2));
    nodes[1].send(node(1), Uint8Array.of(3));
    nodes[2].send(node(2), Uint8Array.of(4));
    await clock.advance(2);
    expect(arrivals.sort()).to.deep.equal(['3:4', 'back']);
    await clock.runUntilIdle();
    expect(arrivals).to.deep.equal(['3:4', 'back', '1:1', '1:2']);
    network.heal();
    nodes[0].send(node(2), Uint8Array.of(5));
    await clock.advance(2);
    expect(arrivals.at(-1)).to.equal('1:5');
  });

  it('lets no more bytes through a narrow link than it takes', async () => {
    const { clock, network, nodes, inbox } = world(5);
    network.setLink(node(1), node(2), { bytesPerMs: 100 });
    for (const number of numbers.slice(0, 10)) nodes[0].send(node(2), new Uint8Array(1_000).fill(number));
    await clock.advance(52);
    expect(inbox[1]).to.deep.equal([0, 1, 2, 3, 4]);
    await clock.runUntilIdle();
    expect(clock.monotonicMs()).to.be.within(100, 102);
  });

  it('strikes one link with faults of its own', async () => {
    const { clock, network, nodes, inbox } = world(6);
    network.setLink(node(1), node(2), { faults: { ...none, dropOneIn: 1 } });
    nodes[0].send(node(2), Uint8Array.of(1));
    nodes[0].send(node(3), Uint8Array.of(2));
    await clock.runUntilIdle();
    expect(inbox).to.deep.equal([[], [], [2]]);
  });

  it('holds back what arrives for a paused node, up to the limit, and loses it only when the node dies', async () => {
    const clock = new SimClock();
    const network = new SimNetwork({ clock, prng: new SimPrng(7), limitBytes: 30 });
    const [sender, receiver] = [network.join(node(1)), network.join(node(2))];
    const arrived: number[] = [];
    receiver.onMessage(({ payload }) => arrived.push(payload[0]!));
    network.pause(node(2));
    const sent = numbers.slice(0, 4).map((number) => sender.send(node(2), new Uint8Array(10).fill(number)));
    await clock.runUntilIdle();
    expect([sent, arrived]).to.deep.equal([[true, true, true, false], []]);
    network.resume(node(2));
    await clock.runUntilIdle();
    expect(arrived).to.deep.equal([0, 1, 2]);
    expect(sender.send(node(2), new Uint8Array(30).fill(9)), 'there is room again').to.equal(true);
    network.pause(node(2));
    await clock.runUntilIdle();
    await receiver.close();
    network.join(node(2)).onMessage(({ payload }) => arrived.push(payload[0]!));
    await clock.runUntilIdle();
    expect(arrived).to.deep.equal([0, 1, 2]);
  });

  it('replays a run of one seed to the byte', async () => {
    const run = async (seed: number): Promise<string> => {
      const { clock, network, nodes } = world(seed);
      network.faults = { dropOneIn: 10, duplicateOneIn: 10, reorderOneIn: 5 };
      nodes[1].onMessage((message) => nodes[1].send(node(3), message.payload));
      for (const number of numbers) nodes[0].send(node(2), patterned(number, number));
      await clock.runUntilIdle();
      return clock.trace.digest;
    };
    expect(await run(7)).to.equal(await run(7));
    expect(await run(7)).not.to.equal(await run(8));
  });
});
