// `userData` of the sticky assignor, StickyAssignorUserData v1 of Kafka: what the member had, and in which generation. v0 has no generation.

import { MalformedRecord } from '@tidemark/core';
import { readPartitions, writePartitions } from '../consumer-protocol.ts';
import type { TopicPartition } from '../group-request.ts';
import { KafkaReader, KafkaWriter } from '../kafka-fields.ts';

export interface StickyUserData {
  readonly ownedPartitions: readonly TopicPartition[];
  readonly generation: number;
}

export function encodeStickyUserData({ ownedPartitions, generation }: StickyUserData): Uint8Array {
  const writer = new KafkaWriter();
  writePartitions(writer, ownedPartitions);
  writer.int32(generation);
  return writer.finish();
}

/** Undefined for what is not such data: other assignors put theirs in the same place, and nothing is lost without it but stickiness. */
export function decodeStickyUserData(bytes: Uint8Array | undefined): StickyUserData | undefined {
  if (bytes === undefined) return undefined;
  try {
    const reader = new KafkaReader(bytes);
    const ownedPartitions = readPartitions(reader);
    const generation = reader.left === 0 ? -1 : reader.int32();
    return reader.left === 0 ? { ownedPartitions, generation } : undefined;
  } catch (error) {
    if (error instanceof MalformedRecord) return undefined;
    throw error;
  }
}
