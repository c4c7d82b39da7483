import { expect } from 'chai';
import { RECORD_TOPIC, ReplicaChecks } from '../../src/cluster/replica-checks.ts';
import { type SimWorld } from '../../src/cluster/sim-world.ts';

interface Replica {
  readonly highWatermark: number;
  readonly isLeader: boolean;
  readonly leaderEpoch: number;
  readonly log: {
    readonly durableLogStartOffset?: number;
    readonly flushedOffset: number;
    readonly isQuiet: boolean;
  };
}

/** Nodes 1 and 2, in-sync replicas of two partitions; what they have of each is given before every look. */
function watched() {
  const found: string[] = [];
  const held = new Map<string, Replica>();
  let deletedBefore = 0;
  const places = [0, 1].map((partition) => {
    return {
      topic: RECORD_TOPIC,
      topicId: 'id',
      partition,
      leader: 1,
      leaderEpoch: 3,
      replicas: [1, 2],
      isr: [1, 2],
      elr: [],
    };
  });
  const nodes = [1, 2].map((id) => {
    const replicas = { partition: (_: string, partition: number) => held.get(`${id}/${partition}`) };
    return {
      id,
      node: { replicas, partitionsOf: (topic: string) => (topic === RECORD_TOPIC ? places : []) },
    };
  });
  const world = {
    hosts: nodes,
    furthest: () => nodes[0]!.node,
    onCommitted: () => undefined,
    violations: { report: (checker: string) => void found.push(checker) },
  } as unknown as SimWorld;
  const checks = new ReplicaChecks(world, {
    deletedBefore: (name) => (name === 'records-0' ? deletedBefore : 0),
  });
  const has = (id: number, partition: number, replica: Partial<Replica>): void => {
    const log = { durableLogStartOffset: 0, flushedOffset: 10, isQuiet: true };
    held.set(`${id}/${partition}`, { highWatermark: 10, isLeader: false, leaderEpoch: 3, log, ...replica });
  };
  return {
    has,
    delete: (before: number): void => void (deletedBefore = before),
    look: (): readonly string[] => {
      checks.observe();
      return found.splice(0);
    },
  };
}

describe('the checks of replicas', () => {
  it('find two leaders in one epoch of a partition, though never both at once, and not in two epochs or two partitions', () => {
    const { has, look } = watched();
    has(1, 0, { isLeader: true });
    has(2, 1, { isLeader: true });
    expect(look()).to.deep.equal([]);
    has(1, 0, {});
    has(2, 0, { isLeader: true, leaderEpoch: 4 });
    expect(look()).to.deep.equal([]);
    has(2, 0, { isLeader: true, leaderEpoch: 3 });
    expect(look()).to.deep.equal(['two-leaders-in-epoch']);
  });

  it('find who may lead with what was said to be deleted, in that partition alone', () => {
    const { has, look, delete: deleteBefore } = watched();
    const log = { durableLogStartOffset: 5, flushedOffset: 10, isQuiet: true };
    has(1, 0, { log });
    has(2, 0, { log });
    has(1, 1, {});
    deleteBefore(5);
    expect(look()).to.deep.equal([]);
    has(2, 0, { log: { ...log, durableLogStartOffset: 4 } });
    expect(look()).to.deep.equal(['deleted-record-back']);
  });

  it('find who may lead without what was committed, also when its leader is gone, in that partition alone', () => {
    const { has, look } = watched();
    has(1, 0, { isLeader: true });
    expect(look()).to.deep.equal([]);
    has(1, 0, { highWatermark: 0 });
    has(2, 0, { highWatermark: 0, log: { flushedOffset: 9, isQuiet: true } });
    has(2, 1, { highWatermark: 0, log: { flushedOffset: 9, isQuiet: true } });
    expect(look()).to.deep.equal(['in-sync-behind']);
    has(2, 0, { highWatermark: 0, log: { flushedOffset: 9, isQuiet: false } });
    expect(look()).to.deep.equal(['high-watermark-cut']);
  });
});
