// Topics, the cluster, a node's files and measurements through the command.
import { expect } from 'chai';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand, startServer, type CommandResult, type ServerProcess } from './start-server.ts';

describe('tidemark topic, cluster, log and bench', function () {
  this.timeout(60_000);

  let server: ServerProcess;

  before(async () => {
    server = await startServer();
  });

  after(async () => {
    await server.dispose();
  });

  const cli = (args: readonly string[], input?: string): Promise<CommandResult> => server.cli(args, input);

  async function json<T>(args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await cli([...args, '-o', 'json']);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as T;
  }

  it('creates, describes, changes, extends and deletes a topic', async () => {
    const created = await cli([
      'topic',
      'create',
      'orders',
      '-p',
      '2',
      '-r',
      '1',
      '-c',
      'retention.ms=60000',
    ]);
    expect(created).to.include({ code: 0, stdout: 'TOPIC   STATUS\norders  created\n' });

    interface Described {
      readonly name: string;
      readonly partitions: readonly {
        readonly leaderId: number;
        readonly highWatermark: number;
        readonly sizeBytes: number;
      }[];
      readonly configs: readonly { readonly name: string; readonly value: string; readonly source: string }[];
    }
    await cli(['produce', 'orders', '-p', '1'], 'a\nb\n');
    const before = await json<Described>(['topic', 'describe', 'orders']);
    expect(before.partitions.map(({ leaderId, highWatermark }) => [leaderId, highWatermark])).to.deep.equal([
      [1, 0],
      [1, 2],
    ]);
    expect(before.partitions[1]!.sizeBytes).to.be.greaterThan(60);
    expect(before.configs).to.deep.equal([
      { name: 'retention.ms', value: '60000', source: 'dynamic-topic', type: 'long' },
    ]);

    const altered = await cli([
      'topic',
      'alter',
      'orders',
      '--set',
      'segment.bytes=1048576',
      '--unset',
      'retention.ms',
    ]);
    expect(altered.code, altered.stderr).to.equal(0);
    expect((await cli(['topic', 'add-partitions', 'orders', '-n', '3'])).stdout).to.include(
      'has 5 partitions',
    );
    const after = await json<Described>(['topic', 'describe', 'orders']);
    expect(after.partitions).to.have.length(5);
    expect(after.configs.map(({ name, value }) => [name, value])).to.deep.equal([
      ['segment.bytes', '1048576'],
    ]);
    expect((await cli(['topic', 'describe', 'orders'])).stdout).to.match(
      /NAME +orders\n[^]*\nPARTITION +LEADER +EPOCH +REPLICAS +ISR +START +HIGH-WATERMARK +SIZE\n/,
    );

    expect(await json<unknown[]>(['topic', 'list'])).to.have.length(1);
    expect(await cli(['topic', 'delete', 'orders', '-y'])).to.include({ code: 0 });
    expect(await json<unknown[]>(['topic', 'list'])).to.deep.equal([]);
  });

  it('deletes the records at the beginning of partitions, when it is told so', async () => {
    await cli(['topic', 'create', 'trimmed', '-p', '2', '-r', '1']);
    for (const partition of ['0', '1']) await cli(['produce', 'trimmed', '-p', partition], 'a\nb\nc\n');
    const starts = async (): Promise<readonly number[]> => {
      const { partitions } = await json<{
        readonly partitions: readonly { readonly logStartOffset: number }[];
      }>(['topic', 'describe', 'trimmed']);
      return partitions.map(({ logStartOffset }) => logStartOffset);
    };
    const command = ['topic', 'delete-records', 'trimmed:1', '--before'];
    const refused = await cli([...command, '2'], 'y\n');
    expect(refused).to.include({ code: 2, stdout: '' });
    expect(refused.stderr).to.include('Delete for ever 2 offsets: trimmed:1 below 2?').and.include('add -y');
    const shown = 'TOPIC    PARTITION  START  BEFORE  OFFSETS\ntrimmed          1      0       2        2\n';
    expect(await cli([...command, '2', '--dry-run'])).to.include({ code: 0, stdout: shown });
    expect(await starts()).to.deep.equal([0, 0]);
    expect(await cli([...command, '2', '-y'])).to.include({ code: 0, stdout: shown });
    expect(await starts()).to.deep.equal([0, 2]);
    const beyond = await cli([...command, '4', '-y']);
    expect(beyond.code).to.equal(1);
    expect(beyond.stderr).to.include('OFFSET_OUT_OF_RANGE').and.include('the high watermark is 3');
    expect(
      await json<unknown>(['topic', 'delete-records', 'trimmed', '--before', 'end', '-y']),
    ).to.deep.equal([
      { topic: 'trimmed', partition: 0, logStartOffset: 0, beforeOffset: 3, offsets: 3 },
      { topic: 'trimmed', partition: 1, logStartOffset: 2, beforeOffset: 3, offsets: 1 },
    ]);
    expect(await starts()).to.deep.equal([3, 3]);
    expect((await cli(['topic', 'delete-records', 'trimmed:7', '--before', 'end'])).stderr).to.include(
      'has no partition 7',
    );
    await cli(['topic', 'delete', 'trimmed', '-y']);
  });

  it('never deletes unasked: without a terminal it wants -y', async () => {
    await cli(['topic', 'create', 'precious']);
    const refused = await cli(['topic', 'delete', 'precious'], 'y\n');
    expect(refused.code).to.equal(2);
    expect(refused.stderr).to.include('add -y');
    expect((await cli(['topic', 'list', 'precious'])).code).to.equal(0);
  });

  it('shows what became of each of several topics', async () => {
    await cli(['topic', 'create', 'here']);
    const { code, stdout, stderr } = await cli(['topic', 'create', 'here', 'there', '-o', 'json']);
    expect(code).to.equal(1);
    expect(stderr).to.include('TOPIC_ALREADY_EXISTS').and.include('next:');
    const rows = JSON.parse(stdout) as { topic: string; status: string; error?: string }[];
    expect(rows.map(({ topic, status, error }) => [topic, status, error])).to.deep.equal([
      ['here', 'failed', 'TOPIC_ALREADY_EXISTS'],
      ['there', 'created', undefined],
    ]);
    expect(await cli(['topic', 'create', 'here', '--if-not-exists'])).to.include({ code: 0 });
  });

  it('prints no colours into a pipe, under CI as little as anywhere', async () => {
    const { stderr } = await runCommand(['topic', 'create', '../x', '--brokers', server.address], {
      environment: { CI: 'true' },
    });
    expect(stderr).to.match(/^error: INVALID_TOPIC_EXCEPTION/);
  });

  it('refuses a bad name, config or count with a sentence and an exit code', async () => {
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['topic', 'create', 'no/slash'], 2, /INVALID_TOPIC_EXCEPTION/],
      [['topic', 'create', 'x', '-r', '3'], 1, /INVALID_REPLICATION_FACTOR.*\nnext: /],
      [['topic', 'create', 'x', '-c', 'retention.mss=1'], 1, /INVALID_CONFIG.*retention\.ms/],
      [['topic', 'describe', 'nowhere'], 4, /UNKNOWN_TOPIC_OR_PARTITION.*\nnext: /],
      [['topic', 'delete', 'nowhere', '-y'], 4, /UNKNOWN_TOPIC_OR_PARTITION/],
    ];
    const results = await Promise.all(cases.map(([args]) => cli(args)));
    for (const [at, [args, code, words]] of cases.entries()) {
      expect(results[at], args.join(' ')).to.include({ code });
      expect(results[at]!.stderr, args.join(' ')).to.match(words);
    }
  });

  it('tells about the cluster, and says unhealthy when nobody answers', async () => {
    const info = await json<{ clusterId: string; brokers: readonly object[] }>(['cluster', 'info']);
    expect(info.clusterId).to.match(/^[\w-]{22}$/);
    expect(info.brokers).to.have.length(1);
    expect(await json<object>(['cluster', 'health'])).to.include({ healthy: true });
    // Port 1 is reserved, so nothing listens there.
    const nobody = await runCommand(['cluster', 'health', '--brokers', '127.0.0.1:1']);
    expect(nobody.code).to.equal(3);
    expect(nobody.stderr).to.include('the cluster does not answer').and.include('tidemark dev');
  });

  it('takes the brokers from the environment, and completes topic names from them', async () => {
    await cli(['topic', 'create', 'payments']);
    const environment = { TIDEMARK_BROKERS: server.address };
    const { stdout } = await runCommand(['__complete', '--', 'consume', 'pay'], { environment });
    expect(stdout).to.equal('payments\n');
  });

  it('prints what the files of a partition hold', async () => {
    await cli(['topic', 'create', 'files']);
    await cli(['produce', 'files', '-k', 'key', '-z', 'gzip'], 'first\nsecond\n');
    const folder = join(server.dataDirectory, 'files-0');
    const name = (await readdir(folder)).find((file) => file.endsWith('.log'))!;
    const { code, stdout } = await runCommand([
      'log',
      'dump',
      join(folder, name),
      '--records',
      '-o',
      'jsonl',
    ]);
    expect(code).to.equal(0);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows[0]).to.include({
      kind: 'batch',
      position: 0,
      baseOffset: 0,
      recordCount: 2,
      compression: 'gzip',
      crcIsValid: true,
    });
    expect(rows.slice(1).map(({ kind, offset, key, value }) => [kind, offset, key, value])).to.deep.equal([
      ['record', 0, 'key', 'first'],
      ['record', 1, 'key', 'second'],
    ]);
  });

  it('measures writing, reading and both ends, and leaves no topic behind', async () => {
    interface Result {
      readonly records: number;
      readonly recordsPerSecond: number;
      readonly latency?: {
        readonly count: number;
        readonly p50Ms: number;
        readonly p999Ms: number;
        readonly maxMs: number;
      };
    }
    const before = await json<unknown[]>(['topic', 'list']);
    const produce = await json<Result>([
      'bench',
      'produce',
      '-n',
      '5k',
      '-s',
      '100',
      '-p',
      '2',
      '--keys',
      '10',
    ]);
    expect(produce.records).to.equal(5_000);
    expect(produce.recordsPerSecond).to.be.greaterThan(0);
    expect(produce.latency!.p50Ms).to.be.within(0.001, produce.latency!.maxMs);
    const rated = await json<Result>(['bench', 'e2e', '-n', '200', '--rate', '1000', '--no-progress']);
    expect(rated).to.include({ records: 200 });
    expect(rated.latency!.count).to.equal(200);
    const consume = await json<Result>(['bench', 'consume', '-n', '5k', '--no-progress']);
    expect(consume.records).to.equal(5_000);
    expect(await json<unknown[]>(['topic', 'list'])).to.deep.equal(before);
  });
});
