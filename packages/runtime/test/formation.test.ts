// The first start of a quorum, against everything that can come between: what is lost, repeated and late, disks that are lost
// halfway, nodes that were there before, and nodes of somebody else.

import { topicIdFromBytes, type NodeId } from '@tidemark/core';
import { replicaName, type VoterSet } from '@tidemark/raft';
import { PeerRouter } from '@tidemark/runtime';
import { NodeSimClock, SimClock, SimNetwork, SimPrng } from '@tidemark/simulation';
import { expect } from 'chai';
import { Formation } from '../src/quorum/formation.ts';
import { QuorumGroup } from './quorum-group.ts';

const CHANNEL = 4;
const ids = [1, 2, 3] as NodeId[];

/** Nodes that form a quorum and store what they agree on, or have it stored already. */
class Forming {
  readonly clock = new SimClock();
  readonly prng: SimPrng;
  readonly network: SimNetwork;
  readonly waiting: string[] = [];
  /** What each node has stored. */
  readonly stored = new Map<NodeId, VoterSet>();
  readonly #directories = new Map<NodeId, string>();
  readonly #stops = new Map<NodeId, () => void>();

  constructor(seed = 1) {
    this.prng = new SimPrng(seed);
    this.network = new SimNetwork({ clock: this.clock, prng: this.prng.fork('network') });
  }

  directory(id: NodeId): string {
    let directory = this.#directories.get(id);
    if (directory === undefined) {
      directory = topicIdFromBytes(this.prng.bytes(16));
      this.#directories.set(id, directory);
    }
    return directory;
  }

  /** As a process does: says nothing before it has read its disk, then forms or says what is there. */
  start(id: NodeId, as: { clusterId?: string; readMs?: number; storeMs?: number } = {}): void {
    const { clusterId = 'cluster', readMs = 5, storeMs = 5 } = as;
    const clock = new NodeSimClock(this.clock);
    const network = this.network.join(id);
    const formation = new Formation({
      self: { nodeId: id, directoryId: this.directory(id) },
      endpoint: { host: `node-${id}`, port: 1 },
      clusterId,
      nodes: ids,
      channel: new PeerRouter(network).channel(CHANNEL),
      clock,
      onWaiting: (missing) => this.waiting.push(`${id} waits for ${missing.join()}`),
      onPeer: () => undefined,
    });
    this.#stops.set(id, () => {
      clock.kill();
      void network.close();
    });
    clock.setTimer(readMs, () => {
      const stored = this.stored.get(id);
      if (stored !== undefined) formation.formed(() => stored);
      else {
        void formation.form().then((voters) =>
          clock.setTimer(storeMs, () => {
            this.stored.set(id, voters);
            formation.formed(() => voters);
          }),
        );
      }
    });
  }

  kill(id: NodeId): void {
    this.#stops.get(id)!();
  }

  wipe(id: NodeId): void {
    this.#directories.delete(id);
    this.stored.delete(id);
  }

  /** What each node has stored, as text: one text when they agree. */
  get agreed(): readonly string[] {
    return [...new Set([...this.stored.values()].map((voters) => voters.map(replicaName).join()))];
  }

  get expected(): string {
    return ids.map((nodeId) => replicaName({ nodeId, directoryId: this.directory(nodeId) })).join();
  }
}

describe('the formation of a quorum', () => {
  it('agrees on the same voters, whatever of the hellos is lost, repeated and late', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const forming = new Forming(seed);
      forming.network.faults = { dropOneIn: 2, duplicateOneIn: 2, reorderOneIn: 2 };
      for (const id of ids)
        forming.start(id, { readMs: forming.prng.below(500), storeMs: forming.prng.below(50) });
      await forming.clock.advance(60_000);
      expect(forming.stored.size, `seed ${seed}`).to.equal(3);
      expect(forming.agreed, `seed ${seed}`).to.deep.equal([forming.expected]);
    }
  });

  it('agrees when processes die halfway and come back with the disks they had', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const forming = new Forming(seed);
      const { prng, clock } = forming;
      for (const id of ids) forming.start(id, { readMs: prng.below(100), storeMs: prng.below(100) });
      for (let at = 0; at < 6; at++) {
        await clock.advance(prng.below(150));
        const id = ids[prng.below(3)]!;
        forming.kill(id);
        await clock.advance(prng.below(150));
        forming.start(id, { storeMs: prng.below(100) });
      }
      await clock.advance(10_000);
      expect(forming.stored.size, `seed ${seed}`).to.equal(3);
      expect(forming.agreed, `seed ${seed}`).to.deep.equal([forming.expected]);
    }
  });

  it('takes a node that lost its disk halfway as it is now, not as it was', async () => {
    const forming = new Forming();
    forming.start(1 as NodeId);
    forming.start(2 as NodeId);
    await forming.clock.advance(1_000);
    forming.kill(2 as NodeId);
    forming.wipe(2 as NodeId);
    forming.start(2 as NodeId);
    await forming.clock.advance(1_000);
    forming.start(3 as NodeId);
    await forming.clock.advance(2_000);
    expect(forming.agreed).to.deep.equal([forming.expected]);
  });

  it('does not count on a node that fell silent', async () => {
    const forming = new Forming();
    forming.start(1 as NodeId);
    forming.start(2 as NodeId);
    await forming.clock.advance(1_000);
    forming.kill(2 as NodeId);
    await forming.clock.advance(5_000);
    forming.start(3 as NodeId);
    await forming.clock.advance(5_000);
    expect(forming.stored.size).to.equal(0);
    expect(forming.waiting.at(-1)).to.contain('waits for 2');
  });

  it('leaves a node that lost its disk out of what the others have formed', async () => {
    const forming = new Forming();
    for (const id of ids) forming.start(id);
    await forming.clock.advance(1_000);
    const [formed] = forming.agreed;
    forming.kill(3 as NodeId);
    forming.wipe(3 as NodeId);
    forming.start(3 as NodeId);
    await forming.clock.advance(5_000);
    expect(forming.agreed, 'it is told who votes, and is none of them').to.deep.equal([formed]);
    expect(formed).to.not.equal(forming.expected);
  });

  it('founds no second quorum over a node that has yet to read what it holds', async () => {
    const forming = new Forming();
    for (const id of ids) forming.start(id);
    await forming.clock.advance(1_000);
    const [formed] = forming.agreed;
    for (const id of ids) forming.kill(id);
    for (const id of [2, 3] as NodeId[]) forming.wipe(id);
    forming.start(2 as NodeId);
    forming.start(3 as NodeId);
    // Asked all the while.
    forming.start(1 as NodeId, { readMs: 5_000 });
    await forming.clock.advance(10_000);
    expect(forming.agreed).to.deep.equal([formed]);
  });

  it('founds none over a node that has decided and is about to store it', async () => {
    const forming = new Forming();
    forming.start(1 as NodeId, { storeMs: 4_000 });
    forming.start(2 as NodeId);
    forming.start(3 as NodeId);
    await forming.clock.advance(1_000);
    const [formed] = forming.agreed;
    for (const id of [2, 3] as NodeId[]) {
      forming.kill(id);
      forming.wipe(id);
      forming.start(id);
    }
    await forming.clock.advance(10_000);
    expect(forming.stored.size).to.equal(3);
    expect(forming.agreed).to.deep.equal([formed]);
  });

  it('does not listen to nodes of another cluster', async () => {
    const forming = new Forming();
    forming.start(1 as NodeId);
    forming.start(2 as NodeId);
    forming.start(3 as NodeId, { clusterId: 'other' });
    await forming.clock.advance(10_000);
    expect(forming.stored.size).to.equal(0);
    expect(forming.waiting).to.include('1 waits for 3').and.to.include('3 waits for 1,2');
  });

  it('is not moved by what is no hello, or another node’s', async () => {
    const forming = new Forming();
    forming.start(1 as NodeId);
    forming.start(2 as NodeId);
    const stranger = forming.network.join(9 as NodeId);
    await forming.clock.advance(500);
    for (const to of [1, 2] as NodeId[]) {
      stranger.send(to, Uint8Array.of(CHANNEL));
      stranger.send(to, Uint8Array.of(CHANNEL, 1, 2, 3));
      stranger.send(to, Uint8Array.of(CHANNEL, 2));
    }
    await forming.clock.advance(500);
    expect(forming.stored.size).to.equal(0);
    forming.start(3 as NodeId);
    await forming.clock.advance(1_000);
    expect(forming.agreed).to.deep.equal([forming.expected]);
  });
});

describe('a first start of whole nodes', () => {
  it('elects a leader, and only one cluster, when all are killed again and again while it is under way', async () => {
    for (let seed = 1; seed <= 5; seed++) {
      const group = new QuorumGroup({ voters: 3, seed });
      for (const id of [1, 2, 3]) void group.start(id).catch(() => undefined);
      for (let at = 0; at < 6; at++) {
        await group.clock.advance(group.prng.below(300));
        const id = 1 + group.prng.below(3);
        group.crash(id, 'nothing');
        await group.clock.advance(group.prng.below(100));
        void group.start(id).catch(() => undefined);
      }
      await group.until(() => group.running.length === 3);
      await group.leader();
      expect(new Set(group.running.map(({ quorum }) => JSON.stringify(quorum.voters))).size).to.equal(1);
      expect(group.running[0]!.quorum.voters).to.have.length(3);
      expect(group.fatal).to.deep.equal([]);
    }
  });
});
