// The edge check of every request that names partitions: names, ids, indexes, numbers beyond 2^53 - 1 and partitions named
// twice are refused here, each with an error of its own, so that the inside sees only branded values it can trust.

import {
  failure,
  type Failure,
  isFailure,
  isTopicId,
  isTopicName,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
  type TopicId,
  type TopicName,
} from '@tidemark/core';

/** A partition as a request names it: by topic name, by topic id, or by both, which then must agree. */
export interface PartitionAddress {
  readonly topic: TopicName | undefined;
  readonly topicId: TopicId | undefined;
  readonly partition: PartitionIndex;
}

/** The naming fields that every partition message carries. */
export interface WirePartition {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
}

export type Checked<T> = { readonly ok: true; readonly value: T } | Failure;

export function checkTopicName(text: string): TopicName | Failure {
  if (isTopicName(text)) return text;
  const shown = JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}...` : text);
  return failure(
    'INVALID_TOPIC_EXCEPTION',
    `${shown} is not a topic name: use 1 to 249 of a-z A-Z 0-9 . _ - and neither "." nor ".."`,
  );
}

export function checkTopicId(text: string): TopicId | Failure {
  if (isTopicId(text)) return text;
  return failure('INVALID_REQUEST', 'a topic id is 22 characters of base64url, as CreateTopics answered it');
}

export function checkAddress(wire: WirePartition): PartitionAddress | Failure {
  if (wire.topic === '' && wire.topicId === '') {
    return failure('INVALID_REQUEST', 'the partition names neither a topic nor a topic id');
  }
  const topic = wire.topic === '' ? undefined : checkTopicName(wire.topic);
  if (typeof topic === 'object') return topic;
  const topicId = wire.topicId === '' ? undefined : checkTopicId(wire.topicId);
  if (typeof topicId === 'object') return topicId;
  if (wire.partition < 0) {
    return failure(
      'INVALID_REQUEST',
      `partition ${wire.partition} is negative; partitions are numbered from 0`,
    );
  }
  return { topic, topicId, partition: wire.partition as PartitionIndex };
}

/** An int64 from the wire that must be an offset. */
export function checkOffset(value: number, field: string): Offset | Failure {
  if (Number.isSafeInteger(value) && value >= 0) return value as Offset;
  return failure(
    'INVALID_REQUEST',
    `${field} is ${value < 0 ? value : 'beyond 2^53 - 1'}; an offset is 0 to 2^53 - 1`,
  );
}

/** An optional leader epoch: absent and -1 both mean "not checked". */
export function checkEpoch(value: number | undefined, field: string): LeaderEpoch | undefined | Failure {
  if (value === undefined || value === -1) return undefined;
  if (value >= 0) return value as LeaderEpoch;
  return failure('INVALID_REQUEST', `${field} is ${value}; an epoch is 0 or more`);
}

/**
 * Checks every partition of a request, hands the good ones to `run` in one call, and answers all of them in the order they were
 * asked. `run` is called before the first `await`, and answers in the order of what it was given. A partition that comes twice
 * is refused each time: which of the two was meant nobody can say.
 */
export async function answerPartitions<Wire extends WirePartition, Domain, Result, Answer>(
  wires: readonly Wire[],
  check: (wire: Wire, address: PartitionAddress) => Domain | Failure,
  run: (accepted: readonly Domain[]) => Promise<readonly Result[]> | readonly Result[],
  answer: (wire: Wire, result: Result | Failure) => Answer,
): Promise<Answer[]> {
  const counts = new Map<string, number>();
  if (wires.length > 1) {
    for (const wire of wires) {
      const key = `${wire.topicId === '' ? wire.topic : wire.topicId}/${wire.partition}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const accepted: Domain[] = [];
  const outcomes: (Failure | undefined)[] = [];
  for (const wire of wires) {
    const outcome = checkOne(wire, counts, check);
    if (isFailure(outcome)) outcomes.push(outcome);
    else {
      outcomes.push(undefined);
      accepted.push(outcome.value);
    }
  }
  const results = accepted.length === 0 ? [] : await run(accepted);
  let next = 0;
  return wires.map((wire, at) => answer(wire, outcomes[at] ?? results[next++]!));
}

function checkOne<Wire extends WirePartition, Domain>(
  wire: Wire,
  counts: ReadonlyMap<string, number>,
  check: (wire: Wire, address: PartitionAddress) => Domain | Failure,
): Checked<Domain> {
  const address = checkAddress(wire);
  if ('ok' in address) return address;
  const key = `${wire.topicId === '' ? wire.topic : wire.topicId}/${wire.partition}`;
  if ((counts.get(key) ?? 1) > 1) {
    return failure(
      'INVALID_REQUEST',
      `partition ${wire.partition} of ${wire.topic || wire.topicId} comes twice`,
    );
  }
  const value = check(wire, address);
  return isFailure(value) ? value : { ok: true, value };
}
