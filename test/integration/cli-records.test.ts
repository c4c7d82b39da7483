// Records in and out through the command, as a user does it: files, pipes, formats, positions, and ends that come early.
import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCommand, startServer, type ServerProcess } from './start-server.ts';

describe('tidemark produce and consume', function () {
  this.timeout(60_000);

  let server: ServerProcess;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-cli-'));
    server = await startServer();
  });

  after(async () => {
    await server.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  const cli = (args: readonly string[], input?: string | Uint8Array) => server.cli(args, input);

  async function topic(name: string, partitions = 1): Promise<string> {
    const { code, stderr } = await cli(['topic', 'create', name, '-p', String(partitions)]);
    expect(code, stderr).to.equal(0);
    return name;
  }

  /** A topic with one partition that holds the values 0, 1, 2 ... */
  async function numbers(name: string, count: number): Promise<string> {
    await topic(name);
    const input = Array.from({ length: count }, (_, at) => `${at}\n`).join('');
    const { code, stderr } = await cli(['produce', name], input);
    expect(code, stderr).to.equal(0);
    return name;
  }

  async function lines(args: readonly string[]): Promise<string[]> {
    const { code, stdout, stderr } = await cli(args);
    expect(code, stderr).to.equal(0);
    return stdout.split('\n').slice(0, -1);
  }

  it('takes a file line by line and gives it back byte for byte', async () => {
    await topic('files');
    // Empty lines, CRLF, a tab, bytes that are no UTF-8, no newline at the end.
    const content = Buffer.concat([
      Buffer.from('one\n\ntwo\r\n\tthree ü\n'),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from('last'),
    ]);
    const path = join(folder, 'input');
    await writeFile(path, content);
    const produced = await cli(['produce', 'files', '--file', path]);
    expect(produced).to.include({ code: 0, stdout: '' });
    expect(produced.stderr).to.match(/^Produced 6 records, \d+ B in .* \(.*\/s\)\.\n$/);
    const consumed = await cli(['consume', 'files', '-e', '-f', '%v{hex}\\n']);
    const values = consumed.stdout
      .trimEnd()
      .split('\n')
      .map((hex) => Buffer.from(hex, 'hex'));
    expect(
      Buffer.concat(values.flatMap((value) => [value, Buffer.from('\n')]))
        .subarray(0, -1)
        .equals(content),
    ).to.equal(true);
  });

  it('keeps a large file in order through many compressed batches', async () => {
    const content = Array.from({ length: 20_000 }, (_, at) => `line ${at} ${'x'.repeat(at % 97)}\n`).join('');
    await topic('large');
    expect((await cli(['produce', 'large', '-z', 'zstd'], content)).code).to.equal(0);
    expect((await cli(['consume', 'large', '-e', '-f', '%v\\n'])).stdout === content).to.equal(true);
  });

  it('carries key, headers, partition, timestamp and tombstones', async () => {
    await topic('full', 3);
    const first = await cli(
      ['produce', 'full', '-f', '%p\\t%k\\t%T\\t%h\\t%v\\n', '-H', 'via=cli', '-Z'],
      '2\tk\t1767225600000\t{"a":"1"}\tvalue\n2\tgone\t1767225600001\t{}\t\n',
    );
    expect(first.code, first.stderr).to.equal(0);
    expect((await lines(['consume', 'full', '-e'])).map((line) => JSON.parse(line) as unknown)).to.deep.equal(
      [
        {
          topic: 'full',
          partition: 2,
          offset: 0,
          timestamp: 1_767_225_600_000,
          key: 'k',
          value: 'value',
          headers: { via: 'cli', a: '1' },
        },
        {
          topic: 'full',
          partition: 2,
          offset: 1,
          timestamp: 1_767_225_600_001,
          key: 'gone',
          value: null,
          headers: { via: 'cli' },
        },
      ],
    );
    expect((await cli(['consume', 'full', '-e', '-o', 'table'])).stdout).to.match(
      /^PARTITION +OFFSET +TIMESTAMP +KEY +VALUE\n +2 +0 +2026-01-01T00:00:00.000Z +k +value\n/,
    );
    expect(JSON.parse((await cli(['consume', 'full', '-e', '-o', 'json'])).stdout)).to.have.length(2);
  });

  it('sends every record of a key to one partition, as -k does for all', async () => {
    await topic('keyed', 4);
    await cli(['produce', 'keyed', '-f', '%k %v\\n'], 'a 1\nb 2\na 3\nc 4\na 5\n');
    await cli(['produce', 'keyed', '-k', 'a'], '6\n7\n');
    const rows = (await lines(['consume', 'keyed', '-e', '-f', '%p %k %v\\n'])).map((line) =>
      line.split(' '),
    );
    expect(new Set(rows.filter(([, key]) => key === 'a').map(([partition]) => partition)).size).to.equal(1);
    expect(rows.filter(([, key]) => key === 'a').map(([, , value]) => value)).to.deep.equal([
      '1',
      '3',
      '5',
      '6',
      '7',
    ]);
    const { stdout } = await cli([
      'consume',
      'keyed',
      '-e',
      '-f',
      '%v\\n',
      '-p',
      '0,1',
      '-p',
      '2',
      '-p',
      '3',
    ]);
    expect(stdout.trimEnd().split('\n')).to.have.length(7);
  });

  it('begins where --from says', async () => {
    await numbers('positions', 10);
    const values = async (from: string, ...more: readonly string[]): Promise<string> =>
      (await lines(['consume', 'positions', `--from=${from}`, '-e', '-f', '%v\\n', ...more])).join('');
    const expected = {
      end: '',
      '7': '789',
      '+2': '23456789',
      '-3': '789',
      '@-1h': '0123456789',
      '@2999-01-01T00:00:00Z': '',
    };
    const found = await Promise.all(Object.keys(expected).map((from) => values(from)));
    expect(Object.fromEntries(Object.keys(expected).map((from, at) => [from, found[at]]))).to.deep.equal(
      expected,
    );
    expect(await values('+2', '-n', '3')).to.equal('234');
  });

  it('begins at a time between two records at the later one', async () => {
    await topic('times');
    await cli(['produce', 'times', '-f', '%T %v\\n'], '1767225600000 early\n1767225660000 late\n');
    const from = (position: string) => lines(['consume', 'times', '--from', position, '-e', '-f', '%v\\n']);
    const [between, before] = await Promise.all([from('@2026-01-01T00:00:30Z'), from('@1767225600000')]);
    expect(between).to.deep.equal(['late']);
    expect(before).to.deep.equal(['early', 'late']);
  });

  it('waits for an offset that does not exist yet, and stops after -n', async () => {
    await numbers('future', 2);
    const waiting = startCommand([
      'consume',
      'future',
      '--from',
      '3',
      '-n',
      '1',
      '-f',
      '%o %v\\n',
      '--brokers',
      server.address,
    ]);
    await cli(['produce', 'future'], 'two\nthree\nfour\n');
    expect(await waiting.result).to.include({ code: 0, stdout: '3 three\n' });
  });

  it('gives a receipt for every record', async () => {
    await topic('receipts');
    const asLines = await cli(['produce', 'receipts', '-o', 'jsonl'], 'a\nb\n');
    expect(
      asLines.stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { offset: number }).offset),
    ).to.deep.equal([0, 1]);
    const asArray = await cli(['produce', 'receipts', '-o', 'json'], 'c\n');
    const [receipt] = JSON.parse(asArray.stdout) as object[];
    expect(receipt).to.include({
      topic: 'receipts',
      partition: 0,
      offset: 2,
      onDisk: true,
      duplicate: false,
    });
    expect(JSON.parse((await cli(['produce', 'receipts', '-o', 'json'], '')).stdout)).to.deep.equal([]);
  });

  it('delivers what it took when Ctrl-C ends it, and exits with 0', async () => {
    await topic('interrupted');
    const producing = startCommand(
      [
        'produce',
        'interrupted',
        '-X',
        'linger.ms=10000',
        '-X',
        'delivery.timeout.ms=60000',
        '--progress',
        '--brokers',
        server.address,
      ],
      {
        interactive: true,
      },
    );
    // Progress tells when the record has been taken: from then on it must not be lost.
    producing.process.stdin!.write('kept\n');
    let told = '';
    const taken = new Promise<void>((resolve) => {
      producing.process.stderr!.on('data', (chunk: Buffer) => {
        told += chunk.toString();
        if (told.includes('produced')) resolve();
      });
    });
    const feeding = setInterval(() => producing.process.stdin!.write('more\n'), 200);
    await taken;
    clearInterval(feeding);
    producing.process.kill('SIGINT');
    const { code, stderr } = await producing.result;
    expect(code, stderr).to.equal(0);
    const [, count] = /Produced (\d+) records?/.exec(stderr)!;
    const values = await lines(['consume', 'interrupted', '-e', '-f', '%v\\n']);
    expect(values).to.have.length(Number(count));
    expect(values[0]).to.equal('kept');
  });

  it('ends a consumer quietly on Ctrl-C and when the reader has gone', async () => {
    await numbers('quiet', 5);
    const following = startCommand(['consume', 'quiet', '-f', '%v\\n', '--brokers', server.address]);
    await once(following.process.stdout!, 'data');
    following.process.kill('SIGINT');
    expect(await following.result).to.include({ code: 0, stderr: '' });
    const cut = startCommand(['consume', 'quiet', '-f', '%v\\n', '--brokers', server.address]);
    await once(cut.process.stdout!, 'data');
    cut.process.stdout!.destroy();
    await cli(['produce', 'quiet'], 'wake up\n');
    expect(await cut.result).to.include({ code: 0, stderr: '' });
  });

  it('says what is wrong with the input, keeps what came before, and exits with 1', async () => {
    await topic('strict');
    const { code, stderr } = await cli(['produce', 'strict', '-f', '%k\\t%v\\n'], 'a\t1\nb\t2\nno tab\n');
    expect(code).to.equal(1);
    expect(stderr)
      .to.match(/Produced 2 records/)
      .and.match(/error: record 3 of the input does not match/)
      .and.match(/next: +see/);
    expect(await lines(['consume', 'strict', '-e', '-f', '%k=%v\\n'])).to.deep.equal(['a=1', 'b=2']);
  });

  it('refuses a record that is too large, and says how to take it', async () => {
    await topic('small');
    const { code, stderr } = await cli(['produce', 'small'], `${'x'.repeat(3_000_000)}\n`);
    expect(code).to.equal(1);
    expect(stderr).to.include('MESSAGE_TOO_LARGE').and.include('next:');
  });

  it('knows wrong usage (2) from what does not exist (4)', async () => {
    await topic('exists');
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['produce', 'nowhere'], 4, /UNKNOWN_TOPIC_OR_PARTITION.*\nnext: .*topic create/],
      [['consume', 'exists', '-p', '7'], 4, /has no partition 7/],
      [['consume', 'exists', '--from', 'middle'], 2, /"middle" is not a position/],
      [['produce', 'exists', '-f', '%k %v\\n', '-k', 'x'], 2, /--key and %k/],
      [['produce', 'exists', '-X', 'linger.ms=soon'], 1, /INVALID_CONFIG.*linger\.ms/],
      [['produce', 'exists', '--file', '/nowhere/at/all'], 4, /ENOENT/],
    ];
    const results = await Promise.all(cases.map(([args]) => cli(args, '')));
    for (const [at, [args, code, words]] of cases.entries()) {
      expect(results[at], args.join(' ')).to.include({ code });
      expect(results[at]!.stderr, args.join(' ')).to.match(words);
    }
  });
});
