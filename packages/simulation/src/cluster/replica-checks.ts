// What every replica of the partitions of records and of groups must keep, whoever leads: one leads in an epoch; whoever may lead holds
// what is committed on its disk, nothing that was said to be deleted, and nobody has cut below it; no replica forgets what it knew to be
// committed (P8, P10). Contract: asked whenever a leader begins or its high watermark moves, because what it claims is mostly true again
// a few milliseconds later, and now and then for what happens without a leader.

import { OFFSETS_TOPIC, type Offset, type PartitionIndex } from '@tidemark/core';
import { type PartitionLog } from '@tidemark/log';
import { type PartitionPlace } from './simulated-node.ts';
import { type RecordHistory } from './record-history.ts';
import { type SimWorld } from './sim-world.ts';

export const RECORD_TOPIC = 'records';

/** A replica of a node that runs and has opened it. */
export interface OpenReplica {
  readonly id: number;
  /** One object as long as it is open. */
  readonly replica: object;
  readonly log: PartitionLog;
  readonly highWatermark: Offset;
  readonly isLeader: boolean;
  readonly leaderEpoch: number;
}

/** By the newest image there is: whoever has just been elected may not have replayed yet what is committed. */
export function placesOf(world: SimWorld, topic: string): readonly PartitionPlace[] {
  return world.furthest()?.partitionsOf(topic) ?? [];
}

export function openReplicas(
  world: SimWorld,
  { topic, partition, replicas }: PartitionPlace,
): readonly OpenReplica[] {
  const open: OpenReplica[] = [];
  for (const { id, node } of world.hosts) {
    if (node === undefined || !replicas.includes(id)) continue;
    const replica = node.replicas?.partition(topic, partition as PartitionIndex);
    if (replica === undefined) continue;
    const { log, highWatermark, isLeader, leaderEpoch } = replica;
    open.push({ id, replica, log, highWatermark, isLeader, leaderEpoch });
  }
  return open;
}

/** What was seen of one partition. */
interface SeenPartition {
  readonly name: string;
  /** The highest high watermark of a leader. */
  committed: number;
  /** Who led, by leader epoch. */
  readonly leaders: Map<number, number>;
}

export class ReplicaChecks {
  readonly #world: SimWorld;
  readonly #history: Pick<RecordHistory, 'deletedBefore'>;
  readonly #partitions = new Map<string, SeenPartition[]>();
  /** The highest that each open replica was seen with. */
  readonly #highWatermarks = new WeakMap<object, number>();

  constructor(world: SimWorld, history: Pick<RecordHistory, 'deletedBefore'>) {
    this.#world = world;
    this.#history = history;
    world.onCommitted((topic, partition) => {
      if (topic !== RECORD_TOPIC && topic !== OFFSETS_TOPIC) return;
      const place = placesOf(world, topic)[partition];
      if (place !== undefined) this.#look(place);
    });
  }

  observe(): void {
    for (const topic of [RECORD_TOPIC, OFFSETS_TOPIC]) {
      for (const place of placesOf(this.#world, topic)) this.#look(place);
    }
  }

  /** What a replica that is not open holds is not known. */
  #look(place: PartitionPlace): void {
    const seen = this.#seen(place);
    const replicas = openReplicas(this.#world, place);
    let { committed } = seen;
    for (const { id, replica, highWatermark, isLeader, leaderEpoch } of replicas) {
      this.#knows(seen.name, id, replica, highWatermark);
      if (isLeader) this.#leads(seen, leaderEpoch, id);
      if (isLeader && leaderEpoch === place.leaderEpoch) committed = Math.max(committed, highWatermark);
    }
    seen.committed = committed;
    const deletedBefore = this.#history.deletedBefore(seen.name);
    for (const { id, log } of replicas) {
      const mayLead = place.isr.includes(id) || place.elr.includes(id);
      if (mayLead && log.durableLogStartOffset < deletedBefore) {
        this.#world.violations.report(
          'deleted-record-back',
          `${seen.name}: node ${id} may lead and begins at ${log.durableLogStartOffset} after a crash, and what is below ${deletedBefore} was said to be deleted`,
        );
      }
      if (!mayLead || log.flushedOffset >= committed) continue;
      this.#world.violations.report(
        log.isQuiet ? 'in-sync-behind' : 'high-watermark-cut',
        `${seen.name}: node ${id} may lead and has ${log.flushedOffset} of ${committed} on its disk`,
      );
    }
  }

  #seen({ topic, partition }: PartitionPlace): SeenPartition {
    let partitions = this.#partitions.get(topic);
    if (partitions === undefined) this.#partitions.set(topic, (partitions = []));
    return (partitions[partition] ??= { name: `${topic}-${partition}`, committed: 0, leaders: new Map() });
  }

  #knows(name: string, id: number, replica: object, highWatermark: number): void {
    const known = this.#highWatermarks.get(replica) ?? 0;
    this.#highWatermarks.set(replica, highWatermark);
    if (highWatermark >= known) return;
    const what = `${name}: the high watermark of node ${id} went back from ${known} to ${highWatermark}`;
    this.#world.violations.report('high-watermark-regressed', what);
  }

  #leads({ name, leaders }: SeenPartition, epoch: number, id: number): void {
    const known = leaders.get(epoch);
    if (known === undefined) leaders.set(epoch, id);
    if (known === undefined || known === id) return;
    this.#world.violations.report(
      'two-leaders-in-epoch',
      `${name} in ${epoch}: node ${known} led, and node ${id} does`,
    );
  }
}
