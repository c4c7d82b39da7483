// `tidemark group ...`.
import { Argument, Option, type Command } from 'commander';
import { OFFSET_GRAMMAR } from '../offset-spec.ts';
import { collect, durationArgument, runs, withCluster, type Host } from './command.ts';

const load = () => import('../commands/group.ts');
const loadSeek = () => import('../commands/group-seek.ts');
const group = (): Argument => new Argument('<group>', 'id of a consumer group');

export function declareGroup(host: Host, program: Command): void {
  const groups = program
    .command('group')
    .description('consumer groups: who reads what, how far behind, and where they go on');

  runs(
    host,
    withCluster(groups.command('list').alias('ls'))
      .description('the groups of every broker')
      .addOption(
        new Option('--state <state...>', 'only those in these states').choices([
          'Empty',
          'PreparingRebalance',
          'CompletingRebalance',
          'Stable',
          'Dead',
        ]),
      ),
    async () => (await load()).listGroups,
  );
  runs(
    host,
    withCluster(groups.command('describe'))
      .description('state, members, and where it is in every partition')
      .addArgument(new Argument('<group...>', 'ids of consumer groups'))
      .addOption(
        new Option(
          '-w, --watch [interval]',
          'again and again until Ctrl-C, with what has changed, e.g. every 5s',
        )
          .argParser(durationArgument('--watch'))
          .preset('2s'),
      )
      .addHelpText(
        'after',
        `
LAG is how many records are behind the committed offset; where nothing is committed, how many there are.`,
      ),
    async () => (await load()).describeGroup,
  );
  runs(
    host,
    withCluster(groups.command('lag'))
      .description('how far behind groups are, by partition; the total goes to stderr')
      .addArgument(new Argument('[group...]', 'ids of consumer groups (default: all)')),
    async () => (await load()).groupLag,
  );
  runs(
    host,
    withCluster(groups.command('explain'))
      .description('why it last rebalanced, whom it waits for, who holds what, what to do')
      .addArgument(group()),
    async () => (await load()).explain,
  );
  runs(
    host,
    withCluster(groups.command('seek'), ['table', 'wide', 'json', 'jsonl', 'yaml'])
      .description('move the offsets of a group without members; shows what would change')
      .addArgument(group())
      .option(
        '--topic <topic[:partition]>',
        'only of this; repeat for more (default: all it has committed)',
        collect,
      )
      .option('--to <position>', OFFSET_GRAMMAR)
      .option('--to-group <group>', 'where this group is')
      .option('--dry-run', 'change nothing (the default)')
      .option('--execute', 'do it')
      .addHelpText(
        'after',
        `
Examples:
  tidemark group seek billing --to start
  tidemark group seek billing --topic orders:0 --to @-1h --execute`,
      ),
    async () => (await loadSeek()).seekGroup,
  );
  runs(
    host,
    withCluster(groups.command('clone'))
      .description('let a new group begin where another one is')
      .addArgument(group())
      .addArgument(new Argument('<new-group>', 'id of the new group')),
    async () => (await loadSeek()).cloneGroup,
  );
  runs(
    host,
    withCluster(groups.command('delete').alias('rm'))
      .description('delete groups without members, and their offsets')
      .addArgument(new Argument('<group...>', 'ids of consumer groups'))
      .option('-y, --yes', 'do not ask'),
    async () => (await load()).deleteGroups,
  );
}
