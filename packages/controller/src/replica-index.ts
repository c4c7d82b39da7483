// Which broker holds what: counts per broker and the topics to look into, kept up to date by the image builder, so that fencing
// a broker or answering whether it still leads anything does not walk every partition of the cluster. Derived from the topics
// alone; an image that was not built by replay derives it when it is first asked.

import type { BrokerId, TopicId } from '@tidemark/core';
import type { PartitionImage } from './metadata-image.ts';
import { NO_LEADER } from './metadata-record.ts';
import { PersistentMap } from './persistent-map.ts';

/** Topics with how many of their partitions are meant. */
export type TopicCounts = PersistentMap<TopicId, number>;

/** Counts of partitions. */
export interface Holdings {
  readonly replicas: number;
  readonly leads: number;
  readonly inSync: number;
  readonly eligible: number;
  /** Without a leader, and it could lead them if it was active. */
  readonly couldLead: number;
  /** Prefer it as leader. */
  readonly prefers: number;
  /** Prefer it and have another leader or none. */
  readonly prefersInVain: number;
  /** Where it has a replica. */
  readonly topics: TopicCounts;
}

export interface ReplicaIndex {
  readonly brokers: ReadonlyMap<BrokerId, Holdings>;
  readonly leaderless: TopicCounts;
  readonly withElr: TopicCounts;
  readonly reassigning: TopicCounts;
}

const NO_TOPICS: TopicCounts = PersistentMap.empty();

export const NO_HOLDINGS: Holdings = {
  replicas: 0,
  leads: 0,
  inSync: 0,
  eligible: 0,
  couldLead: 0,
  prefers: 0,
  prefersInVain: 0,
  topics: NO_TOPICS,
};

export const EMPTY_INDEX: ReplicaIndex = {
  brokers: new Map(),
  leaderless: NO_TOPICS,
  withElr: NO_TOPICS,
  reassigning: NO_TOPICS,
};

/** The replicas an election without loss may choose from, active or not (KIP-966): see `electLeader`. */
export function leaderCandidates({ isr, elr, lastKnownElr }: PartitionImage): readonly BrokerId[] {
  if (isr.length === 0 && elr.length === 0) return lastKnownElr;
  return elr.length === 0 ? isr : [...isr, ...elr];
}

export function isReassigning({ addingReplicas, removingReplicas }: PartitionImage): boolean {
  return addingReplicas.length > 0 || removingReplicas.length > 0;
}

type Counts = { -readonly [K in keyof Omit<Holdings, 'topics'>]: number };

interface Draft {
  readonly counts: Counts;
  topics: TopicCounts;
  /** How many more replicas it has in the topic at hand. */
  inTopic: number;
}

type TopicList = 'leaderless' | 'withElr' | 'reassigning';

/** Collects the changes of many topics. */
export class IndexUpdate {
  readonly #base: ReplicaIndex;
  readonly #brokers = new Map<BrokerId, Draft>();
  readonly #lists: Record<TopicList, TopicCounts>;

  constructor(base: ReplicaIndex) {
    this.#base = base;
    const { leaderless, withElr, reassigning } = base;
    this.#lists = { leaderless, withElr, reassigning };
  }

  /** Partitions of `topic` as they were and as they are; those that both have at one index as one object are skipped. */
  topic(id: TopicId, before: readonly PartitionImage[], after: readonly PartitionImage[]): void {
    const inLists: Record<TopicList, number> = { leaderless: 0, withElr: 0, reassigning: 0 };
    for (let at = 0; at < Math.max(before.length, after.length); at++) {
      const old = before[at];
      const now = after[at];
      if (old === now) continue;
      if (old !== undefined) this.#count(old, -1, inLists);
      if (now !== undefined) this.#count(now, 1, inLists);
    }
    for (const draft of this.#brokers.values()) {
      draft.topics = counted(draft.topics, id, draft.inTopic);
      draft.inTopic = 0;
    }
    for (const list of Object.keys(inLists) as TopicList[]) {
      this.#lists[list] = counted(this.#lists[list], id, inLists[list]);
    }
  }

  build(): ReplicaIndex {
    const brokers = new Map(this.#base.brokers);
    for (const [id, { counts, topics }] of this.#brokers) {
      if (counts.replicas === 0) brokers.delete(id);
      else brokers.set(id, { ...counts, topics });
    }
    return { brokers, ...this.#lists };
  }

  #count(partition: PartitionImage, sign: 1 | -1, inLists: Record<TopicList, number>): void {
    const { replicas, isr, elr, leader } = partition;
    for (const id of replicas) {
      const draft = this.#draft(id);
      draft.counts.replicas += sign;
      draft.inTopic += sign;
    }
    for (const id of isr) this.#draft(id).counts.inSync += sign;
    for (const id of elr) this.#draft(id).counts.eligible += sign;
    if (leader === NO_LEADER) {
      inLists.leaderless += sign;
      for (const id of leaderCandidates(partition)) this.#draft(id).counts.couldLead += sign;
    } else {
      this.#draft(leader).counts.leads += sign;
    }
    const preferred = this.#draft(replicas[0]!).counts;
    preferred.prefers += sign;
    if (replicas[0] !== leader) preferred.prefersInVain += sign;
    if (elr.length > 0) inLists.withElr += sign;
    if (isReassigning(partition)) inLists.reassigning += sign;
  }

  #draft(id: BrokerId): Draft {
    let draft = this.#brokers.get(id);
    if (draft === undefined) {
      const { topics, ...counts } = this.#base.brokers.get(id) ?? NO_HOLDINGS;
      draft = { counts, topics, inTopic: 0 };
      this.#brokers.set(id, draft);
    }
    return draft;
  }
}

function counted(topics: TopicCounts, id: TopicId, change: number): TopicCounts {
  if (change === 0) return topics;
  const count = (topics.get(id) ?? 0) + change;
  return count === 0 ? topics.delete(id) : topics.set(id, count);
}
