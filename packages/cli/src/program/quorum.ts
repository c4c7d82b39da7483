// `tidemark quorum ...`.
import { Argument, Option, type Command } from 'commander';
import { countArgument, runs, withCluster, type Host } from './command.ts';

const load = () => import('../commands/quorum.ts');

export function declareQuorum(host: Host, program: Command): void {
  const group = program
    .command('quorum')
    .description('look at the controllers that decide, and change who votes');

  runs(
    host,
    withCluster(group.command('status'))
      .description('who leads, who votes, who follows, and how far each is; exit code 3 without a leader')
      .addHelpText(
        'after',
        `
CONTACT is how long ago the leader heard of a replica, LAG how many offsets of the metadata log it is behind.
-o wide shows the state and the address of each, too.`,
      ),
    async () => (await load()).quorumStatus,
  );
  runs(
    host,
    withCluster(group.command('add-voter'))
      .description('give a controller that follows the quorum a vote')
      .addArgument(
        new Argument('[new-voter]', 'NODE_ID:DIRECTORY_ID@HOST:PORT, the address of its PEER listener'),
      )
      .addOption(
        new Option(
          '--node <id>',
          'a node that follows already: directory and address are looked up',
        ).argParser(countArgument('--node')),
      )
      .addHelpText(
        'after',
        `
Examples:
  tidemark quorum add-voter --node 4
  tidemark quorum add-voter 4:AwAAAAAAAAAAAAAAAAAAAA@node-4:9291`,
      ),
    async () => (await load()).addVoter,
  );
  runs(
    host,
    withCluster(group.command('remove-voter'))
      .description('take the vote from a controller, for example one whose disk is lost')
      .addArgument(new Argument('<voter>', 'NODE_ID, or NODE_ID:DIRECTORY_ID for this very disk')),
    async () => (await load()).removeVoter,
  );
  runs(
    host,
    withCluster(group.command('transfer'))
      .description('let another voter lead')
      .addArgument(new Argument('[voter]', 'NODE_ID (default: the one that is furthest)')),
    async () => (await load()).transferLeadership,
  );
}
