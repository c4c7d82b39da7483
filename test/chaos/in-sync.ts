// When every replica of some topics is in sync, and when all they hold is committed.
import type { Admin } from '@tidemark/client';
import { eventually } from '../integration/cluster.ts';

/** How many partitions are without `replicationFactor` replicas in sync. */
export async function notInSync(
  admin: Admin,
  topics: readonly string[],
  replicationFactor: number,
): Promise<number> {
  const described = await admin.describeTopics(topics);
  const isWhole = ({ inSyncReplicas }: { readonly inSyncReplicas: readonly number[] }): boolean =>
    inSyncReplicas.length === replicationFactor;
  return described.reduce((sum, { error, partitions }) => {
    if (error !== undefined) throw error;
    return sum + partitions.filter((partition) => !isWhole(partition)).length;
  }, 0);
}

export async function fullIsr(
  admin: Admin,
  topics: readonly string[],
  replicationFactor: number,
  withinMs: number,
): Promise<void> {
  await eventually('every replica in sync', withinMs, async () =>
    (await notInSync(admin, topics, replicationFactor)) === 0 ? true : undefined,
  );
}

/** What is acknowledged with acks=1 is committed, and can be read, some time after. Nobody writes any more. */
export async function committedToTheEnd(
  admin: Admin,
  topics: readonly string[],
  partitions: number,
  withinMs: number,
): Promise<void> {
  await eventually('everything committed', withinMs, async () => {
    const { replicas } = await admin.describeReplicas(topics);
    const leaders = replicas.filter(({ isLeader }) => isLeader);
    const isCommitted = leaders.every(({ highWatermark, logEndOffset }) => highWatermark === logEndOffset);
    return isCommitted && leaders.length === topics.length * partitions ? true : undefined;
  });
}
