// A partition as a key of the offsets of a group. Topic names have no `:`, but what was committed may be any string: the index comes first.

import type { PartitionIndex } from '@tidemark/core';
import type { TopicPartition } from './group-request.ts';

export function offsetKey({ topic, partition }: TopicPartition): string {
  return `${partition}:${topic}`;
}

export function parseOffsetKey(key: string): TopicPartition {
  const colon = key.indexOf(':');
  return { topic: key.slice(colon + 1), partition: Number(key.slice(0, colon)) as PartitionIndex };
}
