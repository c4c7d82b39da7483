// `tidemark bench ...`.
import { Option, type Command } from 'commander';
import { bytesArgument, countArgument, durationArgument, runs, withCluster, type Host } from './command.ts';
import { COMPRESSIONS } from './records.ts';

function withLoad(command: Command): Command {
  return withCluster(command, ['table', 'json', 'jsonl', 'yaml'])
    .option('-t, --topic <name>', 'use this topic and keep it (default: one made for the run, deleted after)')
    .option('-p, --partitions <count>', 'of the topic made for the run', countArgument('--partitions', 1), 1)
    .option('-r, --replicas <count>', 'of the topic made for the run', countArgument('--replicas', 1))
    .option(
      '-c, --topic-config <name=value>',
      'of the topic made for the run; repeat for more',
      (value: string, all: readonly string[] | undefined) => [...(all ?? []), value],
    )
    .option('-n, --records <count>', 'how many, e.g. 100k', countArgument('--records', 1))
    .option('-s, --size <bytes>', 'of a value, e.g. 100 or 1KiB', bytesArgument('--size'), 100)
    .option(
      '--duration <duration>',
      'stop after this time although records are left',
      durationArgument('--duration'),
    )
    .option('--no-progress', 'no line each second on stderr');
}

function withProducer(command: Command): Command {
  return command
    .option('--batch-size <bytes>', 'batch.size', bytesArgument('--batch-size'))
    .option('--linger <duration>', 'linger.ms, e.g. 5ms', durationArgument('--linger'))
    .addOption(new Option('--acks <count>', 'who must have a record').choices(['all', '1', '0', '-1']))
    .addOption(new Option('-z, --compression <codec>', 'how batches are compressed').choices(COMPRESSIONS))
    .option(
      '--rate <count>',
      'records a second; latencies then count from the intended time',
      countArgument('--rate', 1),
    )
    .option(
      '--keys <count>',
      'give records this many different keys (default: no key)',
      countArgument('--keys', 1),
    );
}

export function declareBench(host: Host, program: Command): void {
  const bench = program
    .command('bench')
    .description('measure a cluster: a line each second, then percentiles');
  const load = () => import('../bench/run.ts');
  runs(
    host,
    withProducer(withLoad(bench.command('produce'))).description('how fast can records be written'),
    async () => (await load()).benchProduce,
  );
  runs(
    host,
    withLoad(bench.command('consume')).description(
      'how fast can records be read; fills its topic first unless one is named',
    ),
    async () => (await load()).benchConsume,
  );
  runs(
    host,
    withProducer(withLoad(bench.command('e2e'))).description(
      'from send to receipt by a consumer, at a fixed rate',
    ),
    async () => (await load()).benchEndToEnd,
  );
}
