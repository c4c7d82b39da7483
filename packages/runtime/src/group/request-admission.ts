// Whether a coordinator takes one more request: how many may wait, what they carry, how much may be uncommitted, and what the log takes
// in one batch. Contract: a refusal says what there is too much of; nothing has happened then, and the client may ask again.

import { failure, type Failure } from '@tidemark/core';
import type { GroupRequest } from '@tidemark/group';
import type { Partition } from '../partition.ts';
import type { CoordinatorLimits } from './coordinator-limits.ts';

/** A request without the number it waits under. */
export type Unnumbered<R> = R extends GroupRequest ? Omit<R, 'requestId'> : never;

/** What there is already. */
export interface CoordinatorLoad {
  readonly waitingRequests: number;
  readonly waitingBytes: number;
  readonly uncommittedBytes: number;
}

/** Of an offset in the log besides its texts, with the frame of its record. */
const OFFSET_RECORD_BYTES = 64;

export function overload(
  request: Unnumbered<GroupRequest>,
  load: CoordinatorLoad,
  limits: CoordinatorLimits,
  partition: Pick<Partition, 'topic' | 'index' | 'settings'>,
): Failure | undefined {
  // Heartbeats are answered at once and write nothing, and without them every group here would fall apart.
  if (request.type === 'heartbeat') return undefined;
  if (load.waitingRequests >= limits.maxWaitingRequests) {
    return tooMuch(`${load.waitingRequests} requests wait at the coordinator already`);
  }
  if (load.waitingBytes > 0 && load.waitingBytes + payloadBytes(request) > limits.maxWaitingBytes) {
    return tooMuch(`requests of ${load.waitingBytes} bytes wait at the coordinator already`);
  }
  const { topic, index } = partition;
  if (load.uncommittedBytes >= limits.maxUncommittedBytes) {
    return tooMuch(`${load.uncommittedBytes} bytes wait to be committed in ${topic}-${index} already`);
  }
  if (request.type !== 'commitOffsets') return undefined;
  const { maxBatchBytes } = partition.settings;
  let sizeBytes = 0;
  for (const offset of request.offsets) {
    sizeBytes += request.groupId.length + offset.topic.length + offset.metadata.length + OFFSET_RECORD_BYTES;
  }
  if (sizeBytes <= maxBatchBytes) return undefined;
  const message = `${request.offsets.length} offsets of this group are some ${sizeBytes} bytes, and ${topic} takes ${maxBatchBytes} at once: commit fewer`;
  return failure('INVALID_REQUEST', message);
}

/** What a request makes the coordinator keep while it waits, besides its names. */
export function payloadBytes(request: Unnumbered<GroupRequest>): number {
  let bytes = 0;
  if (request.type === 'join') for (const { metadata } of request.protocols) bytes += metadata.length;
  else if (request.type === 'sync') for (const each of request.assignments.values()) bytes += each.length;
  return bytes;
}

function tooMuch(what: string): Failure {
  return failure('COORDINATOR_LOAD_IN_PROGRESS', `${what}: try again a little later`);
}
