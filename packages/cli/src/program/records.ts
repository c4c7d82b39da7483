// `tidemark produce`, `tidemark consume` and `tidemark verify`.
import { Argument, Option, type Command } from 'commander';
import { collect, countArgument, durationArgument, runs, withCluster, type Host } from './command.ts';

export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export function declareRecords(host: Host, program: Command): void {
  runs(
    host,
    withCluster(program.command('produce'), ['table', 'json', 'jsonl', 'yaml'])
      .description('write records from standard input or a file')
      .addArgument(new Argument('<topic>', 'name of a topic'))
      .option('--file <path>', 'read from here in place of standard input')
      .option('-f, --format <format>', "how to cut the input, e.g. '%k\\t%v\\n'; `--format help` explains")
      .option('-k, --key <key>', 'the key of every record')
      .option('-H, --header <name=value>', 'a header of every record; repeat for more', collect)
      .option('-p, --partition <number>', 'write to this partition', countArgument('--partition'))
      .addOption(new Option('--acks <count>', 'who must have a record').choices(['all', '1', '0', '-1']))
      .addOption(new Option('-z, --compression <codec>', 'how batches are compressed').choices(COMPRESSIONS))
      .option('-Z, --tombstone', 'an empty value is a null value, which deletes its key')
      .option('--receipts <file>', 'write what was acknowledged here, for `tidemark verify`')
      .option('--progress', 'show progress although stderr is no terminal')
      .addHelpText(
        'after',
        `
A summary goes to stderr. With -o json (one array) or -o jsonl there is a receipt for every record on stdout.`,
      ),
    async () => (await import('../commands/produce.ts')).produce,
  );
  runs(
    host,
    withCluster(program.command('consume'), ['jsonl', 'json', 'table'])
      .description('print records, by default as lines of JSON')
      .addArgument(new Argument('<topic...>', 'name of a topic; with -g several'))
      .option('-g, --group <group>', 'share the partitions with the other members of this group, and commit')
      .option(
        '--commit-interval <duration>',
        'with -g: how often to commit what was printed',
        durationArgument('--commit-interval'),
      )
      .option('--from <position>', 'start, end, 47, +2, -3, @2026-01-01T00:00:00Z, @UNIX-MS or @-1h', 'start')
      .option('-n, --num <count>', 'stop after this many records', countArgument('--num', 1))
      .option('-e, --exit-at-end', 'stop at what is the end when the command starts')
      .option('-f, --format <format>', "how to print a record, e.g. '%k %v\\n'; `--format help` explains")
      .option('-p, --partition <number>', 'only this partition; repeat for more', collect)
      .option('--progress', 'show progress although stderr is no terminal')
      .addHelpText(
        'after',
        `
With -g reading begins where the group is; --from start or end says where if it has committed nothing. What was printed is
committed at every interval and at the end. Who is in the group and how far: tidemark group describe GROUP.`,
      ),
    async () => (await import('../commands/consume.ts')).consume,
  );
  runs(
    host,
    withCluster(program.command('verify'), ['table', 'json', 'jsonl'])
      .description('compare receipts with what the partitions hold now')
      .requiredOption('--receipts <file>', 'what `tidemark produce --receipts` wrote')
      .option(
        '--search <offsets>',
        'how far from its offset to look for a record, either way',
        countArgument('--search'),
        1_000,
      )
      .option('--progress', 'show progress although stderr is no terminal')
      .addHelpText(
        'after',
        `
Exit codes: 0 when nothing that was acknowledged is lost, moved or changed; 1 when something is, or cannot be read;
2 when the file cannot be read. Records below the start of a log have expired: they are counted, and nobody can tell.`,
      ),
    async () => (await import('../commands/verify.ts')).verify,
  );
}
