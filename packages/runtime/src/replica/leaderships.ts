// Tells who builds on a partition that this broker leads, such as a group coordinator, when a leadership begins and ends. Contract:
// each that begins ends exactly once, before the next of the same partition begins; both are told inside the change of the role.

import type { Partition } from '../partition.ts';
import type { LeadingReplica } from './leading-replica.ts';

export interface LeadershipListener {
  began(partition: Partition, leading: LeadingReplica): void;
  /** Nothing can be appended in it any more. */
  ended(partition: Partition, leading: LeadingReplica): void;
}

export class Leaderships implements LeadershipListener {
  readonly #listeners = new Set<LeadershipListener>();

  /** From now on; answers how to stop. */
  follow(listener: LeadershipListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  began(partition: Partition, leading: LeadingReplica): void {
    for (const listener of this.#listeners) listener.began(partition, leading);
  }

  ended(partition: Partition, leading: LeadingReplica): void {
    for (const listener of this.#listeners) listener.ended(partition, leading);
  }
}
