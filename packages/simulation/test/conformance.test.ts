import {
  clockConformance,
  diskConformance,
  networkConformance,
  prngConformance,
  SimClock,
  SimDisk,
  SimNetwork,
  SimPrng,
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
