// `tidemark topic ...`: each command is one admin call or a few, and one way to show what came of it. Of several topics each has its
// own outcome; all are shown, and the first error decides the exit code.
import type {
  Admin,
  ConfigItem,
  PartitionDescription,
  ReplicaInfo,
  TopicDescription,
} from '@tidemark/client';
import type { TidemarkError } from '@tidemark/core';
import { withAdmin } from '../cluster-access.ts';
import { parseAssignment, parseAssignments, write, type CommandContext } from '../command-context.ts';
import { usageFailure } from '../exit.ts';
import { formatBytes } from '../output/quantity.ts';
import { renderDocument, renderFields, renderList, renderTable, type Column } from '../output/report.ts';
import { confirm } from './confirmation.ts';

interface Outcome {
  readonly topic: string;
  readonly status: string;
  readonly error?: TidemarkError | undefined;
}

const outcomeColumns: readonly Column<Outcome>[] = [
  { header: 'topic', cell: (row) => row.topic },
  { header: 'status', cell: (row) => row.status },
];

/** A single failure is only thrown: its sentence says everything the row would. */
async function showOutcomes(context: CommandContext, outcomes: readonly Outcome[]): Promise<void> {
  const failed = outcomes.find(({ error }) => error !== undefined);
  if (outcomes.length > 1 || failed === undefined) {
    const shown = outcomes.map(({ error, ...outcome }) =>
      error === undefined
        ? outcome
        : { ...outcome, status: 'failed', error: error.error, message: error.message },
    );
    await write(
      context.io.stdout,
      renderList<Outcome>(context.output ?? 'table', shown as readonly Outcome[], outcomeColumns),
    );
  }
  if (failed?.error !== undefined) throw failed.error;
}

interface CreateOptions {
  readonly partitions?: number;
  readonly replicas?: number;
  readonly topicConfig?: readonly string[];
  readonly ifNotExists?: boolean;
  readonly dryRun?: boolean;
}

export async function createTopics(
  context: CommandContext,
  names: readonly string[],
  options: CreateOptions,
): Promise<undefined> {
  const configs = parseAssignments(options.topicConfig ?? []);
  const { partitions, replicas, dryRun = false } = options;
  const results = await withAdmin(context.cluster, (admin) =>
    admin.createTopics(
      names.map((name) => ({ name, partitions, replicationFactor: replicas, configs })),
      { validateOnly: dryRun },
    ),
  );
  await showOutcomes(
    context,
    results.map(({ name, topicId, partitionCount, replicationFactor, error }) => {
      if (error?.error === 'TOPIC_ALREADY_EXISTS' && options.ifNotExists === true) {
        return { topic: name, status: 'exists' };
      }
      if (error !== undefined) return { topic: name, status: 'failed', error };
      const status = dryRun ? 'would be created' : 'created';
      return { topic: name, status, topicId, partitions: partitionCount, replicationFactor };
    }),
  );
  return undefined;
}

interface TopicRow {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly topicId: string;
  readonly internal: boolean;
  readonly leaderless: number;
  readonly underReplicated: number;
}

function topicRow({ name, topicId, internal, partitions }: TopicDescription): TopicRow {
  return {
    name,
    partitions: partitions.length,
    replicationFactor: partitions[0]?.replicas.length ?? 0,
    topicId,
    internal,
    leaderless: partitions.filter(({ leaderId }) => leaderId < 0).length,
    underReplicated: partitions.filter(isUnderReplicated).length,
  };
}

function isUnderReplicated({ replicas, inSyncReplicas }: PartitionDescription): boolean {
  return inSyncReplicas.length < replicas.length;
}

const topicColumns: readonly Column<TopicRow>[] = [
  { header: 'name', cell: (row) => row.name },
  { header: 'partitions', cell: (row) => row.partitions, align: 'right' },
  { header: 'replicas', cell: (row) => row.replicationFactor, align: 'right' },
  { header: 'leaderless', cell: (row) => row.leaderless, align: 'right', wide: true },
  { header: 'under-replicated', cell: (row) => row.underReplicated, align: 'right', wide: true },
  { header: 'topic-id', cell: (row) => row.topicId, wide: true },
];

export async function listTopics(
  context: CommandContext,
  names: readonly string[],
  options: { readonly internal?: boolean },
): Promise<undefined> {
  const topics = await withAdmin(context.cluster, (admin) =>
    names.length === 0 ? admin.listTopics() : admin.describeTopics(names),
  );
  const missing = topics.find(({ error }) => error !== undefined);
  const rows = topics
    .filter(
      ({ error, internal }) =>
        error === undefined && (!internal || options.internal === true || names.length > 0),
    )
    .map(topicRow)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  await write(context.io.stdout, renderList(context.output ?? 'table', rows, topicColumns));
  if (missing?.error !== undefined) throw missing.error;
  return undefined;
}

interface PartitionRow extends PartitionDescription {
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  readonly sizeBytes: number;
  readonly segments: number;
}

/** -1 where the leader did not tell. */
function partitionRow(partition: PartitionDescription, leader: ReplicaInfo | undefined): PartitionRow {
  return {
    ...partition,
    logStartOffset: leader?.logStartOffset ?? -1,
    highWatermark: leader?.highWatermark ?? -1,
    logEndOffset: leader?.logEndOffset ?? -1,
    sizeBytes: leader?.sizeBytes ?? -1,
    segments: leader?.segmentCount ?? -1,
  };
}

const known = (value: number): string | number => (value < 0 ? '-' : value);

const partitionColumns: readonly Column<PartitionRow>[] = [
  { header: 'partition', cell: (row) => row.partition, align: 'right' },
  { header: 'leader', cell: (row) => (row.leaderId < 0 ? 'none' : row.leaderId), align: 'right' },
  { header: 'epoch', cell: (row) => row.leaderEpoch, align: 'right' },
  { header: 'replicas', cell: (row) => row.replicas.join(',') },
  { header: 'isr', cell: (row) => row.inSyncReplicas.join(',') },
  { header: 'start', cell: (row) => known(row.logStartOffset), align: 'right' },
  { header: 'high-watermark', cell: (row) => known(row.highWatermark), align: 'right' },
  { header: 'log-end', cell: (row) => known(row.logEndOffset), align: 'right', wide: true },
  { header: 'size', cell: (row) => (row.sizeBytes < 0 ? '-' : formatBytes(row.sizeBytes)), align: 'right' },
  { header: 'segments', cell: (row) => known(row.segments), align: 'right', wide: true },
];

const configColumns: readonly Column<ConfigItem>[] = [
  { header: 'config', cell: (row) => row.name },
  { header: 'value', cell: (row) => (row.sensitive ? '(hidden)' : row.value) },
  { header: 'source', cell: (row) => row.source },
  { header: 'type', cell: (row) => row.type, wide: true },
  { header: 'meaning', cell: (row) => row.documentation, wide: true },
];

async function topicConfigs(admin: Admin, topic: string): Promise<readonly ConfigItem[]> {
  const [result] = await admin.describeConfigs([{ type: 'topic', name: topic }]);
  if (result?.error !== undefined) throw result.error;
  return result?.entries ?? [];
}

export async function describeTopic(
  context: CommandContext,
  [name]: readonly string[],
  options: { readonly configs?: boolean },
): Promise<undefined> {
  const { topic, rows, unreachable, configs } = await withAdmin(context.cluster, async (admin) => {
    const found = await admin.describeTopic(name!);
    const { replicas, unreachable } = await admin.describeReplicas([name!]);
    const leaders = new Map(
      replicas.filter(({ isLeader }) => isLeader).map((replica) => [replica.partition, replica]),
    );
    return {
      topic: found,
      rows: found.partitions.map((partition) => partitionRow(partition, leaders.get(partition.partition))),
      unreachable,
      configs: await topicConfigs(admin, name!),
    };
  });
  const overrides = configs.filter(({ source }) => source === 'dynamic-topic');
  const shownConfigs = options.configs === true ? configs : overrides;
  const document = {
    ...topicRow(topic),
    partitions: rows,
    configs: shownConfigs.map(({ name: config, value, source, type }) => ({
      name: config,
      value,
      source,
      type,
    })),
  };
  await write(
    context.io.stdout,
    renderDocument(context.output ?? 'table', document, (wide) => [
      renderFields([
        ['name', topic.name],
        ['topic-id', topic.topicId],
        ['partitions', rows.length],
        ['replicas', document.replicationFactor],
      ]),
      renderTable(rows, partitionColumns, { wide }),
      shownConfigs.length === 0 ? '' : renderTable(shownConfigs, configColumns, { wide }),
    ]),
  );
  for (const { brokerId, error } of unreachable) {
    context.io.stderr.write(
      `broker ${brokerId} did not answer, so its offsets are missing: ${error.message}\n`,
    );
  }
  return undefined;
}

interface AlterOptions {
  readonly set?: readonly string[];
  readonly unset?: readonly string[];
  readonly dryRun?: boolean;
}

export async function alterTopic(
  context: CommandContext,
  [name]: readonly string[],
  { set = [], unset = [], dryRun = false }: AlterOptions,
): Promise<undefined> {
  if (set.length + unset.length === 0) {
    throw usageFailure('nothing is to be changed', 'give --set name=value or --unset name');
  }
  const changes: Record<string, string | null> = Object.fromEntries(set.map(parseAssignment));
  for (const config of unset) {
    if (config in changes) throw usageFailure(`${config} is both set and unset`);
    changes[config] = null;
  }
  const [result] = await withAdmin(context.cluster, (admin) =>
    admin.alterConfigs([{ resource: { type: 'topic', name: name! }, changes }], { validateOnly: dryRun }),
  );
  await showOutcomes(context, [
    { topic: name!, status: dryRun ? 'would be altered' : 'altered', error: result?.error },
  ]);
  return undefined;
}

export async function deleteTopics(
  context: CommandContext,
  names: readonly string[],
  options: { readonly yes?: boolean },
): Promise<undefined> {
  if (options.yes !== true) {
    await confirm(
      context,
      `Delete ${names.join(', ')} and every record in ${names.length === 1 ? 'it' : 'them'}?`,
    );
  }
  const results = await withAdmin(context.cluster, (admin) => admin.deleteTopics(names));
  await showOutcomes(
    context,
    results.map(({ error }, at) => ({ topic: names[at]!, status: 'deleted', error })),
  );
  return undefined;
}

export async function addPartitions(
  context: CommandContext,
  [name]: readonly string[],
  { num, dryRun = false }: { readonly num: number; readonly dryRun?: boolean },
): Promise<undefined> {
  const outcome = await withAdmin(context.cluster, async (admin) => {
    const { partitions } = await admin.describeTopic(name!);
    const totalCount = partitions.length + num;
    const [result] = await admin.createPartitions([{ name: name!, totalCount }], { validateOnly: dryRun });
    const status = `${dryRun ? 'would have' : 'has'} ${totalCount} partitions`;
    return { topic: name!, status, partitions: totalCount, error: result?.error };
  });
  await showOutcomes(context, [outcome]);
  return undefined;
}
