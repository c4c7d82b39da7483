// The conformance suites are checkers, and a checker is proved by what it catches: each mutant here breaks one clause of
// a port's contract, and at least one case must fail on it.
import { expect } from 'chai';
import {
  DiskError,
  type Clock,
  type Disk,
  type DiskFile,
  decodeUtf8,
  encodeUtf8,
  type KeyValueEntry,
  type KeyValueIterator,
  type KeyValueStore,
  type KeyValueWrite,
  type Network,
  type NodeId,
  type Prng,
} from '@tidemark/core';
import {
  clockConformance,
  crashModes,
  diskConformance,
  keyValueConformance,
  keyValueCrashConformance,
  networkConformance,
  prngConformance,
  SimClock,
  SimDisk,
  SimKeyValueStore,
  SimNetwork,
  SimPrng,
  type ConformanceCase,
  type CrashableKeyValueStore,
  type KeyValueStoreUnderTest,
} from '@tidemark/simulation';

async function failures<T>(
  suite: readonly ConformanceCase<T>[],
  make: () => T,
  clock?: SimClock,
): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of suite) {
    try {
      await (clock === undefined ? run(make) : clock.settle(run(make)));
    } catch {
      failed.push(name);
    }
  }
  return failed;
}

const bound = <T extends object>(target: T, changed: Partial<T>): T =>
  new Proxy(target, {
    get: (_, key) => {
      const value: unknown = Reflect.get(key in changed ? changed : target, key);
      return typeof value === 'function' && !(key in changed) ? (value.bind(target) as unknown) : value;
    },
  });

const onFiles = (change: (file: DiskFile) => Partial<DiskFile>): Disk => {
  const disk = new SimDisk();
  return bound<Disk>(disk, {
    open: async (path, mode) => {
      const file = await disk.open(path, mode);
      return bound(file, change(file));
    },
  });
};

const onDisk = (change: (disk: SimDisk) => Partial<Disk>): Disk => {
  const disk = new SimDisk();
  return bound<Disk>(disk, change(disk));
};

const size = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0);

const diskMutants: Readonly<Record<string, () => Disk>> = {
  'writes only the first part and says all': () =>
    onFiles((file) => ({
      write: async (parts, position) => {
        await file.write(parts.slice(0, 1), position);
        return size(parts);
      },
    })),
  'ignores the position of a write': () => onFiles((file) => ({ write: (parts) => file.write(parts, 0) })),
  'reads at most 64 KiB': () =>
    onFiles((file) => ({ read: (into, position) => file.read(into.subarray(0, 65_536), position) })),
  'refuses to read past the end': () =>
    onFiles((file) => ({
      read: async (into, position) => {
        if (position > (await file.sizeBytes())) throw new DiskError('EINVAL', file.path, 'read');
        return file.read(into, position);
      },
    })),
  'truncates by cutting only': () =>
    onFiles((file) => ({
      truncate: async (sizeBytes) => {
        if (sizeBytes < (await file.sizeBytes())) await file.truncate(sizeBytes);
      },
    })),
  'fills a gap with something else than zeros': () =>
    onFiles((file) => ({
      write: async (parts, position) => {
        const end = await file.sizeBytes();
        if (position > end && position < 1e6) await file.write([new Uint8Array(position - end).fill(1)], end);
        return file.write(parts, position);
      },
    })),
  'lets a closed handle go on': () => onFiles(() => ({ close: () => Promise.resolve() })),
  'cuts the file when it is opened to create': () =>
    onDisk((disk) => ({
      open: async (path, mode) => {
        const file = await disk.open(path, mode);
        if (mode === 'create') await file.truncate(0);
        return file;
      },
    })),
  'makes a file that is opened to write': () =>
    onDisk((disk) => ({ open: (path, mode) => disk.open(path, mode === 'write' ? 'create' : mode) })),
  'lists in the order of creation': () =>
    onDisk((disk) => ({ list: async (path) => [...(await disk.list(path))].reverse() })),
  'lists nothing for a missing folder': () =>
    onDisk((disk) => ({ list: (path) => disk.list(path).catch(() => []) })),
  'refuses to rename over a file': () =>
    onDisk((disk) => ({
      rename: async (from, to) => {
        if ((await disk.stat(to)) !== undefined) throw new DiskError('EEXIST', to, 'rename');
        await disk.rename(from, to);
      },
    })),
  'copies instead of renaming': () =>
    onDisk((disk) => ({
      rename: async (from, to) => {
        const bytes = disk.contents().get(from);
        if (bytes === undefined) return disk.rename(from, to);
        const file = await disk.open(to, 'create');
        await file.truncate(0);
        await file.write([bytes], 0);
        await disk.removeFile(from);
      },
    })),
  'does not mind removing what is absent': () =>
    onDisk((disk) => ({ removeFile: (path) => disk.removeFile(path).catch(() => undefined) })),
  'removes a tree by its prefix': () =>
    onDisk((disk) => ({
      removeTree: async (path) => {
        for (const { name } of await disk.list('')) if (name.startsWith(path)) await disk.removeTree(name);
        await disk.removeTree(path);
      },
    })),
  'lets everybody have the lock': () =>
    onDisk(() => ({ lockDirectory: () => Promise.resolve({ release: () => Promise.resolve() }) })),
  'resolves .. inside the root': () =>
    onDisk((disk) => ({ stat: (path) => disk.stat(path.replaceAll('..', '.')) })),
  'takes an absolute path as a relative one': () =>
    onDisk((disk) => ({ open: (path, mode) => disk.open(path.replace(/^\//, ''), mode) })),
};

class EagerClock extends SimClock {
  override setTimer(delayMs: number, callback: () => void): { cancel: () => void } {
    if (delayMs === 0) {
      callback();
      return { cancel: () => undefined };
    }
    return super.setTimer(delayMs, callback);
  }
}

const clockMutants: Readonly<Record<string, () => SimClock>> = {
  'runs a timer of 0 ms at once': () => new EagerClock(),
  'rounds delays down': () =>
    new (class extends SimClock {
      override setTimer(delayMs: number, callback: () => void) {
        return super.setTimer(Number.isFinite(delayMs) ? Math.floor(delayMs) : delayMs, callback);
      }
    })(),
  'runs timers of one moment in any order': () =>
    new (class extends SimClock {
      #count = 0;
      override setTimer(delayMs: number, callback: () => void) {
        return super.setTimer(delayMs < 2 ** 30 ? delayMs + 1 / ++this.#count : delayMs, callback);
      }
    })(),
  'does not cancel': () =>
    new (class extends SimClock {
      override setTimer(delayMs: number, callback: () => void) {
        super.setTimer(delayMs, callback);
        return { cancel: () => undefined };
      }
    })(),
  'runs a timer twice': () =>
    new (class extends SimClock {
      override setTimer(delayMs: number, callback: () => void) {
        super.setTimer(delayMs, callback);
        return super.setTimer(delayMs, callback);
      }
    })(),
  'shortens a delay that is too long': () =>
    new (class extends SimClock {
      override setTimer(delayMs: number, callback: () => void) {
        return super.setTimer(delayMs > 2 ** 31 - 1 ? 1 : delayMs, callback);
      }
    })(),
};

const prngMutants: Readonly<Record<string, () => Prng>> = {
  'takes the remainder whatever the bound': () => {
    const prng = new SimPrng(1);
    return bound<Prng>(prng, {
      below: (limit) => {
        if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32) throw new RangeError();
        return prng.uint32() % limit;
      },
    });
  },
  'has 31 bits': () => {
    const prng = new SimPrng(1);
    return bound<Prng>(prng, { uint32: () => prng.uint32() >>> 1 });
  },
  'reaches the bound': () => {
    const prng = new SimPrng(1);
    return bound<Prng>(prng, { below: (limit) => prng.below(limit < 2 ** 32 ? limit + 1 : limit) });
  },
  'hands out its pool': () => {
    const prng = new SimPrng(1);
    const pool = prng.bytes(1 << 12);
    let at = 0;
    return bound<Prng>(prng, {
      bytes: (length) => {
        if (length > 16) return prng.bytes(length);
        at = (at + 16) % (pool.length - 16);
        return pool.subarray(at, at + length);
      },
    });
  },
};

const networkMutants: Readonly<Record<string, (node: Network, clock: SimClock) => Partial<Network>>> = {
  'keeps the buffer of the sender': (node, clock) => ({
    send: (to, payload) => {
      if (payload.length > 1e6) return node.send(to, payload);
      clock.after(0, () => node.send(to, payload));
      return to < 4;
    },
  }),
  'takes everything': (node) => ({
    send: (to, payload) => {
      node.send(to, payload);
      return true;
    },
  }),
  'delivers twice': (node) => ({
    send: (to, payload) => node.send(to, payload) && node.send(to, payload),
  }),
  'does not close': () => ({ close: () => Promise.resolve() }),
};

type WriteOptions = Parameters<KeyValueStore['write']>[1];

const keyValueMutants: Readonly<Record<string, (store: SimKeyValueStore) => Partial<KeyValueStore>>> = {
  'reads keys as text': (store) => {
    const asText = (bytes: Uint8Array): Uint8Array => encodeUtf8(decodeUtf8(bytes));
    return {
      write: (writes, options) =>
        store.write(
          writes.map(({ key, value }) => ({ key: asText(key), value })),
          options,
        ),
      get: (key) => store.get(asText(key)),
    };
  },
  'orders keys by their length first': (store) => ({
    iterate: (range) => reorderedIterator(store.iterate(range), (a, b) => a.key.length - b.key.length),
  }),
  'orders bytes as signed': (store) => ({
    iterate: (range) =>
      reorderedIterator(store.iterate(range), (a, b) => (a.key[0]! << 24) - (b.key[0]! << 24)),
  }),
  'leaves out the lower bound': (store) => ({
    iterate: ({ from, to }) => store.iterate({ from: Uint8Array.of(...from, 0), to }),
  }),
  'takes in the upper bound': (store) => ({
    iterate: ({ from, to }) => store.iterate({ from, to: Uint8Array.of(...to, 0) }),
  }),
  'looks at the store when the iterator is read': (store) => ({
    iterate: (range) => {
      let begun: KeyValueIterator | undefined;
      return {
        next: (maxBytes) => (begun ??= store.iterate(range)).next(maxBytes),
        close: () => (begun ??= store.iterate(range)).close(),
      };
    },
  }),
  'reads each chunk as it is by then': (store) => ({
    iterate: ({ from, to }) => {
      let at = from;
      const first = store.iterate({ from, to });
      return {
        next: async (maxBytes) => {
          // The first chunk is as of the call; what follows is not.
          const iterator = at === from ? first : store.iterate({ from: at, to });
          const chunk = await iterator.next(maxBytes);
          if (chunk.length > 0) at = Uint8Array.of(...chunk.at(-1)!.key, 0);
          return chunk;
        },
        close: () => first.close(),
      };
    },
  }),
  'writes a batch key by key': (store) => ({
    write: async (writes, options) => {
      for (const write of writes) await store.write([write], options);
    },
  }),
  'lets the first of two writes of a key win': (store) => ({
    write: (writes, options) => store.write([...writes].reverse(), options),
  }),
  'forgets removals': (store) => ({
    write: (writes, options) =>
      store.write(
        writes.filter(({ value }) => value !== undefined),
        options,
      ),
  }),
  'takes an empty value for a removal': (store) => ({
    write: (writes, options) =>
      store.write(
        writes.map(({ key, value }) => ({ key, value: value?.length === 0 ? undefined : value })),
        options,
      ),
  }),
  'refuses to remove what is absent': (store) => ({
    write: async (writes, options) => {
      for (const { key, value } of writes) {
        if (value === undefined && (await store.get(key)) === undefined) {
          throw new DiskError('ENOENT', 'store', 'write');
        }
      }
      await store.write(writes, options);
    },
  }),
  'answers chunks of any size': (store) => ({
    iterate: (range) => {
      const iterator = store.iterate(range);
      return { next: (maxBytes) => iterator.next(maxBytes * 2), close: () => iterator.close() };
    },
  }),
  'leaves out what is larger than a chunk': (store) => ({
    iterate: (range) => {
      const iterator = store.iterate(range);
      return {
        next: async (maxBytes) =>
          (await iterator.next(maxBytes)).filter(({ key, value }) => key.length + value.length <= maxBytes),
        close: () => iterator.close(),
      };
    },
  }),
  'lets a synced write overtake': (store) => {
    let waiting: Promise<unknown> = Promise.resolve();
    return {
      write: (writes, options) => {
        const work = options.sync
          ? store.write(writes, options)
          : waiting.then(() => store.write(writes, options));
        waiting = work.catch(() => undefined);
        return work;
      },
    };
  },
  'keeps the arrays of its caller': (store) => {
    let kept: readonly KeyValueWrite[] = [];
    return {
      write: async (writes, options) => {
        await store.write(writes, options);
        kept = writes;
      },
      iterate: (range) => {
        void store.write(kept, { sync: false }).catch(() => undefined);
        return store.iterate(range);
      },
    };
  },
  'closes at once': (store) => ({
    close: () => {
      void store.close();
      return Promise.resolve();
    },
  }),
  'does not close': () => ({ close: () => Promise.resolve() }),
  'forgets everything when it is closed': (store) => ({
    close: async () => {
      const writes = store.contents().map(({ key }) => ({ key, value: undefined }));
      await store.write(writes, { sync: true });
      await store.close();
    },
  }),
  'goes on after a failed write': (store) => {
    let current: KeyValueStore = store;
    return {
      write: (writes, options) =>
        current.write(writes, options).catch((error: unknown) => {
          current = store.fork('nothing', new SimPrng(1));
          throw error;
        }),
      get: (key) => current.get(key),
    };
  },
  'says that a failed write was done': (store) => ({
    write: (writes, options) => store.write(writes, options).catch(() => undefined),
  }),
};

function reorderedIterator(
  iterator: KeyValueIterator,
  order: (a: KeyValueEntry, b: KeyValueEntry) => number,
): KeyValueIterator {
  return {
    next: async (maxBytes) => (await iterator.next(maxBytes)).toSorted(order),
    close: () => iterator.close(),
  };
}

const keyValueCrashMutants: Readonly<Record<string, (store: SimKeyValueStore) => Partial<KeyValueStore>>> = {
  'never syncs': (store) => ({ write: (writes) => store.write(writes, { sync: false }) }),
  'answers a sync before it is done': (store) => ({
    write: (writes, options) => {
      if (!options.sync) return store.write(writes, options);
      void store.write(writes, options);
      return Promise.resolve();
    },
  }),
  'syncs only the batch it is asked to': (store) => {
    const held: [readonly KeyValueWrite[], WriteOptions][] = [];
    return {
      write: async (writes, options) => {
        if (!options.sync) held.push([writes, options]);
        await store.write(options.sync ? writes : [], options);
      },
      iterate: (range) => {
        for (const [writes, options] of held.splice(0)) void store.write(writes, options);
        return store.iterate(range);
      },
    };
  },
  'writes a batch in two halves': (store) => ({
    write: async (writes, options) => {
      const half = writes.length >> 1;
      const first = store.write(writes.slice(0, half), { sync: false });
      await Promise.all([first, store.write(writes.slice(half), options)]);
    },
  }),
};

describe('the conformance suites catch', () => {
  it('nothing on a sound implementation', async () => {
    expect(await failures(diskConformance, () => onDisk(() => ({})))).to.deep.equal([]);
    const clock = new SimClock();
    const sound = keyValueWorld(() => ({}), clock);
    expect(await failures(keyValueConformance, sound, clock)).to.deep.equal([]);
  });
  for (const [name, make] of Object.entries(diskMutants)) {
    it(`a disk that ${name}`, async () => {
      expect(await failures(diskConformance, make)).not.to.be.empty;
    });
  }
  for (const [name, make] of Object.entries(clockMutants)) {
    it(`a clock that ${name}`, async () => {
      const clock = make();
      expect(await failures<Clock>(clockConformance, () => clock, clock)).not.to.be.empty;
    });
  }
  for (const [name, make] of Object.entries(prngMutants)) {
    it(`a generator that ${name}`, async () => {
      expect(await failures(prngConformance, make)).not.to.be.empty;
    });
  }
  const keyValueWorld =
    (change: (store: SimKeyValueStore) => Partial<KeyValueStore>, clock: SimClock) =>
    (): KeyValueStoreUnderTest => {
      const options = { clock, prng: new SimPrng(7) };
      const store = new SimKeyValueStore(options);
      return {
        store: bound<KeyValueStore>(store, change(store)),
        reopened: () => Promise.resolve(store.fork('all', new SimPrng(1), options)),
        breakWrites: () => {
          store.inject({ error: 'EIO', skip: 5 });
        },
        mendWorld: () => {
          store.clearFaults();
        },
      };
    };
  for (const [name, change] of Object.entries(keyValueMutants)) {
    it(`a store that ${name}`, async () => {
      const clock = new SimClock();
      expect(await failures(keyValueConformance, keyValueWorld(change, clock), clock)).not.to.be.empty;
    });
  }
  for (const [name, change] of Object.entries(keyValueCrashMutants)) {
    it(`a store that ${name}, when the power fails`, async () => {
      const clock = new SimClock();
      const make = (): CrashableKeyValueStore => {
        const store = new SimKeyValueStore({ clock, prng: new SimPrng(7) });
        return {
          store: bound<KeyValueStore>(store, change(store)),
          survivor: (seed) => store.fork(crashModes[seed % 3]!, new SimPrng(seed), { clock }),
        };
      };
      expect(await failures(keyValueCrashConformance, make, clock)).not.to.be.empty;
    });
  }
  for (const [name, change] of Object.entries(networkMutants)) {
    it(`a network that ${name}`, async () => {
      const clock = new SimClock();
      const limitBytes = 1024 * 1024;
      const make = () => {
        const network = new SimNetwork({ clock, prng: new SimPrng(5), limitBytes });
        const join = (id: number): Network => {
          const node = network.join(id as NodeId);
          return bound(node, change(node, clock));
        };
        return { nodes: [join(1), join(2), join(3)] as const, limitBytes };
      };
      expect(await failures(networkConformance, make, clock)).not.to.be.empty;
    });
  }
});
