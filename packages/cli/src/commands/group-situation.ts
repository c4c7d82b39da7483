// What is known of a group at one moment: its members, where it is in every partition, where those end. Its state comes first and the ends
// last, so that a lag is never below what it was.
import type { Admin, CommittedOffset, GroupInfo, TopicPartition } from '@tidemark/client';
import { TidemarkError } from '@tidemark/core';
import { nameOf, partitionRanges, type PartitionEnds } from './partition-selection.ts';

export interface GroupPartitionRow extends TopicPartition {
  /** -1: nothing is committed. */
  readonly committedOffset: number;
  readonly startOffset: number;
  /** -1: not known, the partition has no leader or is gone. */
  readonly endOffset: number;
  /** Records behind; what was never committed counts from the start. -1: not known. */
  readonly lag: number;
  readonly metadata: string;
  /** Who has it; empty: nobody. */
  readonly memberId: string;
  readonly clientId: string;
  readonly clientHost: string;
}

export interface GroupSituation extends GroupInfo {
  /** Of the partitions whose lag is known. */
  readonly totalLag: number;
  readonly partitions: readonly GroupPartitionRow[];
}

export async function groupSituation(admin: Admin, groupId: string): Promise<GroupSituation> {
  const group = await admin.describeGroup(groupId);
  const committed = await admin.groupOffsets(groupId);
  const rows = groupRows(group, committed, await rangesOrNone(admin, group, committed));
  const totalLag = rows.reduce((sum, { lag }) => sum + Math.max(0, lag), 0);
  return { ...group, totalLag, partitions: rows };
}

/** A partition that is being led anew must not hide the rest of the group. */
async function rangesOrNone(
  admin: Admin,
  group: GroupInfo,
  committed: readonly CommittedOffset[],
): Promise<ReadonlyMap<string, PartitionEnds>> {
  try {
    return await partitionRanges(admin, placesOf(group, committed));
  } catch (error) {
    if (error instanceof TidemarkError && error.retriable) return new Map();
    throw error;
  }
}

function placesOf({ members }: GroupInfo, committed: readonly CommittedOffset[]): readonly TopicPartition[] {
  const places = new Map<string, TopicPartition>();
  for (const each of [...committed, ...members.flatMap(({ partitions }) => partitions)]) {
    places.set(nameOf(each), { topic: each.topic, partition: each.partition });
  }
  return [...places.values()].sort((one, other) =>
    one.topic === other.topic ? one.partition - other.partition : one.topic < other.topic ? -1 : 1,
  );
}

/** Of everything that is committed or assigned. Pure. */
export function groupRows(
  group: GroupInfo,
  committed: readonly CommittedOffset[],
  ranges: ReadonlyMap<string, PartitionEnds>,
): readonly GroupPartitionRow[] {
  const offsets = new Map(committed.map((each) => [nameOf(each), each]));
  const owners = new Map(
    group.members.flatMap((member) => member.partitions.map((each) => [nameOf(each), member] as const)),
  );
  return placesOf(group, committed).map(({ topic, partition }) => {
    const name = nameOf({ topic, partition });
    const offset = offsets.get(name);
    const range = ranges.get(name);
    const owner = owners.get(name);
    const from = Math.max(offset?.offset ?? 0, range?.startOffset ?? 0);
    return {
      topic,
      partition,
      committedOffset: offset?.offset ?? -1,
      startOffset: range?.startOffset ?? -1,
      endOffset: range?.endOffset ?? -1,
      lag: range === undefined ? -1 : Math.max(0, range.endOffset - from),
      metadata: offset?.metadata ?? '',
      memberId: owner?.memberId ?? '',
      clientId: owner?.clientId ?? '',
      clientHost: owner?.clientHost ?? '',
    };
  });
}
