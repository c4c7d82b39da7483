// What a chaos run must not miss and must not leave behind: its rules of liveness with the failure planted, its links, and its end.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HistoryChecker } from '@tidemark/simulation';
import { AckWatch } from '../chaos/ack-watch.ts';
import { FaultLog, type Strike } from '../chaos/fault-log.ts';
import type { Fault, FaultContext } from '../chaos/faults.ts';
import { PeerLinks } from '../chaos/peer-links.ts';
import { RecordedHistory } from '../chaos/recorded-history.ts';
import { eventually } from './cluster.ts';
import { cleanEnvironment } from './start-server.ts';

const MAIN = fileURLToPath(new URL('../chaos/main.ts', import.meta.url));

describe('chaos rules', function () {
  this.timeout(30_000);

  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-chaos-test-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  /** A fault under which `acks` writes to one of two partitions are acknowledged; after it only those of `goesOn` are. */
  async function struck(
    acks: number,
    over: { promise?: Fault['promise']; isWhole?: boolean; goesOn?: readonly string[] } = {},
  ): Promise<{ readonly found: readonly string[]; readonly strike: Strike }> {
    const { promise = 'progress', isWhole = true, goesOn = ['t-0', 't-1'] } = over;
    const checker = new HistoryChecker({ minAcknowledged: 0 });
    const history = new RecordedHistory(join(folder, `history-${acks}-${promise}-${isWhole}`), checker);
    const watch = new AckWatch(['t-0', 't-1']);
    const log = new FaultLog({ history, watch, silentMs: 100, say: () => undefined });
    let goingOn: NodeJS.Immediate | undefined;
    const goOn = (): void => {
      for (const tp of goesOn) watch.acked(tp);
      goingOn = setImmediate(goOn);
    };
    const run: Fault['run'] = (_, told) => {
      // What is acknowledged before it struck is not progress under it.
      for (let ack = 0; ack < 500; ack++) watch.acked('t-1');
      told('node 1');
      for (let ack = 0; ack < acks; ack++) watch.acked('t-0');
      goingOn = setImmediate(goOn);
      return Promise.resolve();
    };
    await log.strike({ name: 'planted', promise, run }, {} as FaultContext, isWhole);
    clearImmediate(goingOn);
    history.close();
    return { found: checker.report().examples, strike: log.strikes[0]! };
  }

  it('wants 100 acknowledgements while a broker is gone and the others are in sync', async () => {
    const { found } = await struck(99);
    assert.equal(found.length, 1);
    assert.match(found[0]!, /^no-progress-during-fault: planted #1: 99 acknowledged in \d+ ms, not 100; t-/);
    assert.deepEqual((await struck(100)).found, []);
    assert.deepEqual((await struck(0, { promise: 'none' })).found, []);
    assert.deepEqual((await struck(0, { isWhole: false })).found, []);
  });

  it('names the partition that does not go on once the fault is healed, and its pause', async () => {
    const { found, strike } = await struck(1_000, { goesOn: ['t-0'] });
    assert.equal(found.length, 1);
    assert.match(found[0]!, /^no-progress-after-heal: planted #1: t-1 acknowledged nothing for 100 ms/);
    assert.ok(strike.pausesMs.get('t-1')! >= 100);
    assert.ok(strike.pausesMs.get('t-0')! < strike.pausesMs.get('t-1')!);
  });

  it('refuses connections to a node that is gone, and takes them on the same port again', async () => {
    const target = createServer((socket) => socket.end('here'));
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
    const links = new PeerLinks();
    const peers = new Map([
      [1, 1],
      [2, (target.address() as AddressInfo).port],
    ]);
    const seen = await links.votersSeenBy(1, peers);
    const port = Number(/2@127\.0\.0\.1:(\d+)/.exec(seen)![1]);
    const ask = async (): Promise<string> => {
      const socket = connect(port, '127.0.0.1');
      let told = '';
      socket.on('data', (bytes) => (told += bytes.toString()));
      await once(socket, 'close');
      return told;
    };
    try {
      assert.equal(await ask(), 'here');
      await links.refuse(2);
      await assert.rejects(ask(), /ECONNREFUSED/);
      await links.accept(2);
      assert.equal(await ask(), 'here');
    } finally {
      await links.close();
      target.close();
    }
  });

  /** `make chaos` with these arguments. */
  function chaos(...args: readonly string[]): ReturnType<typeof spawn> {
    return spawn(process.execPath, ['--import=tsx', '--conditions=@tidemark/source', MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...cleanEnvironment(), TMPDIR: folder },
    });
  }

  async function ended(
    child: ReturnType<typeof spawn>,
  ): Promise<readonly [code: number | null, last: string]> {
    let out = '';
    child.stdout!.on('data', (bytes: Buffer) => (out += bytes.toString()));
    await once(child, 'close');
    return [child.exitCode, out.trimEnd().split('\n').at(-1)!];
  }

  async function childrenOf(pid: number): Promise<readonly number[]> {
    const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=']);
    const lines = stdout.trim().split('\n');
    return lines.map((line) => line.trim().split(/\s+/).map(Number)).flatMap(([child, parent]) => (parent === pid ? [child!] : [])); // prettier-ignore
  }

  /** Of ours: the loader of TypeScript has a cache there. */
  const left = async (): Promise<readonly string[]> =>
    (await readdir(folder)).filter((name) => name.startsWith('tidemark'));

  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
      return false;
    }
  };

  it('leaves no process and no file when it is interrupted', async () => {
    const child = chaos('--profile', 'fast');
    const end = ended(child);
    await eventually('three nodes with data', 25_000, async () => {
      const files = await readdir(folder, { recursive: true });
      return files.filter((file) => file.endsWith('/meta.properties')).length === 3 ? true : undefined;
    });
    const pids = await childrenOf(child.pid!);
    assert.ok(pids.length >= 3, `${pids.length} children`);
    child.kill('SIGTERM');
    assert.deepEqual(await end, [143, 'INTERRUPTED: SIGTERM']);
    assert.deepEqual(await left(), []);
    await eventually('all of them ended', 5_000, () => (pids.some(isAlive) ? undefined : true));
  });

  it('says in its last line what it could not even begin with', async () => {
    const [code, last] = await ended(chaos('--faults', 'kill-leader,flood'));
    assert.equal(code, 1);
    assert.match(last, /^FAILED: error: no fault is called flood: kill-leader, /);
    assert.deepEqual(await left(), []);
  });
});
