// The conformance suites are checkers, and a checker is proved by what it catches: each mutant here breaks one clause of
// a port's contract, and at least one case must fail on it.
import { expect } from 'chai';
import {
  DiskError,
  type Clock,
  type Disk,
  type DiskFile,
  type Network,
  type NodeId,
  type Prng,
} from '@tidemark/core';
import {
  clockConformance,
  diskConformance,
  networkConformance,
  prngConformance,
  SimClock,
  SimDisk,
  SimNetwork,
  SimPrng,
  type ConformanceCase,
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

describe('the conformance suites catch', () => {
  it('nothing on a sound implementation', async () => {
    expect(await failures(diskConformance, () => onDisk(() => ({})))).to.deep.equal([]);
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
