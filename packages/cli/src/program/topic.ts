// `tidemark topic ...`.
import { Argument, type Command } from 'commander';
import { OFFSET_GRAMMAR } from '../offset-spec.ts';
import { collect, countArgument, runs, withCluster, type Host } from './command.ts';

const load = () => import('../commands/topic.ts');
const topic = (): Argument => new Argument('<topic>', 'name of a topic');

export function declareTopic(host: Host, program: Command): void {
  const group = program.command('topic').description('create, look at, change and delete topics');

  runs(
    host,
    withCluster(group.command('create'))
      .description('create topics')
      .addArgument(new Argument('<name...>', 'names of the new topics'))
      .option(
        '-p, --partitions <count>',
        "partitions (default: the cluster's)",
        countArgument('--partitions', 1),
      )
      .option(
        '-r, --replicas <count>',
        "replication factor (default: the cluster's)",
        countArgument('--replicas', 1),
      )
      .option(
        '-c, --topic-config <name=value>',
        'a topic setting, e.g. retention.ms=60000; repeat for more',
        collect,
      )
      .option('--if-not-exists', 'no error when a topic exists already')
      .option('--dry-run', 'check everything, create nothing'),
    async () => (await load()).createTopics,
  );
  runs(
    host,
    withCluster(group.command('list').alias('ls'))
      .description('list the topics')
      .addArgument(new Argument('[topic...]', 'only these'))
      .option('--internal', 'internal topics too'),
    async () => (await load()).listTopics,
  );
  runs(
    host,
    withCluster(group.command('describe'))
      .description('leader, replicas, offsets and size of every partition')
      .addArgument(topic())
      .option('--configs', 'its settings and where each comes from, too'),
    async () => (await load()).describeTopic,
  );
  runs(
    host,
    withCluster(group.command('alter'))
      .description("change a topic's settings")
      .addArgument(topic())
      .option('--set <name=value>', 'set it; repeat for more', collect)
      .option('--unset <name>', "back to the cluster's value; repeat for more", collect)
      .option('--dry-run', 'check everything, change nothing'),
    async () => (await load()).alterTopic,
  );
  runs(
    host,
    withCluster(group.command('delete').alias('rm'))
      .description('delete topics and all their records')
      .addArgument(new Argument('<topic...>', 'names of topics'))
      .option('-y, --yes', 'do not ask'),
    async () => (await load()).deleteTopics,
  );
  runs(
    host,
    withCluster(group.command('delete-records'))
      .description('delete the records at the beginning of partitions, for ever')
      .addArgument(new Argument('<topic[:partition]...>', 'e.g. orders or orders:0'))
      .requiredOption('--before <position>', `the first to be kept: ${OFFSET_GRAMMAR}`)
      .option('--dry-run', 'show what would go, delete nothing')
      .option('-y, --yes', 'do not ask'),
    async () => (await import('../commands/delete-records.ts')).deleteRecords,
  );
  runs(
    host,
    withCluster(group.command('add-partitions'))
      .description('give a topic more partitions; keys may move to other ones')
      .addArgument(topic())
      .requiredOption('-n, --num <count>', 'how many to add', countArgument('--num', 1))
      .option('--dry-run', 'check everything, change nothing'),
    async () => (await load()).addPartitions,
  );
}
