// `tidemark server` as a process: what it refuses, what survives a kill, how it ends.
import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { runCommand, startCommand, startServer } from './start-server.ts';

describe('tidemark server', function () {
  this.timeout(60_000);

  it('keeps every acknowledged record in order over kill -9 and restart, and over a clean stop', async () => {
    const server = await startServer();
    const cli = (args: readonly string[], input?: string) => server.cli(args, input);
    try {
      await cli(['topic', 'create', 'ledger', '-p', '2']);
      const lines = (from: number, to: number): string =>
        Array.from({ length: to - from }, (_, at) => `${(from + at) % 7} ${from + at}\n`).join('');
      expect((await cli(['produce', 'ledger', '-f', '%k %v\\n'], lines(0, 3_000))).code).to.equal(0);
      const address = server.address;
      await server.kill();
      await server.start();
      expect(server.address).to.equal(address);
      expect((await cli(['produce', 'ledger', '-f', '%k %v\\n'], lines(3_000, 4_000))).code).to.equal(0);
      expect(await server.stop()).to.equal(0);
      await server.start();
      const { stdout } = await cli(['consume', 'ledger', '-e', '-f', '%k %v\\n']);
      const read = stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ').map(Number));
      expect(read).to.have.length(4_000);
      for (let key = 0; key < 7; key++) {
        const values = read.filter(([k]) => k === key).map(([, value]) => value);
        const sent = Array.from({ length: 4_000 }, (_, at) => at).filter((at) => at % 7 === key);
        expect(values, `key ${key}`).to.deep.equal(sent);
      }
    } finally {
      await server.dispose();
    }
  });

  it('lets a producer live through a kill: it repeats, and nothing is stored twice', async () => {
    const server = await startServer();
    const cli = (...args: readonly string[]) => runCommand([...args, '--brokers', server.address]);
    try {
      await cli('topic', 'create', 'steady');
      const producing = startCommand(['produce', 'steady', '-o', 'jsonl', '--brokers', server.address], {
        interactive: true,
      });
      const { stdin } = producing.process;
      stdin!.write(Array.from({ length: 5_000 }, (_, at) => `${at}\n`).join(''));
      // The first receipt is out: the rest is somewhere on the way when the server dies.
      await once(producing.process.stdout!, 'data');
      await server.kill();
      stdin!.end(Array.from({ length: 5_000 }, (_, at) => `${5_000 + at}\n`).join(''));
      await server.start();
      const { code, stdout, stderr } = await producing.result;
      expect(code, stderr).to.equal(0);
      expect(stdout.trimEnd().split('\n')).to.have.length(10_000);
      const consumed = await cli('consume', 'steady', '-e', '-f', '%v\\n');
      expect(consumed.stdout === Array.from({ length: 10_000 }, (_, at) => `${at}\n`).join('')).to.equal(
        true,
      );
    } finally {
      await server.dispose();
    }
  });

  it('refuses settings it does not know, wherever they come from, and names them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-cli-'));
    try {
      const file = join(folder, 'server.properties');
      await writeFile(file, 'log.retentoin.ms=5\n');
      const data = ['--set', `log.dirs=${join(folder, 'data')}`];
      const [fromFile, fromFlag, fromEnvironment, noFile] = await Promise.all([
        runCommand(['server', '--config', file, ...data]),
        runCommand(['server', '--set', 'num.partitions=0', ...data]),
        runCommand(['server', ...data], { environment: { TIDEMARK_LOG_RETENTION_MS: 'soon' } }),
        runCommand(['server', '--config', join(folder, 'absent.properties')]),
      ]);
      expect(fromFile).to.include({ code: 1, stdout: '' });
      expect(fromFile.stderr).to.include('log.retentoin.ms').and.include('log.retention.ms');
      expect(fromFlag.code).to.equal(1);
      expect(fromFlag.stderr).to.include('num.partitions');
      expect(fromEnvironment.code).to.equal(1);
      expect(fromEnvironment.stderr).to.include('TIDEMARK_LOG_RETENTION_MS');
      expect(noFile.code).to.equal(4);
      expect(noFile.stderr).to.include('ENOENT');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('prints the configuration in force and where each value comes from, and starts nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-config-'));
    try {
      const file = join(folder, 'server.properties');
      await writeFile(file, 'node.id=7\nlog.retention.ms=60000\n');
      const args = ['server', '--print-config', '-c', file, '--set', `log.dirs=${join(folder, 'data')}`];
      const { code, stdout } = await startCommand([...args, '-o', 'json'], {
        environment: { TIDEMARK_LOG_RETENTION_MS: '120000' },
      }).result;
      expect(code).to.equal(0);
      const settings = new Map(
        (JSON.parse(stdout) as { name: string; value: string; source: string }[]).map(
          ({ name, value, source }) => [name, [value, source]],
        ),
      );
      expect(settings.get('node.id')).to.deep.equal(['7', `${file}:1`]);
      expect(settings.get('log.retention.ms')).to.deep.equal([
        '120000',
        'environment variable TIDEMARK_LOG_RETENTION_MS',
      ]);
      expect(settings.get('log.dirs')![1]).to.equal('flag --log.dirs');
      expect(settings.get('flush.policy')).to.deep.equal(['ack', 'default']);
      const wrong = await runCommand([...args, '--set', 'log.retention.msec=5']);
      expect(wrong.code).to.equal(1);
      expect(wrong.stderr).to.include('Did you mean log.retention.ms?');
      expect((await runCommand(['log', 'dump', join(folder, 'data', 'meta.properties')])).code).not.to.equal(
        0,
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('runs for trying things out: endpoints, the next commands, and nothing left behind', async () => {
    const dev = startCommand(['dev', '--port', '0', '-o', 'json']);
    const [chunk] = (await once(dev.process.stdout!, 'data')) as [Buffer];
    const { addresses, data } = JSON.parse(chunk.toString()) as {
      addresses: { CLIENT: string };
      data: string;
    };
    const brokers = ['--brokers', addresses.CLIENT];
    expect((await runCommand(['topic', 'create', 'orders', '-p', '3', ...brokers])).code).to.equal(0);
    expect(
      (await runCommand(['produce', 'orders', '-f', '%k\\t%v\\n', ...brokers], { input: 'a\t1\n' })).code,
    ).to.equal(0);
    expect((await runCommand(['consume', 'orders', '-e', '-f', '%k=%v\\n', ...brokers])).stdout).to.equal(
      'a=1\n',
    );
    dev.process.kill('SIGINT');
    expect((await dev.result).code).to.equal(0);
    const left = await runCommand(['log', 'dump', join(data, 'orders-0', '00000000000000000000.log')]);
    expect(left.code).to.equal(4);
  });
});
