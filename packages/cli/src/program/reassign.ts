// `tidemark reassign ...`.
import { Argument, type Command } from 'commander';
import { bytesArgument, runs, withCluster, type Host } from './command.ts';

const load = () => import('../commands/reassign.ts');
const FORMATS = ['table', 'wide', 'json', 'yaml'] as const;

export function declareReassign(host: Host, program: Command): void {
  const group = program.command('reassign').description("move partitions to other brokers, by Kafka's file");

  runs(
    host,
    withCluster(group.command('plan'), ['json'])
      .description('print a file that puts topics on these brokers with as few moves as possible')
      .addArgument(new Argument('<topic...>', 'names of topics'))
      .option('--to <id,...>', 'the brokers that shall have all replicas')
      .option('--current', 'print where they are now instead: the way back'),
    async () => (await load()).planReassignment,
  );
  runs(
    host,
    withCluster(group.command('apply'), FORMATS)
      .description('begin the moves of a file')
      .addArgument(new Argument('<file>', '- is standard input'))
      .option(
        '--throttle <bytes>',
        'most bytes a second that each broker sends and takes for them, e.g. 50MiB',
        bytesArgument('--throttle'),
      )
      .option('--additional', 'although other partitions are being moved'),
    async () => (await load()).applyReassignment,
  );
  runs(
    host,
    withCluster(group.command('status'), FORMATS)
      .description('how far the moves are; exit code 3 while one of the file is not complete')
      .addArgument(new Argument('[file]', '- is standard input (default: all that is being moved)'))
      .option('--preserve-throttles', 'do not remove the throttles when all is complete'),
    async () => (await load()).reassignmentStatus,
  );
  runs(
    host,
    withCluster(group.command('cancel'), FORMATS)
      .description('take back the moves of a file that are under way')
      .addArgument(new Argument('<file>', '- is standard input'))
      .option('--preserve-throttles', 'do not remove the throttles'),
    async () => (await load()).cancelReassignment,
  );
}
