// What a group reads at the moment, for a leader that came back as a static member and is told that the assignment stands (KIP-814): it did
// not see what the assignment was made for, and partitions that came while it was away are in nobody's.
import { TidemarkError } from '@tidemark/core';
import { decodeAssignment } from '@tidemark/group';
import { errorFromDetail, groupService } from '@tidemark/rpc';
import { nameOf } from './assignment.ts';
import type { CoordinatorCalls, CoordinatorCallOptions } from './coordinator-calls.ts';

/** Partitions by topic that somebody has; undefined: it is not told or cannot be read, or the group is in another generation by now. */
export async function standingAssignment(
  calls: CoordinatorCalls,
  groupId: string,
  generation: number,
  options: CoordinatorCallOptions,
): Promise<ReadonlyMap<string, number> | undefined> {
  const group = await calls.call(
    {
      ...groupService.DescribeGroups,
      responseDeserialize: (bytes: Buffer) => {
        const [only] = groupService.DescribeGroups.responseDeserialize(bytes).groups;
        if (only === undefined) throw new TidemarkError('UNKNOWN_SERVER_ERROR', 'the answer is empty');
        return only;
      },
    },
    () => ({ groupIds: [groupId] }),
    options,
  );
  if (errorFromDetail(group.error) !== undefined || group.generationId !== generation) return undefined;
  const counts = new Map<string, number>();
  const seen = new Set<string>();
  for (const { assignment } of group.members) {
    const decoded = decodeAssignment(assignment);
    if (!decoded.ok) return undefined;
    for (const place of decoded.assignment.partitions) {
      if (seen.has(nameOf(place))) continue;
      seen.add(nameOf(place));
      counts.set(place.topic, (counts.get(place.topic) ?? 0) + 1);
    }
  }
  return counts;
}
