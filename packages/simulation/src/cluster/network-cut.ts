// Partitions of the network in the shapes that have broken real systems. Contract: what is cut here, and only that, the answer mends.

import { type NodeId } from '@tidemark/core';
import { type SimPrng } from '../sim-prng.ts';
import { type PartitionShape } from './faults.ts';
import { shuffled } from './shuffled.ts';
import { type SimWorld } from './sim-world.ts';

/** Answers how to undo it. */
export function cutNetwork(world: SimWorld, shape: PartitionShape, prng: SimPrng): () => void {
  const { network } = world;
  const cut: (readonly [NodeId, NodeId])[] = [];
  const block = (from: NodeId, to: NodeId): void => {
    if (from === to) return;
    network.block(from, to);
    cut.push([from, to]);
  };
  const both = (a: NodeId, b: NodeId): void => {
    block(a, b);
    block(b, a);
  };
  const ids = shuffled(world.hosts, prng).map(({ id }) => id);
  const leader = world.leader()?.id ?? ids[0]!;
  const half = Math.ceil(ids.length / 2);
  switch (shape) {
    case 'halves':
      for (const a of ids.slice(0, half)) for (const b of ids.slice(half)) both(a, b);
      break;
    case 'isolate-leader':
      for (const id of ids) both(leader, id);
      break;
    case 'isolate-one':
      for (const id of ids) both(ids[0]!, id);
      break;
    case 'bridge':
      // Two halves that only the one in the middle can reach, both of them.
      for (const a of ids.slice(1, half)) for (const b of ids.slice(half)) both(a, b);
      break;
    case 'one-way':
      // Heard by nobody, or hearing nobody.
      for (const id of ids) {
        if (prng.seed % 2 === 0) block(leader, id);
        else block(id, leader);
      }
      break;
    case 'ring':
      // Everybody reaches a majority, and no two of them the same one (Jepsen's majorities ring).
      for (const [at, a] of ids.entries()) {
        for (let step = 2; step <= ids.length - 2; step++) both(a, ids[(at + step) % ids.length]!);
      }
  }
  return () => {
    for (const [from, to] of cut) network.unblock(from, to);
  };
}
