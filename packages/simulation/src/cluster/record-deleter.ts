// Somebody who deletes records of one partition in a simulated cluster, as far as its consumer has read them and its producers know. What is answered is held
// against what those have who may lead next (`deleted-record-back`).

import { type Offset, type PartitionIndex, type TopicId, type TopicName } from '@tidemark/core';
import { type SimPrng } from '../sim-prng.ts';
import { leaderOf, type ClientLink, type RecordConsumer } from './record-client.ts';
import { type RecordHistory } from './record-history.ts';
import { type SimWorld } from './sim-world.ts';

export interface DeleterOptions {
  readonly topic: string;
  readonly partition: number;
  readonly link: ClientLink;
  /** Of the same partition. */
  readonly consumer: RecordConsumer;
}

export class RecordDeleter {
  readonly #world: SimWorld;
  readonly #history: RecordHistory;
  readonly #options: DeleterOptions;
  readonly #prng: SimPrng;
  #isBusy = false;

  constructor(world: SimWorld, history: RecordHistory, options: DeleterOptions, prng: SimPrng) {
    this.#world = world;
    this.#history = history;
    this.#options = options;
    this.#prng = prng;
  }

  /** Unless the last deletion is not answered yet, and may still be. */
  delete(): void {
    const { topic, partition, link, consumer } = this.#options;
    if (this.#isBusy) return;
    const found = leaderOf(this.#world, topic, partition, this.#prng);
    const { node, isPaused } = found?.host ?? {};
    const replicas = node?.replicas;
    if (found === undefined || replicas === undefined || isPaused === true) return;
    const { host, place } = found;
    const name = `${topic}-${partition}`;
    const before = this.#history.settledBefore(name, this.#prng.below(consumer.position + 1));
    const address = {
      topic: topic as TopicName,
      topicId: place.topicId as TopicId,
      partition: partition as PartitionIndex,
    };
    this.#history.deleting(name, before);
    this.#isBusy = true;
    const giveUp = this.#world.clock.after(2 * link.timeoutMs, () => {
      this.#isBusy = false;
    });
    const deletion = { address, beforeOffset: before as Offset };
    void replicas.deleteRecords([deletion], link.timeoutMs).then(([outcome]) => {
      // What a node answers after its end was not answered.
      if (host.node !== node) return;
      giveUp.cancel();
      this.#isBusy = false;
      if (outcome?.failure === undefined) this.#history.deleted(name, before);
    });
  }
}
