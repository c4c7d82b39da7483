// What every KeyValueStore must do, real or simulated; and, for one whose power can be cut, what must be left of it. The
// suite breaks the store's writes through `breakWrites`, because what matters is what the store does after that.

import assert from 'node:assert/strict';
import {
  type KeyValueEntry,
  type KeyValueIterator,
  type KeyValueRange,
  type KeyValueStore,
  type KeyValueWrite,
} from '@tidemark/core';
import { failsWith, patterned, sameBytes, type ConformanceCase } from './case.ts';

export interface KeyValueStoreUnderTest {
  readonly store: KeyValueStore;
  /** What the process finds that opens the store after this one has closed it. */
  readonly reopened: () => Promise<KeyValueStore>;
  /** Makes the world fail: some write among the next 16 MiB. */
  readonly breakWrites: () => void | Promise<void>;
  /** The world is as before; that a write has failed only the store itself knows. */
  readonly mendWorld: () => void | Promise<void>;
}

export interface CrashableKeyValueStore {
  readonly store: KeyValueStore;
  /** One of the outcomes of a power failure at this moment; the store goes on. */
  readonly survivor: (seed: number) => KeyValueStore;
}

export const EVERYTHING: KeyValueRange = {
  from: Uint8Array.of(),
  to: new Uint8Array(64).fill(0xff),
};
const CRASH_SEEDS = 60;

const bytesOf = (...bytes: readonly number[]): Uint8Array => Uint8Array.from(bytes);
const put = (key: Uint8Array, value: Uint8Array): KeyValueWrite => ({ key, value });
const removal = (key: Uint8Array): KeyValueWrite => ({ key, value: undefined });
/** A key and a value for a number below 65,536; keys in the order of their numbers. */
const keyOf = (index: number): Uint8Array => bytesOf(0x6b, index >> 8, index & 0xff);
const hex = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? 'absent' : [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

async function rest(iterator: KeyValueIterator, maxBytes = 1_000_000): Promise<KeyValueEntry[]> {
  const entries: KeyValueEntry[] = [];
  for (;;) {
    const chunk = await iterator.next(maxBytes);
    if (chunk.length === 0) break;
    entries.push(...chunk);
  }
  await iterator.close();
  return entries;
}

const inHex = (entries: readonly KeyValueEntry[]): string[] =>
  entries.map(({ key, value }) => `${hex(key)}=${hex(value)}`);
const dump = async (store: KeyValueStore, range = EVERYTHING): Promise<string[]> =>
  inHex(await rest(store.iterate(range)));

/** A case about a store alone. */
function onStore(
  name: string,
  run: (store: KeyValueStore, world: KeyValueStoreUnderTest) => Promise<void>,
): ConformanceCase<KeyValueStoreUnderTest> {
  return {
    name,
    run: async (make) => {
      const world = await make();
      await run(world.store, world);
      await world.store.close();
    },
  };
}

const reading: readonly ConformanceCase<KeyValueStoreUnderTest>[] = [
  onStore('reads what was written, and knows an empty value from none', async (store) => {
    await store.write([put(keyOf(1), patterned(100)), put(keyOf(2), bytesOf())], { sync: true });
    sameBytes((await store.get(keyOf(1)))!, patterned(100), 'value');
    assert.equal(hex(await store.get(keyOf(2))), '');
    for (const absent of [keyOf(3), keyOf(1).subarray(0, 2), bytesOf(...keyOf(1), 0)]) {
      assert.equal(await store.get(absent), undefined, `nothing under ${hex(absent)}`);
    }
  }),
  onStore('replaces and removes, and does not mind removing what is absent', async (store) => {
    await store.write([put(keyOf(1), bytesOf(1)), put(keyOf(2), bytesOf(2))], { sync: false });
    await store.write([put(keyOf(1), bytesOf(9)), removal(keyOf(2)), removal(keyOf(3))], { sync: false });
    assert.equal(hex(await store.get(keyOf(1))), '09');
    assert.equal(await store.get(keyOf(2)), undefined);
    assert.deepEqual(await dump(store), ['6b0001=09']);
    await store.write([put(keyOf(2), bytesOf(3))], { sync: false });
    assert.deepEqual(await dump(store), ['6b0001=09', '6b0002=03']);
  }),
  onStore('lets the later of two writes of one key in a batch win', async (store) => {
    const [a, b, c] = [keyOf(1), keyOf(2), keyOf(3)];
    await store.write([put(b, bytesOf(1)), put(c, bytesOf(1))], { sync: false });
    await store.write(
      [
        put(a, bytesOf(1)),
        put(a, bytesOf(2)),
        put(b, bytesOf(3)),
        removal(b),
        removal(c),
        put(c, bytesOf(4)),
      ],
      { sync: false },
    );
    assert.deepEqual(await dump(store), ['6b0001=02', '6b0003=04']);
  }),
  onStore('orders keys by their bytes, a prefix first', async (store) => {
    const keys = [
      [0x00],
      [0x00, 0x00],
      [0x00, 0xff],
      [0x01],
      [0x09],
      [0x0a],
      [0x31, 0x30],
      [0x39],
      [0x7f, 0xff, 0xff],
      [0x80],
      [0xc3, 0x28],
      [0xef, 0xbf, 0xbd],
      [0xf0, 0x9f, 0x8c],
      [0xff],
      [0xff, 0x00],
    ].map((bytes) => bytesOf(...bytes));
    const shuffled = keys.map((_, at) => keys[(at * 7 + 3) % keys.length]!);
    for (const key of shuffled) await store.write([put(key, key)], { sync: false });
    assert.deepEqual(
      await dump(store),
      keys.map((key) => `${hex(key)}=${hex(key)}`),
    );
    for (const key of keys) sameBytes((await store.get(key))!, key, `the value of ${hex(key)}`);
  }),
  onStore('iterates from a bound that is in the range to one that is not', async (store) => {
    await store.write(
      Array.from({ length: 10 }, (_, at) => put(keyOf(at), bytesOf(at))),
      { sync: false },
    );
    const values = async (from: Uint8Array, to: Uint8Array): Promise<string> =>
      (await rest(store.iterate({ from, to }))).map(({ value }) => String(value[0])).join();
    assert.equal(await values(keyOf(3), keyOf(6)), '3,4,5');
    assert.equal(await values(bytesOf(...keyOf(3), 0), bytesOf(...keyOf(6), 0)), '4,5,6');
    assert.equal(await values(keyOf(8), bytesOf(0x6c)), '8,9');
    assert.equal(await values(bytesOf(), keyOf(1)), '0');
    assert.equal(await values(keyOf(5), keyOf(5)), '');
    assert.equal(await values(keyOf(6), keyOf(3)), '');
    assert.equal(await values(bytesOf(0x6c), bytesOf(0xff)), '');
  }),
  onStore('answers chunks of at most so many bytes and at least one entry', async (store) => {
    const entries = Array.from({ length: 3_000 }, (_, at) =>
      put(keyOf(at), patterned(at % 97 === 0 ? 5_000 : at % 50, at)),
    );
    await store.write(entries, { sync: false });
    for (const maxBytes of [1, 100, 5_000, 100_000, 10_000_000]) {
      const iterator = store.iterate(EVERYTHING);
      let at = 0;
      for (;;) {
        const chunk = await iterator.next(maxBytes);
        if (chunk.length === 0) break;
        const bytes = chunk.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
        assert(bytes <= maxBytes || chunk.length === 1, `${bytes} bytes where ${maxBytes} were asked`);
        for (const { key, value } of chunk) {
          assert.equal(hex(key), hex(keyOf(at)), `entry ${at}`);
          sameBytes(value, entries[at]!.value!, `value ${at}`);
          at++;
        }
      }
      assert.equal(at, entries.length, `entries in chunks of ${maxBytes}`);
      assert.equal((await iterator.next(maxBytes)).length, 0, 'the end stays the end');
      await iterator.close();
    }
  }),
  onStore('keeps large values', async (store) => {
    await store.write([put(keyOf(1), patterned(3_000_000)), put(keyOf(2), patterned(10))], { sync: true });
    sameBytes((await store.get(keyOf(1)))!, patterned(3_000_000), 'value');
    const [first, second] = await rest(store.iterate(EVERYTHING), 1);
    sameBytes(first!.value, patterned(3_000_000), 'iterated');
    sameBytes(second!.value, patterned(10), 'the one after');
  }),
  onStore('shares no memory with its callers once a call has settled', async (store) => {
    const key = keyOf(1);
    const value = patterned(100);
    await store.write([put(key, value)], { sync: false });
    key.fill(0);
    value.fill(0);
    (await store.get(keyOf(1)))!.fill(1);
    for (const entry of await rest(store.iterate(EVERYTHING))) {
      entry.key.fill(2);
      entry.value.fill(2);
    }
    const [entry] = await rest(store.iterate(EVERYTHING));
    sameBytes(entry!.key, keyOf(1), 'key');
    sameBytes(entry!.value, patterned(100), 'value');
  }),
];

const ordering: readonly ConformanceCase<KeyValueStoreUnderTest>[] = [
  onStore('iterates over what was there at the call, whatever is written later', async (store) => {
    const entries = Array.from({ length: 100 }, (_, at) => put(keyOf(at), bytesOf(at)));
    await store.write(entries, { sync: false });
    const before = await dump(store);
    const iterator = store.iterate(EVERYTHING);
    const late = store.iterate(EVERYTHING);
    await store.write(
      [
        put(keyOf(0), bytesOf(200)),
        removal(keyOf(1)),
        put(keyOf(500), bytesOf(1)),
        put(bytesOf(...keyOf(2), 1), bytesOf(1)),
      ],
      { sync: false },
    );
    const seen = [...(await iterator.next(1))];
    await store.write([removal(keyOf(50)), put(keyOf(51), bytesOf(201)), put(keyOf(501), bytesOf(1))], {
      sync: true,
    });
    seen.push(...(await rest(iterator, 40)));
    assert.deepEqual(inHex(seen), before);
    assert.deepEqual(inHex(await rest(late)), before, 'an iterator that began to read late');
    assert.equal((await dump(store)).length, 101);
  }),
  onStore('shows readers whole batches, and each call those of before it', async (store) => {
    const batch = (version: number): KeyValueWrite[] =>
      Array.from({ length: 50 }, (_, at) => put(keyOf(at), bytesOf(version)));
    const work: Promise<void>[] = [];
    const check = async (iterator: KeyValueIterator, version: number): Promise<void> => {
      const versions = (await rest(iterator)).map(({ value }) => value[0]);
      assert.deepEqual(versions, new Array<number>(version === 0 ? 0 : 50).fill(version));
    };
    for (let version = 0; version < 40; version++) {
      if (version > 0) work.push(store.write(batch(version), { sync: version % 3 === 0 }));
      work.push(check(store.iterate(EVERYTHING), version));
      work.push(
        store.get(keyOf(49)).then((value) => {
          assert.equal(hex(value), version === 0 ? 'absent' : hex(bytesOf(version)));
        }),
      );
    }
    await Promise.all(work);
  }),
  onStore('keeps the order of writes that were called together', async (store) => {
    const work: Promise<void>[] = [];
    for (let at = 0; at < 200; at++) {
      // Long and short, synced and not: what overtakes would be a short one.
      const value = bytesOf(at, ...patterned(at % 5 === 0 ? 20_000 : 1));
      work.push(store.write([put(keyOf(1), value), put(keyOf(at + 2), bytesOf(1))], { sync: at % 7 === 0 }));
    }
    await Promise.all(work);
    assert.equal((await store.get(keyOf(1)))?.[0], 199);
    assert.equal((await dump(store)).length, 201);
  }),
  onStore('refuses an empty key, and the batch it is in, and goes on', async (store) => {
    const batch = [put(keyOf(1), bytesOf(1)), put(bytesOf(), bytesOf(1))];
    await failsWith(store.write(batch, { sync: false }), ['EINVAL'], 'a batch with an empty key');
    await failsWith(store.write([removal(bytesOf())], { sync: true }), ['EINVAL'], 'removing the empty key');
    await store.write([put(keyOf(2), bytesOf(2))], { sync: true });
    assert.deepEqual(await dump(store), ['6b0002=02']);
    assert.equal(await store.get(bytesOf()), undefined);
  }),
  onStore('takes an empty batch', async (store) => {
    await store.write([], { sync: false });
    await store.write([], { sync: true });
    assert.deepEqual(await dump(store), []);
  }),
];

const ending: readonly ConformanceCase<KeyValueStoreUnderTest>[] = [
  {
    name: 'closes after the writes under way, twice without harm, and the next process finds everything',
    run: async (make) => {
      const world = await make();
      const { store } = world;
      await store.write([put(keyOf(1), patterned(100)), put(keyOf(2), bytesOf(1))], { sync: false });
      let done = 0;
      const work = Array.from({ length: 20 }, async (_, at) => {
        await store.write([put(keyOf(10 + at), bytesOf(at))], { sync: at === 0 });
        done++;
      });
      const closing = store.close().then(() => assert.equal(done, 20, 'writes ended before close did'));
      await Promise.all([...work, closing]);
      await store.close();
      const again = await world.reopened();
      sameBytes((await again.get(keyOf(1)))!, patterned(100), 'a value');
      assert.equal((await dump(again)).length, 22);
      await again.write([removal(keyOf(2))], { sync: true });
      assert.equal((await dump(again)).length, 21);
      await again.close();
    },
  },
  {
    name: 'answers nothing once it is closed, nor do its iterators',
    run: async (make) => {
      const { store } = await make();
      await store.write([put(keyOf(1), bytesOf(1))], { sync: false });
      const iterator = store.iterate(EVERYTHING);
      await store.close();
      await failsWith(iterator.next(100), ['EINVAL'], 'next');
      await iterator.close();
      await failsWith(store.write([put(keyOf(1), bytesOf(1))], { sync: false }), ['EINVAL'], 'write');
      await failsWith(store.get(keyOf(1)), ['EINVAL'], 'get');
      await failsWith(store.iterate(EVERYTHING).next(100), ['EINVAL'], 'iterate');
    },
  },
  onStore('closes an iterator twice without harm, and reads from it no more', async (store) => {
    await store.write([put(keyOf(1), bytesOf(1)), put(keyOf(2), bytesOf(1))], { sync: false });
    const iterator = store.iterate(EVERYTHING);
    assert.equal((await iterator.next(1)).length, 1);
    await iterator.close();
    await iterator.close();
    await failsWith(iterator.next(1), ['EINVAL'], 'next');
    await store.iterate(EVERYTHING).close();
    assert.equal((await dump(store)).length, 2);
  }),
  onStore('takes no write any more once one has failed', async (store, world) => {
    await store.write([put(keyOf(0), bytesOf(1))], { sync: true });
    await world.breakWrites();
    const value = patterned(256 * 1024);
    const fails = async (work: Promise<void>, what: string): Promise<void> =>
      failsWith(work, ['EIO', 'ENOSPC', 'ENOENT', 'EACCES', 'EROFS', 'EMFILE'], what);
    let broken = false;
    for (let at = 1; at <= 64 && !broken; at++) {
      const write = store.write([put(keyOf(at), value)], { sync: at % 2 === 0 });
      broken = await write.then(
        () => false,
        () => true,
      );
    }
    assert(broken, 'the world was not broken');
    const behind = [store.write([put(keyOf(100), bytesOf(1))], { sync: false })];
    behind.push(store.write([put(keyOf(101), bytesOf(1))], { sync: true }));
    for (const work of behind) await fails(work, 'a write after the failed one');
    await world.mendWorld();
    await fails(store.write([put(keyOf(102), bytesOf(1))], { sync: false }), 'a write in a mended world');
    await fails(store.write([], { sync: true }), 'an empty batch');
    for (const at of [100, 101, 102]) assert.equal(await store.get(keyOf(at)), undefined, `key ${at}`);
  }),
  onStore('refuses the writes that were waiting behind one that fails', async (store, world) => {
    await world.breakWrites();
    const value = patterned(256 * 1024);
    const outcomes: boolean[] = [];
    await Promise.all(
      Array.from({ length: 70 }, async (_, at) => {
        outcomes[at] = await store.write([put(keyOf(at), value)], { sync: at % 2 === 0 }).then(
          () => true,
          () => false,
        );
      }),
    );
    const first = outcomes.indexOf(false);
    assert(first >= 0, 'the world was not broken');
    assert.equal(outcomes.lastIndexOf(true), first - 1, `write ${first} failed, and a later one did not`);
  }),
];

export const keyValueConformance: readonly ConformanceCase<KeyValueStoreUnderTest>[] = [
  ...reading,
  ...ordering,
  ...ending,
];

/** What batch `at` of the crash stories writes: every batch changes one key, adds one and takes one away. */
const storyBatch = (at: number): KeyValueWrite[] => [
  put(keyOf(0), bytesOf(at)),
  put(keyOf(at + 10), bytesOf(at)),
  removal(keyOf(at + 5)),
];

/** After each number of batches, from none to all. */
function storyStates(count: number): string[] {
  const entries = new Map<string, string>();
  const states = [''];
  for (let at = 0; at < count; at++) {
    for (const { key, value } of storyBatch(at)) {
      if (value === undefined) entries.delete(hex(key));
      else entries.set(hex(key), hex(value));
    }
    states.push(
      [...entries]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => `${key}=${value}`)
        .join(),
    );
  }
  return states;
}

/** Each survivor is the state after some number of batches, no fewer than `durable` and no more than `called`. */
async function survivesWithin(
  world: CrashableKeyValueStore,
  states: readonly string[],
  durable: number,
  called: number,
): Promise<void> {
  for (let seed = 0; seed < CRASH_SEEDS; seed++) {
    const state = (await dump(world.survivor(seed))).join();
    const batches = states.indexOf(state);
    assert(batches >= 0, `seed ${seed}: no number of whole batches leaves ${state}`);
    assert(
      batches >= durable && batches <= called,
      `seed ${seed}: ${batches} batches are left; durable are ${durable} of ${called}`,
    );
  }
}

export const keyValueCrashConformance: readonly ConformanceCase<CrashableKeyValueStore>[] = [
  {
    name: 'keeps after a crash the first batches, whole, and every one up to the last that was synced',
    run: async (make) => {
      const world = await make();
      const states = storyStates(24);
      let durable = 0;
      for (let at = 0; at < 24; at++) {
        const sync = at % 6 === 3;
        await world.store.write(storyBatch(at), { sync });
        if (sync) durable = at + 1;
        await survivesWithin(world, states, durable, at + 1);
      }
    },
  },
  {
    name: 'makes all batches before durable with an empty one',
    run: async (make) => {
      const world = await make();
      await world.store.write(storyBatch(0), { sync: false });
      await world.store.write([], { sync: true });
      await survivesWithin(world, storyStates(1), 1, 1);
    },
  },
  {
    name: 'keeps the order of batches that were called together, and answers no sync before it is durable',
    run: async (make) => {
      const world = await make();
      const states = storyStates(24);
      let durable = 0;
      const work = Array.from({ length: 24 }, async (_, at) => {
        const sync = at % 5 === 2;
        await world.store.write(storyBatch(at), { sync });
        if (!sync) return;
        durable = Math.max(durable, at + 1);
        await survivesWithin(world, states, durable, 24);
      });
      await survivesWithin(world, states, 0, 24);
      await Promise.all(work);
    },
  },
];
