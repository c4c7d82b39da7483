// `tidemark partition ...`: which partitions are not as they should be, why, and an election by hand.
import { explainPartition, type PartitionExplanation } from '@tidemark/client';
import { TidemarkError } from '@tidemark/core';
import { withAdmin } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { exitCodes, usageFailure } from '../exit.ts';
import { renderDocument, renderList } from '../output/report.ts';
import { lookTimeoutMs } from './cluster.ts';
import { confirm } from './confirmation.ts';
import { noSuchPartition } from './partition-selection.ts';
import { explanationView, partitionColumns } from './partition-view.ts';

interface ListOptions {
  readonly underReplicated?: boolean;
  readonly offline?: boolean;
  readonly underMinIsr?: boolean;
  readonly atMinIsr?: boolean;
  readonly topic?: string;
}

/** `TOPIC:PARTITION`. */
export function parsePartitionName(text: string): { readonly topic: string; readonly partition: number } {
  const match = /^([a-zA-Z0-9._-]{1,249}):(\d{1,9})$/.exec(text);
  if (match === null) throw usageFailure(`"${text}" is not of the form TOPIC:PARTITION`, 'e.g. orders:0');
  return { topic: match[1]!, partition: Number(match[2]) };
}

/** Several filters: whatever one of them takes. As with `cluster health`, 3 when a filter finds something. */
export async function listPartitions(
  context: CommandContext,
  _: readonly string[],
  options: ListOptions,
): Promise<number | undefined> {
  const timeoutMs = lookTimeoutMs(context.cluster);
  const situations = await withAdmin(context.cluster, (admin) =>
    admin.describePartitions(options.topic === undefined ? [] : [options.topic], { timeoutMs }),
  );
  const filters: ((row: PartitionExplanation) => boolean)[] = [
    ...(options.underReplicated === true ? [(row: PartitionExplanation) => row.underReplicated] : []),
    ...(options.offline === true ? [(row: PartitionExplanation) => row.leaderId < 0] : []),
    ...(options.underMinIsr === true
      ? [(row: PartitionExplanation) => row.inSyncReplicas.length < row.minInsyncReplicas]
      : []),
    ...(options.atMinIsr === true
      ? [(row: PartitionExplanation) => row.inSyncReplicas.length === row.minInsyncReplicas]
      : []),
  ];
  const rows = situations
    .map(explainPartition)
    .filter((row) => filters.length === 0 || filters.some((takes) => takes(row)));
  await write(context.io.stdout, renderList(context.output ?? 'table', rows, partitionColumns));
  return filters.length > 0 && rows.length > 0 ? exitCodes.unhealthy : undefined;
}

export async function explain(context: CommandContext, [name]: readonly string[]): Promise<undefined> {
  const { topic, partition } = parsePartitionName(name!);
  const timeoutMs = lookTimeoutMs(context.cluster);
  const situations = await withAdmin(context.cluster, (admin) =>
    admin.describePartitions([topic], { timeoutMs }),
  );
  const situation = situations.find((each) => each.partition === partition);
  if (situation === undefined) throw noSuchPartition(topic, partition, situations.length);
  const explanation = explainPartition(situation);
  await write(
    context.io.stdout,
    renderDocument(context.output ?? 'table', explanation, (wide) => explanationView(explanation, wide)),
  );
  return undefined;
}

interface ElectOptions {
  readonly unclean?: boolean;
  readonly yes?: boolean;
}

/** Before an unclean election it is said what would be lost, and the user is asked. */
export async function electLeader(
  context: CommandContext,
  [name]: readonly string[],
  options: ElectOptions,
): Promise<undefined> {
  const { topic, partition } = parsePartitionName(name!);
  const isUnclean = options.unclean === true;
  const timeoutMs = lookTimeoutMs(context.cluster);
  const leaderId = await withAdmin(context.cluster, async (admin) => {
    if (isUnclean && options.yes !== true) {
      const situations = await admin.describePartitions([topic], { timeoutMs });
      const situation = situations.find((each) => each.partition === partition);
      if (situation === undefined) throw noSuchPartition(topic, partition, situations.length);
      const chosen = explainPartition(situation).candidates.find(({ available }) => available);
      const loss = chosen === undefined ? '' : ` Broker ${chosen.brokerId} ${chosen.loss.text}.`;
      await confirm(context, `Elect a leader of ${name!} although none is in sync?${loss}`);
    }
    const [outcome] = await admin.electLeaders(isUnclean ? 'unclean' : 'preferred', [{ topic, partition }]);
    if (outcome === undefined) throw new TidemarkError('UNKNOWN_SERVER_ERROR', 'the answer is empty');
    if (outcome.error !== undefined && outcome.error.error !== 'ELECTION_NOT_NEEDED') throw outcome.error;
    const found = await admin.describeTopic(topic);
    return found.partitions.find((each) => each.partition === partition)?.leaderId ?? -1;
  });
  const document = { topic, partition, leaderId };
  await write(
    context.io.stdout,
    renderDocument(context.output ?? 'table', document, () => [
      `${name!} is led by ${leaderId < 0 ? 'nobody yet' : `broker ${leaderId}`}\n`,
    ]),
  );
  return undefined;
}
