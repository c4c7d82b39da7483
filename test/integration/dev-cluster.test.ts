// A cluster for trying things out, and what an operator looks at it with: `tidemark dev --brokers 3`, `cluster health -w`, `debug bundle`.
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { runCommand, startCommand, type RunningCommand } from './start-server.ts';

interface DevCluster {
  readonly nodes: readonly {
    readonly id: number;
    readonly pid: number;
    readonly addresses: { readonly CLIENT: string; readonly HTTP: string };
  }[];
  readonly data: string;
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Lines of a command's output as they come; each is told once. */
function linesOf(command: RunningCommand, from: 'stdout' | 'stderr'): () => Promise<string> {
  const lines = createInterface({ input: command.process[from]! })[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the command ended');
    return value;
  };
}

async function lineWith(next: () => Promise<string>, text: string): Promise<string> {
  for (;;) {
    const line = await next();
    if (line.includes(text)) return line;
  }
}

describe('tidemark dev --brokers 3', function () {
  this.timeout(120_000);
  let folder: string;
  let dev: RunningCommand;
  let cluster: DevCluster;
  let brokers: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-dev-test-'));
    dev = startCommand(['dev', '--brokers', '3', '--port', '0', '-o', 'json']);
    cluster = JSON.parse(await linesOf(dev, 'stdout')()) as DevCluster;
    brokers = cluster.nodes.map(({ addresses }) => addresses.CLIENT).join(',');
  });
  after(async () => {
    dev.process.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  it('serves; a node that is killed is started again, and `cluster health -w` shows both', async () => {
    expect(cluster.nodes.map(({ id }) => id)).to.deep.equal([1, 2, 3]);
    const created = await runCommand([
      'topic',
      'create',
      'orders',
      '-p',
      '3',
      '-r',
      '3',
      '--brokers',
      brokers,
    ]);
    expect(created.code, created.stderr).to.equal(0);
    const watch = startCommand(['cluster', 'health', '-w', '-o', 'jsonl', '--brokers', brokers]);
    try {
      const next = linesOf(watch, 'stdout');
      expect(await lineWith(next, '"healthy":true')).to.contain('"at":"');
      const told = linesOf(dev, 'stderr');
      process.kill(cluster.nodes[2]!.pid, 'SIGKILL');
      await lineWith(next, '"healthy":false');
      await lineWith(told, 'node 3 serves again');
      await lineWith(next, '"healthy":true');
    } finally {
      watch.process.kill('SIGINT');
    }
    expect((await watch.result).code).to.equal(0);
  });

  it('is described by a debug bundle, without secrets', async () => {
    const file = join(folder, 'bundle.tar.gz');
    const log = join(folder, 'node.log');
    const config = join(folder, 'server.properties');
    await writeFile(log, `${'x'.repeat(2_000_000)}\nthe last line\n`);
    await writeFile(config, 'node.id=1\nssl.keystore.pasword=hunter2\n');
    const args = ['debug', 'bundle', '-f', file, '--log', log, '--config', config, '--brokers', brokers];
    const made = await runCommand([...args, '-o', 'json']);
    expect(made.code, made.stderr).to.equal(0);
    expect(JSON.parse(made.stdout)).to.include({ file }).and.to.have.deep.property('missing', []);
    await promisify(execFile)('tar', ['xzf', file, '-C', folder]);
    const read = (name: string): Promise<string> => readFile(join(folder, 'bundle', name), 'utf8');
    expect(JSON.parse(await read('health.json'))).to.include({ complete: true });
    expect(JSON.parse(await read('quorum.json')))
      .to.have.property('voters')
      .with.length(3);
    expect(JSON.parse(await read('cluster.json')))
      .to.have.property('nodes')
      .with.length(3);
    expect(await read('configs.json')).to.contain('"log.retention.ms"');
    expect(await read('node-2-metrics.txt')).to.contain('tidemark_ready 1');
    const tail = await read('log-1-node.log');
    expect([tail.length, tail.endsWith('the last line\n')]).to.deep.equal([1024 * 1024, true]);
    const settings = await read('config-1-server.properties');
    expect(settings).to.equal('node.id=1\nssl.keystore.pasword=[hidden]\n');
    // A file that is there is not written over.
    expect((await runCommand(args)).code).to.equal(1);
  });

  it('makes a bundle of a cluster that does not answer, and says what is not in it', async () => {
    const file = join(folder, 'nobody.tar.gz');
    const args = ['debug', 'bundle', '-f', file, '--timeout', '500ms', '--brokers', '127.0.0.1:1'];
    const made = await runCommand(args);
    expect(made.code, made.stderr).to.equal(0);
    expect(made.stderr).to.contain('not in it: health.json');
  });

  it('ends all nodes and removes the data at Ctrl-C', async () => {
    dev.process.kill('SIGINT');
    expect((await dev.result).code).to.equal(0);
    expect(cluster.nodes.filter(({ pid }) => isAlive(pid))).to.deep.equal([]);
    const left = await readFile(join(cluster.data, 'n1', 'meta.properties'), 'utf8').catch(() => 'gone');
    expect(left).to.equal('gone');
  });

  it('leaves no server behind when it is killed itself', async () => {
    const killed = startCommand([
      'dev',
      '--brokers',
      '3',
      '--port',
      '0',
      '-o',
      'json',
      '--dir',
      join(folder, 'kept'),
    ]);
    const { nodes } = JSON.parse(await linesOf(killed, 'stdout')()) as DevCluster;
    expect(nodes.every(({ pid }) => isAlive(pid))).to.equal(true);
    killed.process.kill('SIGKILL');
    while (nodes.some(({ pid }) => isAlive(pid))) await setTimeout(50);
  });
});
