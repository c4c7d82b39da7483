// The tree of commands. Only declarations are here and in the files beside it; the work is in `../commands` and `../bench`.
import { Command } from 'commander';
import { declareBench } from './bench.ts';
import { declareCluster } from './cluster.ts';
import type { Host } from './command.ts';
import { declareCompletion } from './completion.ts';
import { declareGroup } from './group.ts';
import { declarePartition } from './partition.ts';
import { declareQuorum } from './quorum.ts';
import { declareReassign } from './reassign.ts';
import { declareRecords } from './records.ts';
import { declareServer } from './server.ts';
import { declareSecurity } from './security.ts';
import { declareTopic } from './topic.ts';

export const VERSION = '0.1.0';

export function makeProgram(host: Host): Command {
  const program = new Command('tidemark')
    .description('A partitioned, replicated log cluster.')
    .version(VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .showSuggestionAfterError(true)
    .showHelpAfterError('(add --help for the options)')
    .configureOutput({
      writeOut: (text) => void host.io.stdout.write(text),
      writeErr: (text) => void host.io.stderr.write(text),
    })
    .exitOverride();
  // Subcommands inherit the settings above at the moment they are made.
  declareServer(host, program);
  declareTopic(host, program);
  declareRecords(host, program);
  declareGroup(host, program);
  declareCluster(host, program);
  declarePartition(host, program);
  declareReassign(host, program);
  declareQuorum(host, program);
  declareSecurity(host, program);
  declareBench(host, program);
  declareCompletion(host, program);
  program.addHelpText(
    'after',
    `
Start here:
  tidemark dev                                    a server on this machine, in the foreground
  tidemark topic create orders -p 3               a topic with three partitions
  printf 'a\\t1\\nb\\t2\\n' | tidemark produce orders -f '%k\\t%v\\n'
  tidemark consume orders --from start -e         everything in it, then stop

Exit codes: 0 ok, 1 failure, 2 usage, 3 unhealthy, 4 not found.`,
  );
  return program;
}
