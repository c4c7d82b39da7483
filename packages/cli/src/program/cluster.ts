// `tidemark cluster ...` and `tidemark log ...`.
import { Argument, type Command } from 'commander';
import { runs, withCluster, withOutput, type Host } from './command.ts';

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
    withCluster(cluster.command('health')).description(
      'what is wrong with brokers, partitions and controllers, and what to do; exit code 3 when anything is',
    ),
    async () => (await load()).clusterHealth,
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
