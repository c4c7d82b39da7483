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
  type CrashableKeyValueStore,
  type KeyValueStoreUnderTest,
  type SimKeyValueStoreOptions,
} from '@tidemark/simulation';
import { type NodeId } from '@tidemark/core';

describe('SimPrng is a Prng', () => {
  for (const { name, run } of prngConformance) it(name, () => run(() => new SimPrng(42)));
});

describe('SimClock is a Clock', () => {
  for (const { name, run } of clockConformance) {
    it(name, () => {
      const clock = new SimClock();
      return clock.settle(run(() => clock));
    });
  }
});

describe('SimDisk is a Disk', () => {
  for (const { name, run } of diskConformance) {
    it(`${name} (without a clock)`, () => run(() => new SimDisk()));
    it(`${name} (in virtual time, with short writes)`, () => {
      const clock = new SimClock();
      return clock.settle(run(() => new SimDisk({ clock, prng: new SimPrng(7), shortWriteOneIn: 2 })));
    });
  }
});

describe('SimKeyValueStore is a KeyValueStore', () => {
  const world = (options: SimKeyValueStoreOptions): KeyValueStoreUnderTest => {
    const store = new SimKeyValueStore(options);
    return {
      store,
      reopened: () => Promise.resolve(store.fork('all', new SimPrng(1), options)),
      breakWrites: () => {
        store.inject({ error: 'EIO', skip: 5 });
      },
      mendWorld: () => {
        store.clearFaults();
      },
    };
  };
  const crashable = (options: SimKeyValueStoreOptions): CrashableKeyValueStore => {
    const store = new SimKeyValueStore(options);
    return { store, survivor: (seed) => store.fork(crashModes[seed % 3]!, new SimPrng(seed)) };
  };
  const inTime = (): SimKeyValueStoreOptions & { readonly clock: SimClock } => ({
    clock: new SimClock(),
    prng: new SimPrng(7),
  });
  for (const { name, run } of keyValueConformance) {
    it(`${name} (without a clock)`, () => run(() => world({})));
    it(`${name} (in virtual time)`, () => {
      const options = inTime();
      return options.clock.settle(run(() => world(options)));
    });
  }
  for (const { name, run } of keyValueCrashConformance) {
    it(`${name} (without a clock)`, () => run(() => crashable({})));
    it(`${name} (in virtual time)`, () => {
      const options = inTime();
      return options.clock.settle(run(() => crashable(options)));
    });
  }
});

describe('SimNetwork is a Network', () => {
  for (const { name, run } of networkConformance) {
    it(name, () => {
      const clock = new SimClock();
      const limitBytes = 1024 * 1024;
      const network = new SimNetwork({ clock, prng: new SimPrng(5), limitBytes });
      const join = (id: number) => network.join(id as NodeId);
      return clock.settle(run(() => ({ nodes: [join(1), join(2), join(3)], limitBytes })));
    });
  }
});
