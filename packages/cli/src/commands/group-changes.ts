// What became of a group from one look to the next: what a person who watches would want to be told, and how fast it reads. Pure.
import type { TopicPartition } from '@tidemark/client';
import type { GroupSituation } from './group-situation.ts';
import { explainGroup, memberName, partitionRanges } from './group-view.ts';

export interface GroupChange {
  readonly type:
    | 'state'
    | 'generation'
    | 'coordinator'
    | 'member-joined'
    | 'member-left'
    | 'rebalance'
    | 'partitions-moved'
    | 'offset-went-back'
    | 'no-answer'
    | 'answers-again';
  readonly text: string;
}

/** Records a second, between two looks. */
export interface GroupRates {
  /** By which the committed offsets have moved. */
  readonly readPerSecond: number;
  /** By which the ends have moved. */
  readonly writtenPerSecond: number;
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}:${partition}`;

/** In the order a person tells it: why, who, what came of it. */
export function groupChanges(before: GroupSituation, after: GroupSituation): readonly GroupChange[] {
  return [
    ...rebalances(before, after),
    ...fields(before, after),
    ...members(before, after),
    ...moves(before, after),
    ...steps(before, after),
  ];
}

export function groupRates(before: GroupSituation, after: GroupSituation, elapsedMs: number): GroupRates {
  const old = new Map(before.partitions.map((row) => [keyOf(row), row]));
  let read = 0;
  let written = 0;
  for (const row of after.partitions) {
    const last = old.get(keyOf(row));
    if (last === undefined) continue;
    // The first commit of a partition says nothing about how fast it came to it.
    if (last.committedOffset >= 0) read += Math.max(0, row.committedOffset - last.committedOffset);
    if (last.endOffset >= 0) written += Math.max(0, row.endOffset - last.endOffset);
  }
  const perSecond = (count: number): number => Math.round((count * 10_000) / Math.max(1, elapsedMs)) / 10;
  return { readPerSecond: perSecond(read), writtenPerSecond: perSecond(written) };
}

function rebalances(before: GroupSituation, after: GroupSituation): GroupChange[] {
  // Another coordinator remembers none of those before it.
  const lastMs = before.rebalances.at(-1)?.timestampMs ?? before.stateTimestampMs;
  const countAt = ({ rebalances: all }: GroupSituation): number =>
    all.filter(({ timestampMs }) => timestampMs === lastMs).length;
  const known = Math.min(countAt(before), countAt(after));
  return explainGroup(withNamesOf(before, after))
    .rebalances.filter(({ timestampMs }) => timestampMs >= lastMs)
    .slice(known)
    .map(({ text }) => ({ type: 'rebalance', text: `rebalance: ${text}` }));
}

/** Who has left is in no list any more, and still is to be named. */
function withNamesOf(before: GroupSituation, after: GroupSituation): GroupSituation {
  const here = new Set(after.members.map(({ memberId }) => memberId));
  const gone = before.members.filter(({ memberId }) => !here.has(memberId));
  return { ...after, members: [...after.members, ...gone] };
}

function fields(before: GroupSituation, after: GroupSituation): GroupChange[] {
  const changes: GroupChange[] = [];
  if (before.coordinatorId !== after.coordinatorId) {
    const text = `coordinator: broker ${before.coordinatorId} -> ${after.coordinatorId} (${after.coordinator})`;
    changes.push({ type: 'coordinator', text });
  }
  if (before.state !== after.state) {
    changes.push({ type: 'state', text: `state: ${before.state} -> ${after.state}` });
  }
  if (before.generation !== after.generation) {
    const text = `generation: ${before.generation} -> ${after.generation}`;
    changes.push({ type: 'generation', text });
  }
  return changes;
}

function members(before: GroupSituation, after: GroupSituation): GroupChange[] {
  const old = new Set(before.members.map(({ memberId }) => memberId));
  const now = new Set(after.members.map(({ memberId }) => memberId));
  return [
    ...after.members
      .filter(({ memberId }) => !old.has(memberId))
      .map((one): GroupChange => ({ type: 'member-joined', text: `joined: ${memberName(one)}` })),
    ...before.members
      .filter(({ memberId }) => !now.has(memberId))
      .map((one): GroupChange => ({ type: 'member-left', text: `gone: ${memberName(one)}` })),
  ];
}

/** Who has what from whom: one line for each pair. */
function moves(before: GroupSituation, after: GroupSituation): GroupChange[] {
  const names = new Map([...before.members, ...after.members].map((one) => [one.memberId, memberName(one)]));
  const owners = new Map(before.partitions.map((row) => [keyOf(row), row.memberId]));
  const moved = new Map<string, TopicPartition[]>();
  const nameOf = (memberId: string): string =>
    memberId === '' ? 'nobody' : (names.get(memberId) ?? memberId);
  for (const { topic, partition, memberId } of after.partitions) {
    const from = owners.get(keyOf({ topic, partition })) ?? '';
    if (from === memberId) continue;
    const way = `${nameOf(from)} -> ${nameOf(memberId)}`;
    moved.set(way, [...(moved.get(way) ?? []), { topic, partition }]);
  }
  return [...moved].map(([way, partitions]) => ({
    type: 'partitions-moved',
    text: `${partitionRanges(partitions)}: ${way}`,
  }));
}

function steps(before: GroupSituation, after: GroupSituation): GroupChange[] {
  const old = new Map(before.partitions.map((row) => [keyOf(row), row.committedOffset]));
  return after.partitions
    .filter((row) => row.committedOffset < (old.get(keyOf(row)) ?? -1))
    .map(({ topic, partition, committedOffset }) => {
      const was = old.get(keyOf({ topic, partition }))!;
      const now = committedOffset < 0 ? 'none' : String(committedOffset);
      return { type: 'offset-went-back', text: `${topic} ${partition}: committed offset ${was} -> ${now}` };
    });
}
