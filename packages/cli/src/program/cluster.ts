// `tidemark cluster ...` and `tidemark log ...`.
import { Argument, Option, type Command } from 'commander';
import { collect, countArgument, runs, withCluster, withOutput, type Host } from './command.ts';

export function declareCluster(host: Host, program: Command): void {
  const cluster = program.command('cluster').description('look at the cluster');
  const load = () => import('../commands/cluster.ts');
  runs(
    host,
    withCluster(cluster.command('info')).description(
      'cluster id, controller, nodes, and partitions that are not as they should be',
    ),
    async () => (await load()).clusterInfo,
  );
  runs(
    host,
    withCluster(cluster.command('health'))
      .description(
        'what is wrong with brokers, partitions and controllers, and what to do; exit code 3 when anything is',
      )
      .option('-w, --watch', 'again whenever it changes, until Ctrl-C'),
    async () => (await load()).clusterHealth,
  );

  runs(
    host,
    withCluster(cluster.command('unregister'))
      .description('take a broker that is gone for good out of the list')
      .addOption(
        new Option('--id <id>', 'its node.id; stopped, and without replicas')
          .argParser(countArgument('--id'))
          .makeOptionMandatory(),
      )
      .addHelpText(
        'after',
        `
Refused while the broker is alive or has replicas: stop it, and move what it has
to others first (tidemark reassign). A vote in the quorum is another thing
(tidemark quorum remove-voter).`,
      ),
    async () => (await load()).unregisterBroker,
  );

  const debug = program.command('debug').description('help for whoever helps');
  runs(
    host,
    withCluster(debug.command('bundle'), ['table', 'json'])
      .description(
        'health, quorum, partitions, configs without secrets, metrics of all nodes: in one .tar.gz',
      )
      .option('-f, --file <path>', 'where to (default: tidemark-debug-<time>.tar.gz)')
      .option('--log <path>', "the end of a node's log file too; repeat for more", collect)
      .option('--config <path>', 'a configuration file too, without its secrets; repeat for more', collect),
    async () => (await import('../commands/debug-bundle.ts')).debugBundle,
  );

  const log = program.command('log').description("look into a node's files");
  runs(
    host,
    withOutput(log.command('dump'), ['table', 'json', 'jsonl'])
      .description('print a .log, .index, .timeindex or .snapshot file; reads only')
      .addArgument(new Argument('<file>', 'path of the file'))
      .option('--records', 'with a .log: every record, not only the batches'),
    async () => (await import('../commands/log-dump.ts')).dumpLog,
  );
}
