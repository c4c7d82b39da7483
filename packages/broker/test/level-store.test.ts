import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ClassicLevel } from 'classic-level';
import { DiskError, type KeyValueStore } from '@tidemark/core';
import { keyValueConformance, type KeyValueStoreUnderTest } from '@tidemark/simulation';
import { LevelStore } from '../src/level-store.ts';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-level-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (error instanceof DiskError ? error.code : String(error)),
  );
}

const key = (at: number): Uint8Array => Uint8Array.of(0x6b, at >> 8, at & 0xff);

describe('LevelStore is a KeyValueStore', () => {
  /** Without its folder LevelDB cannot begin the next log file, which it does at the latest after its write buffer's size. */
  const world = async (folder: string): Promise<KeyValueStoreUnderTest> => ({
    store: await LevelStore.open(folder),
    reopened: () => LevelStore.open(folder),
    breakWrites: () => rm(folder, { recursive: true }),
    mendWorld: async () => {
      await mkdir(folder);
    },
  });
  for (const { name, run } of keyValueConformance) {
    it(name, () =>
      inFolder(async (folder) => {
        let count = 0;
        await run(() => world(join(folder, `store-${++count}`)));
      }),
    );
  }
});

describe('LevelStore', () => {
  it('makes its folder with its parents, and keeps every other opener out', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'deep', 'metadata');
      const store = await LevelStore.open(path);
      expect(await codeOf(LevelStore.open(path))).to.equal('ELOCKED');
      await store.close();
      const again = await LevelStore.open(path);
      await again.close();
    }));

  it('says what is in the way of opening', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'file'), '');
      expect(await codeOf(LevelStore.open(join(folder, 'file')))).to.equal('EEXIST');
      const path = join(folder, 'damaged');
      await (await LevelStore.open(path)).close();
      await writeFile(join(path, 'CURRENT'), 'MANIFEST-999999\n');
      const failed = await LevelStore.open(path).catch((error: unknown) => error);
      expect(failed).to.be.instanceOf(DiskError);
      expect((failed as DiskError).path).to.equal(path);
      expect(((failed as DiskError).cause as Error).message).to.contain('MANIFEST-999999');
    }));

  it('keeps what was written, synced or not, when the process is killed', () =>
    inFolder(async (folder) => {
      const source = new URL('../src/level-store.ts', import.meta.url).href;
      const script = `
        import { LevelStore } from ${JSON.stringify(source)};
        const store = await LevelStore.open(${JSON.stringify(folder)});
        for (let at = 0; at < 100; at++) {
          await store.write([{ key: Uint8Array.of(1, at), value: Uint8Array.of(at) }], { sync: at === 50 });
        }
        process.kill(process.pid, 'SIGKILL');`;
      const killed = await promisify(execFile)(process.execPath, [
        ...process.execArgv,
        '--input-type=module',
        '--eval',
        script,
      ]).then(
        () => expect.fail('the process outlived SIGKILL'),
        (error: unknown) => error as { signal: string },
      );
      expect(killed.signal).to.equal('SIGKILL');
      const store = await LevelStore.open(folder);
      expect(await all(store)).to.have.length(100);
      await store.close();
    }));

  it('answers plain arrays of bytes, which a slice copies', () =>
    inFolder(async (folder) => {
      const store = await LevelStore.open(folder);
      await store.write([{ key: key(1), value: Buffer.from('value') }], { sync: false });
      const value = await store.get(key(1));
      const [entry] = await all(store);
      for (const bytes of [value!, entry!.key, entry!.value]) {
        expect(Object.getPrototypeOf(bytes)).to.equal(Uint8Array.prototype);
      }
      await store.close();
    }));

  it('sends the writes that wait out together, with one sync for all, and syncs with an empty batch', () =>
    inFolder(async (folder) => {
      const store = await LevelStore.open(folder);
      const sent: [records: number, sync: unknown][] = [];
      const restore = wrapped('batch', (batch) => (records: unknown[], options: { sync: boolean }) => {
        sent.push([records.length, options.sync]);
        return batch(records, options);
      });
      try {
        const work = Array.from({ length: 500 }, (_, at) =>
          store.write([{ key: key(at), value: key(at) }], { sync: at === 250 }),
        );
        await Promise.all(work);
        expect(sent).to.deep.equal([
          [1, false],
          [499, true],
        ]);
        await store.write([], { sync: true });
        expect(sent.at(-1), 'LevelDB syncs only with a record').to.deep.equal([1, true]);
        expect(await all(store)).to.have.length(500);
      } finally {
        restore();
      }
      await store.close();
    }));

  it('answers a get with what was there when it was called, however late LevelDB reads', () =>
    inFolder(async (folder) => {
      const store = await LevelStore.open(folder);
      await store.write([{ key: key(1), value: Uint8Array.of(1) }], { sync: false });
      const gate: { open: () => void } = { open: () => undefined };
      const opened = new Promise<void>((resolve) => (gate.open = resolve));
      const restore = wrapped('get', (get) => async (...call: unknown[]) => {
        await opened;
        return get(...call);
      });
      try {
        const before = store.get(key(1));
        await store.write([{ key: key(1), value: Uint8Array.of(2) }], { sync: false });
        gate.open();
        expect(await before).to.deep.equal(Uint8Array.of(1));
        expect(await store.get(key(1))).to.deep.equal(Uint8Array.of(2));
      } finally {
        restore();
      }
      await store.close();
    }));

  it('takes nothing after a write the disk refused in the middle, and finds the ones before it', () =>
    inFolder(async (folder) => {
      // A limit on the size of files is the one way to a full disk that needs no privilege.
      const source = new URL('../src/level-store.ts', import.meta.url).href;
      const script = `
        import { LevelStore } from ${JSON.stringify(source)};
        const store = await LevelStore.open(${JSON.stringify(folder)});
        const outcome = (work) => work.then(() => 'done', (error) => error.name);
        const value = new Uint8Array(64 * 1024);
        const outcomes = [];
        for (let at = 0; at < 9; at++) {
          outcomes.push(await outcome(store.write([{ key: Uint8Array.of(1, at), value }], { sync: true })));
        }
        const small = { key: Uint8Array.of(2), value: Uint8Array.of(1) };
        outcomes.push(await outcome(store.write([small], { sync: false })));
        console.log(outcomes.join(' '));`;
      const limited = ['-c', `trap '' XFSZ; ulimit -f 512; exec "$@"`, 'bash', process.execPath];
      const node = [...process.execArgv, '--input-type=module', '--eval', script];
      const { stdout } = await promisify(execFile)('bash', [...limited, ...node]);
      expect(stdout.trim()).to.equal(`${'done '.repeat(7)}DiskError DiskError DiskError`);
      const store = await LevelStore.open(folder);
      expect((await all(store)).map((entry) => [...entry.key])).to.deep.equal(
        Array.from({ length: 7 }, (_, at) => [1, at]),
      );
      await store.write([{ key: key(1), value: key(1) }], { sync: true });
      await store.close();
    }));
});

type Call = (...call: never[]) => unknown;

/** Puts something around a method of the library, in every store; answers how to take it away. */
function wrapped(
  name: 'batch' | 'get',
  around: (original: (...call: unknown[]) => unknown) => Call,
): () => void {
  const prototype = ClassicLevel.prototype as unknown as Record<string, Call | undefined>;
  const original = prototype[name]! as (...call: unknown[]) => unknown;
  // The library's own is inherited: this one stands before it until it is deleted.
  prototype[name] = function (this: unknown, ...call: never[]) {
    return around((...inner) => original.apply(this, inner))(...call);
  };
  return () => {
    Reflect.deleteProperty(prototype, name);
  };
}

async function all(store: KeyValueStore) {
  const iterator = store.iterate({ from: Uint8Array.of(0), to: Uint8Array.of(0xff, 0xff) });
  const entries = [];
  for (let chunk = await iterator.next(1e6); chunk.length > 0; chunk = await iterator.next(1e6)) {
    entries.push(...chunk);
  }
  await iterator.close();
  return entries;
}
