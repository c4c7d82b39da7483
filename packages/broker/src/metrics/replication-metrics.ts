// The stages of a produce and the changes of in-sync replicas, as the replica manager tells them: once a request and partition.

import type { BrokerId } from '@tidemark/core';
import type { IsrChange, ProduceStage, ReplicaObserver } from '@tidemark/runtime';
import type { Exposition } from './exposition.ts';
import { LatencyHistogram } from './latency-histogram.ts';

export class ReplicationMetrics implements ReplicaObserver {
  readonly #stages: Readonly<Record<ProduceStage, LatencyHistogram>> = {
    append: new LatencyHistogram(),
    replicate: new LatencyHistogram(),
    high_watermark: new LatencyHistogram(),
  };
  readonly #followed = new LatencyHistogram();
  #followedBytes = 0;
  readonly #changes: Record<IsrChange, number> = { shrunk: 0, expanded: 0 };

  staged(stage: ProduceStage, durationMs: number): void {
    this.#stages[stage].observe(durationMs);
  }

  isrChanged(change: IsrChange): void {
    this.#changes[change] += 1;
  }

  followed(_partition: string, _leader: BrokerId, bytes: number, durationMs: number): void {
    this.#followed.observe(durationMs);
    this.#followedBytes += bytes;
  }

  write(page: Exposition): void {
    const stage = 'tidemark_produce_stage_latency_seconds';
    page.family(
      stage,
      'histogram',
      'Stages of a produce to one partition: append (until written here), replicate (from then until committed), high_watermark (both).',
      Object.entries(this.#stages).flatMap(([name, of]) => of.rows(stage, `stage="${name}"`)),
    );
    const follow = 'tidemark_follower_append_latency_seconds';
    page.family(
      follow,
      'histogram',
      'Time to write here what a leader sent of one partition.',
      this.#followed.rows(follow, ''),
    );
    const counter = (name: string, help: string, value: number): void =>
      page.family(name, 'counter', help, [`${name} ${value}`]);
    const { shrunk, expanded } = this.#changes;
    counter(
      'tidemark_replicated_bytes_total',
      'Bytes of batches written here as a follower.',
      this.#followedBytes,
    );
    counter('tidemark_isr_shrinks_total', 'Times a partition led here lost an in-sync replica.', shrunk);
    counter('tidemark_isr_expands_total', 'Times a partition led here gained an in-sync replica.', expanded);
  }
}
