// `tidemark partition ...`.
import { Argument, type Command } from 'commander';
import { runs, withCluster, type Host } from './command.ts';

const load = () => import('../commands/partition.ts');
const partition = (): Argument => new Argument('<topic:partition>', 'e.g. orders:0');

export function declarePartition(host: Host, program: Command): void {
  const group = program
    .command('partition')
    .description('which partitions are not as they should be, why, and what to do');

  runs(
    host,
    withCluster(group.command('list').alias('ls'))
      .description('the partitions and their state; with a filter, exit code 3 when it finds any')
      .option('--topic <topic>', 'only of this topic')
      .option('--under-replicated', 'with fewer replicas in sync than replicas')
      .option('--offline', 'without a leader')
      .option('--under-min-isr', 'with fewer in sync than min.insync.replicas: acks=all is refused')
      .option('--at-min-isr', 'with just min.insync.replicas in sync: one more, and acks=all is refused')
      .addHelpText(
        'after',
        `
Several filters take what any of them takes. LAG is that of the replica furthest behind, ? where nobody knows.`,
      ),
    async () => (await load()).listPartitions,
  );
  runs(
    host,
    withCluster(group.command('explain'))
      .description('why it can be written or not, who may lead it, what an election would lose, what to do')
      .addArgument(partition()),
    async () => (await load()).explain,
  );
  runs(
    host,
    withCluster(group.command('elect-leader'))
      .description('let the preferred replica lead, or any that is there')
      .addArgument(partition())
      .option('--unclean', 'where nobody in sync is left: a replica that may LACK RECORDS; asks before')
      .option('-y, --yes', 'do not ask'),
    async () => (await load()).electLeader,
  );
}
