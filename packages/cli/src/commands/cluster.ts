// `tidemark cluster info` and `tidemark cluster health`.
import type { BrokerInfo } from '@tidemark/client';
import { TidemarkError } from '@tidemark/core';
import { withAdmin } from '../cluster-access.ts';
import { write, type CommandContext } from '../command-context.ts';
import { CommandFailure, exitCodes } from '../exit.ts';
import { renderDocument, renderFields, renderTable, type Column } from '../output/report.ts';
import { isUnderReplicated } from './topic.ts';

interface BrokerRow extends BrokerInfo {
  readonly controller: boolean;
}

const brokerColumns: readonly Column<BrokerRow>[] = [
  { header: 'broker', cell: (row) => `${row.id}${row.controller ? '*' : ''}` },
  { header: 'host', cell: (row) => row.host },
  { header: 'port', cell: (row) => row.port, align: 'right' },
  { header: 'rack', cell: (row) => (row.rack === '' ? '-' : row.rack) },
  { header: 'state', cell: (row) => (row.fenced ? 'fenced' : 'up') },
];

export async function clusterInfo(context: CommandContext): Promise<undefined> {
  const cluster = await withAdmin(context.cluster, (admin) => admin.describeCluster());
  const brokers = cluster.brokers.map((broker) => ({
    ...broker,
    controller: broker.id === cluster.controllerId,
  }));
  await write(
    context.io.stdout,
    renderDocument(context.output ?? 'table', { ...cluster, brokers }, (wide) => [
      renderFields([
        ['cluster', cluster.clusterId],
        ['controller', cluster.controllerId],
        ['topics', cluster.topicCount],
        ['partitions', cluster.partitionCount],
        ['version', cluster.version],
      ]),
      renderTable(brokers, brokerColumns, { wide }),
    ]),
  );
  return undefined;
}

interface Health {
  readonly healthy: boolean;
  readonly brokers: number;
  readonly fencedBrokers: readonly number[];
  readonly leaderlessPartitions: readonly string[];
  readonly underReplicatedPartitions: readonly string[];
}

const MAX_SHOWN = 20;

function listed(names: readonly (string | number)[]): string {
  if (names.length === 0) return 'none';
  const more = names.length > MAX_SHOWN ? ` and ${names.length - MAX_SHOWN} more` : '';
  return `${names.slice(0, MAX_SHOWN).join(', ')}${more}`;
}

/** A cluster that cannot be reached is unhealthy, too: a probe asks one question and wants one answer. */
export async function clusterHealth(context: CommandContext): Promise<number | undefined> {
  const health = await withAdmin(context.cluster, async (admin): Promise<Health> => {
    const cluster = await admin.describeCluster();
    const partitions = (await admin.listTopics()).flatMap((topic) =>
      topic.partitions.map((partition) => ({ ...partition, name: `${topic.name}-${partition.partition}` })),
    );
    const fencedBrokers = cluster.brokers.filter(({ fenced }) => fenced).map(({ id }) => id);
    const leaderlessPartitions = partitions.filter(({ leaderId }) => leaderId < 0).map(({ name }) => name);
    const underReplicatedPartitions = partitions.filter(isUnderReplicated).map(({ name }) => name);
    return {
      healthy: fencedBrokers.length + leaderlessPartitions.length + underReplicatedPartitions.length === 0,
      brokers: cluster.brokers.length,
      fencedBrokers,
      leaderlessPartitions,
      underReplicatedPartitions,
    };
  }).catch((error: unknown) => {
    if (!(error instanceof TidemarkError)) throw error;
    throw new CommandFailure(`the cluster does not answer: ${error.message}`, {
      exitCode: exitCodes.unhealthy,
      hint: 'is a server running there? start one with `tidemark dev`, or name it with --brokers',
      cause: error,
    });
  });
  await write(
    context.io.stdout,
    renderDocument(context.output ?? 'table', health, () => [
      renderFields([
        ['health', health.healthy ? 'ok' : 'UNHEALTHY'],
        ['brokers', health.brokers],
        ['fenced brokers', listed(health.fencedBrokers)],
        ['leaderless partitions', listed(health.leaderlessPartitions)],
        ['under-replicated partitions', listed(health.underReplicatedPartitions)],
      ]),
    ]),
  );
  return health.healthy ? undefined : exitCodes.unhealthy;
}
