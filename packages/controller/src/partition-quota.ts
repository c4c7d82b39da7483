// How many partitions a request may still make: `max.partitions.per.request` and `max.cluster.partitions`. Counted down over
// the topics of one request, so that many small topics are held to the same limit as one large one (KIP-599's concern).

import { failure, type Failure } from '@tidemark/core';
import type { CommandContext } from './context.ts';

export class PartitionQuota {
  readonly #perRequest: number;
  readonly #ofCluster: number;
  readonly #existing: number;
  #taken = 0;

  constructor({ image, config }: CommandContext) {
    this.#perRequest = config.get('max.partitions.per.request');
    this.#ofCluster = config.get('max.cluster.partitions');
    this.#existing = image.partitionCount;
  }

  /** Which limit `count` more partitions would pass, if any. */
  wouldRefuse(count: number): Failure | undefined {
    const taken = this.#taken + count;
    if (taken > this.#perRequest) {
      return failure(
        'POLICY_VIOLATION',
        `One request may make ${this.#perRequest} partitions (max.partitions.per.request), and with this topic it would make ${taken}.`,
      );
    }
    if (this.#existing + taken > this.#ofCluster) {
      return failure(
        'POLICY_VIOLATION',
        `The cluster may have ${this.#ofCluster} partitions (max.cluster.partitions); it has ${this.#existing} and would have ${this.#existing + taken}.`,
      );
    }
    return undefined;
  }

  /** Counts partitions that `wouldRefuse` let pass. */
  take(count: number): void {
    this.#taken += count;
  }
}
