// What became of one partition of those a request was about.

import type { TidemarkError } from '@tidemark/core';
import { errorFromDetail } from '@tidemark/rpc';
import type { TopicPartition } from './leader-calls.ts';

export interface PartitionOutcome extends TopicPartition {
  readonly error?: TidemarkError | undefined;
}

export function partitionOutcome(result: {
  readonly topic: string;
  readonly partition: number;
  readonly error: Parameters<typeof errorFromDetail>[0];
}): PartitionOutcome {
  return { topic: result.topic, partition: result.partition, error: errorFromDetail(result.error) };
}
