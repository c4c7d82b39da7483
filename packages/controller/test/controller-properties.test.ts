// Random lives of a small cluster, with a model of what its replicas hold: whatever brokers, operators and leaders do, and in
// whatever order, no leader is elected cleanly without every committed record (P10), and every image keeps its invariants
// (checked by TestCluster after each command).

import { expect } from 'chai';
import fc from 'fast-check';
import {
  applyRecords,
  imageInvariants,
  indexOf,
  type MetadataImage,
  type MetadataRecord,
  type PartitionImage,
  type ReplicaIndex,
  type TopicImage,
} from '@tidemark/controller';
import { minInsyncReplicas, topicConfigOf, type BrokerId } from '@tidemark/core';
import { SESSION_MS, TestCluster } from './cluster.ts';

const BROKERS = [1, 2, 3, 4];

/** How many committed records each replica of a partition holds, and how many there are. */
interface Held {
  committed: number;
  readonly by: Map<number, number>;
}

type Step =
  | { readonly do: 'beat' | 'leave' | 'fence' | 'crash' | 'stop' | 'unregister'; readonly broker: number }
  | { readonly do: 'pass'; readonly alive: readonly number[] }
  | { readonly do: 'duties' | 'rebalance' | 'unclean' }
  | { readonly do: 'write' | 'cancel'; readonly partition: number }
  | { readonly do: 'damage'; readonly broker: number; readonly partition: number }
  | { readonly do: 'propose' | 'reassign'; readonly partition: number; readonly brokers: readonly number[] }
  | { readonly do: 'minimum'; readonly partition: number; readonly value: number }
  | { readonly do: 'lateProposal'; readonly partition: number; readonly behind: number };

const broker = fc.constantFrom(...BROKERS);
const brokers = fc.shuffledSubarray(BROKERS, { minLength: 1 });
const partition = fc.nat(3);

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('beat' as const), broker }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('fence', 'crash', 'stop', 'leave', 'unregister'), broker }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), alive: fc.subarray(BROKERS) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('duties', 'rebalance') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unclean' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('damage' as const), broker, partition }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), partition }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('propose' as const), partition, brokers }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('reassign' as const), partition, brokers }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('minimum' as const),
      partition,
      value: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('lateProposal' as const),
      partition,
      behind: fc.integer({ min: 1, max: 3 }),
    }),
  },
);

/** A cluster and the model beside it. Partitions 0 and 1 belong to topic a (three replicas), 2 and 3 to topic b (one, two). */
class Life {
  readonly cluster = TestCluster.withBrokers(4);
  readonly #held = new Map<string, Held>();
  #incarnation = 1000;

  constructor() {
    for (const id of BROKERS) this.cluster.heartbeat(id);
    this.cluster.create(
      {
        name: 'a',
        assignments: [
          { partition: 0, replicas: [1, 2, 3] },
          { partition: 1, replicas: [2, 3, 4] },
        ],
      },
      {
        name: 'b',
        assignments: [
          { partition: 0, replicas: [4, 1] },
          { partition: 1, replicas: [3, 2] },
        ],
      },
    );
    for (const { topic, partition } of this.partitions()) {
      this.#held.set(keyOf(topic, partition), {
        committed: 0,
        by: new Map(BROKERS.map((id) => [id, 0])),
      });
    }
  }

  *partitions(): Iterable<{ topic: TopicImage; partition: PartitionImage }> {
    for (const topic of this.cluster.image.topics()) {
      for (const partition of topic.partitions) yield { topic, partition };
    }
  }

  take(step: Step): void {
    const before = this.cluster.image;
    this.#take(step);
    this.#elections(before);
    this.#check(step);
  }

  #take(step: Step): void {
    const { cluster } = this;
    switch (step.do) {
      case 'beat':
        cluster.heartbeat(step.broker);
        return;
      case 'leave':
        cluster.heartbeat(step.broker, { wantShutDown: true });
        return;
      case 'fence':
        if (cluster.image.broker(step.broker) !== undefined) cluster.fence(step.broker);
        return;
      case 'unregister':
        // That no replica is left on no broker is an invariant of the image.
        cluster.run({ type: 'unregisterBroker', brokerId: step.broker as BrokerId });
        return;
      case 'crash':
      case 'stop':
        this.#restart(step.broker, step.do === 'stop');
        return;
      case 'pass':
        cluster.pass(SESSION_MS + 1, ...step.alive);
        return;
      case 'duties':
        cluster.doDuties();
        return;
      case 'rebalance':
        cluster.must({ type: 'balanceLeaders' });
        cluster.must({ type: 'electLeaders', election: 'preferred' });
        return;
      case 'unclean':
        cluster.must({ type: 'electLeaders', election: 'unclean' });
        return;
      case 'damage':
        this.#damage(step.partition, step.broker);
        return;
      case 'write':
        this.#write(step.partition);
        return;
      case 'propose':
        this.#propose(step.partition, step.brokers, 0);
        return;
      case 'lateProposal':
        this.#propose(step.partition, BROKERS, step.behind);
        return;
      case 'reassign':
        this.#reassign(step.partition, step.brokers);
        return;
      case 'cancel':
        this.#reassign(step.partition, undefined);
        return;
      case 'minimum':
        this.#minimum(step.partition, step.value);
        return;
    }
  }

  #at(index: number) {
    const topic = this.cluster.image.topicByName(index < 2 ? 'a' : 'b')!;
    const partition = topic.partitions[index % 2]!;
    return { topic, partition, held: this.#held.get(keyOf(topic, partition))! };
  }

  #minInSync(topic: TopicImage, replicaCount: number): number {
    return minInsyncReplicas(topicConfigOf(this.cluster.config, topic.configs), replicaCount);
  }

  /** A crash may cost a replica records, whatever it had acknowledged. */
  #restart(id: number, isClean: boolean): void {
    const epoch = this.cluster.image.broker(id)?.epoch ?? -1;
    const answer = this.cluster.tryRegister(id, '', this.#incarnation++, isClean ? epoch : -1);
    if (!answer.ok) {
      expect(answer.error).to.equal('DUPLICATE_BROKER_REGISTRATION');
      return;
    }
    if (isClean) return;
    for (const { by } of this.#held.values()) by.set(id, Math.max(0, by.get(id)! - 3));
  }

  /** With acks=all: committed once all in sync have it, and only if they are enough. */
  #write(index: number): void {
    const { topic, partition, held } = this.#at(index);
    if (partition.leader === -1) return;
    if (partition.isr.length < this.#minInSync(topic, partition.replicas.length)) return;
    held.committed++;
    for (const id of partition.isr) held.by.set(id, held.committed);
  }

  /** The leader proposes those of `ids` that could be in sync, and they have caught up. */
  #propose(index: number, ids: readonly number[], behind: number): void {
    const { topic, partition, held } = this.#at(index);
    const { leader, leaderEpoch, partitionEpoch, replicas } = partition;
    if (leader === -1) return;
    const { image } = this.cluster;
    const members = replicas.filter((id) => id === leader || (ids.includes(id) && image.isActive(id)));
    const newIsr = members.map((id) => ({ brokerId: id, brokerEpoch: image.broker(id)!.epoch }));
    const proposal = {
      topicId: topic.id,
      partition: partition.partition,
      leaderEpoch,
      partitionEpoch: (partitionEpoch - behind) as typeof partitionEpoch,
      newIsr,
    };
    const result = this.cluster.run({
      type: 'alterPartition',
      brokerId: leader,
      brokerEpoch: image.broker(leader)!.epoch,
      partitions: [proposal],
    });
    if (!result.ok) throw new Error(result.message);
    const [answer] = result.response.partitions;
    if (answer!.ok || answer!.error === 'NEW_LEADER_ELECTED') {
      expect(behind, 'a late proposal was taken').to.equal(0);
      for (const id of members) held.by.set(id, Math.max(held.by.get(id)!, held.committed));
      return;
    }
    if (behind === 0) expect(answer!.error, answer!.message).to.equal('INELIGIBLE_REPLICA');
  }

  #reassign(index: number, replicas: readonly number[] | undefined): void {
    const { topic, partition } = this.#at(index);
    this.cluster.must({
      type: 'reassignPartitions',
      partitions: [{ topic: topic.name, partition: partition.partition, replicas }],
      allowReplicationFactorChange: true,
    });
  }

  /** Its log cannot be opened; whoever mends that may leave nothing of it, once others lead. */
  #damage(index: number, id: number): void {
    const { topic, partition, held } = this.#at(index);
    const brokerEpoch = this.cluster.image.broker(id)?.epoch;
    if (brokerEpoch === undefined) return;
    const replica = { topicId: topic.id, partition: partition.partition };
    const brokerId = id as BrokerId;
    this.cluster.must({ type: 'reportOfflineReplicas', brokerId, brokerEpoch, partitions: [replica] });
    const { isr, elr, leader, leaderEpoch, leaderRecoveryState } = this.#at(index).partition;
    expect(leader === -1, 'a partition lost its leader').to.equal(partition.leader === -1);
    if (leaderEpoch !== partition.leaderEpoch) {
      expect(leaderRecoveryState).to.equal(partition.leaderRecoveryState);
      expect([...partition.isr, ...partition.elr]).to.include(leader);
    }
    if (!isr.includes(brokerId) && !elr.includes(brokerId)) held.by.set(id, 0);
  }

  #minimum(index: number, value: number): void {
    const { topic } = this.#at(index);
    const changes = [{ name: 'min.insync.replicas', value: String(value) }];
    const resource = { type: 'topic', name: topic.name } as const;
    this.cluster.must({ type: 'alterConfigs', resources: [{ resource, changes }], validateOnly: false });
  }

  /** A clean leader has everything; after an unclean one there is only what it has. */
  #elections(before: MetadataImage): void {
    for (const { topic, partition } of this.partitions()) {
      const old = before.topicById(topic.id)!.partitions[partition.partition]!;
      if (partition.leader === -1 || partition.leaderEpoch === old.leaderEpoch) continue;
      const held = this.#held.get(keyOf(topic, partition))!;
      const has = held.by.get(partition.leader)!;
      if (partition.leaderRecoveryState === 'recovered') {
        expect(has, `leader ${partition.leader} of ${topic.name}`).to.equal(held.committed);
      } else {
        held.committed = has;
        for (const [id, count] of held.by) held.by.set(id, Math.min(count, has));
      }
    }
  }

  #check(step: Step): void {
    for (const { topic, partition } of this.partitions()) {
      const { committed, by } = this.#held.get(keyOf(topic, partition))!;
      for (const id of [...partition.isr, ...partition.elr]) {
        expect(by.get(id), `${step.do}: ${id} may lead ${topic.name}-${partition.partition}`).to.equal(
          committed,
        );
      }
    }
  }
}

const keyOf = (topic: TopicImage, { partition }: PartitionImage) => `${topic.name}-${partition}`;

const plain = ({ brokers, ...lists }: ReplicaIndex) => ({
  brokers: [...brokers]
    .sort(([a], [b]) => a - b)
    .map(([id, { topics, ...counts }]) => [id, counts, [...topics.entries()]]),
  lists: Object.entries(lists).map(([name, topics]) => [name, [...topics.entries()]]),
});

describe('the life of a cluster, whatever happens in it', () => {
  it('never elects a leader cleanly that lacks a committed record', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { minLength: 5, maxLength: 60 }), (steps) => {
        const life = new Life();
        for (const step of steps) life.take(step);
      }),
      { numRuns: 1000 },
    );
  });

  it('is told by its records alone: replayed one by one or all at once, with the same index', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        const life = new Life();
        const start = life.cluster.image;
        const log: MetadataRecord[] = [];
        life.cluster.onRecords = (records) => log.push(...records);
        for (const step of steps) life.take(step);
        const { image } = life.cluster;
        const replayed = applyRecords(start, log, start.offset + 1);
        expect(plainImage(replayed)).to.deep.equal(plainImage(image));
        expect(imageInvariants(image, start)).to.deep.equal([]);
        expect(plain(image.index)).to.deep.equal(plain(indexOf(image.topics())));
      }),
      { numRuns: 100 },
    );
  });

  it('comes to rest: with all brokers back and the duties done, everything is led and nothing is left over', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        const life = new Life();
        for (const step of steps) life.take(step);
        const { cluster } = life;
        cluster.pass(SESSION_MS + 1);
        for (const id of BROKERS) cluster.register(id, '', 5000 + id, cluster.image.broker(id)!.epoch);
        for (const id of BROKERS) cluster.heartbeat(id);
        cluster.doDuties();
        for (const { topic, partition } of life.partitions()) {
          expect(partition.leader, topic.name).to.not.equal(-1);
          expect(partition.isr.every((id) => cluster.image.isActive(id))).to.equal(true);
        }
        for (const id of BROKERS) expect(cluster.image.isActive(id as BrokerId)).to.equal(true);
      }),
      { numRuns: 100 },
    );
  });
});

function plainImage(image: MetadataImage) {
  const topics = [...image.topics()].map(({ configs, ...topic }) => ({ ...topic, configs: [...configs] }));
  return { offset: image.offset, brokers: image.brokers(), topics };
}
