// `tidemark server` and `tidemark dev`.
import { Option, type Command } from 'commander';
import { collect, countArgument, runs, withOutput, type Host } from './command.ts';

export function declareServer(host: Host, program: Command): void {
  const server = withOutput(program.command('server'))
    .description('run a node in the foreground; SIGTERM shuts it down cleanly')
    .option('-c, --config <file>', 'properties file')
    .option('--print-config', 'print the configuration in force and where each value comes from, and end')
    .option('--set <name=value>', 'one setting, before file and environment; repeat for more', collect)
    // For servers that `tidemark dev` starts.
    .addOption(new Option('--end-with-parent').hideHelp())
    .addHelpText(
      'after',
      `
Every setting also has an environment variable: TIDEMARK_ and the name in capitals with "." as "_", "_" as "__" and "-" as
"___", e.g. TIDEMARK_LOG_DIRS. --set wins over the environment, the environment over the file.`,
    );
  runs(host, server, async () => (await import('../commands/server.ts')).runServer);

  const dev = withOutput(program.command('dev'), ['table', 'json'])
    .description('run one server, or a cluster, with defaults on this machine, for trying things out')
    .option('--brokers <count>', 'so many servers, each a process of its own', '1')
    .option('-d, --dir <folder>', 'keep the data here (default: a temporary folder, removed at the end)')
    .option(
      '-p, --port <number>',
      'port to listen on, further servers ten above each; 0 takes any free one',
      countArgument('--port'),
      9290,
    );
  runs(host, dev, async () => (await import('../commands/dev.ts')).runDev);
}
