// What every Clock must do. The cases wait only for timers of a few milliseconds, set on the clock under test.

import assert from 'node:assert/strict';
import { type Clock } from '@tidemark/core';
import { type ConformanceCase } from './case.ts';

const elapsed = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => clock.setTimer(delayMs, resolve));

interface Ran {
  readonly name: string;
  /** Between these the timer was due. The host may pause between two calls, so neither is exact. */
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** Sets a timer that notes in `ran` when it runs. */
function noted(clock: Clock, ran: Ran[], name: string, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const earliestMs = clock.monotonicMs() + delayMs;
    clock.setTimer(delayMs, () => {
      ran.push({ name, earliestMs, latestMs });
      resolve();
    });
    const latestMs = clock.monotonicMs() + delayMs;
  });
}

function assertOrdered(ran: readonly Ran[]): void {
  let latestSoFar = 0;
  for (const [at, timer] of ran.entries()) {
    assert(timer.latestMs >= latestSoFar, `timer ${timer.name}, number ${at} to run, was due before another`);
    latestSoFar = Math.max(latestSoFar, timer.earliestMs);
  }
}

export const clockConformance: readonly ConformanceCase<Clock>[] = [
  {
    name: 'tells wall time in whole milliseconds and monotonic time that never goes back',
    run: async (make) => {
      const clock = await make();
      assert(Number.isSafeInteger(clock.wallMs()) && clock.wallMs() > 1e12, `wall ${clock.wallMs()}`);
      let last = clock.monotonicMs();
      for (let reading = 0; reading < 1_000; reading++) {
        const now = clock.monotonicMs();
        assert(Number.isFinite(now) && now >= last, `${now} after ${last}`);
        last = now;
      }
      await elapsed(clock, 2);
      assert(clock.monotonicMs() >= last + 2);
    },
  },
  {
    name: 'never runs a timer inside setTimer, not even with a delay of 0',
    run: async (make) => {
      const clock = await make();
      let inside = true;
      await new Promise<void>((resolve, reject) => {
        clock.setTimer(0, () => {
          if (inside) reject(new assert.AssertionError({ message: 'the timer ran inside setTimer' }));
          else resolve();
        });
        inside = false;
      });
    },
  },
  {
    name: 'runs a timer once, and no earlier than its delay by the monotonic clock',
    run: async (make) => {
      const clock = await make();
      let runs = 0;
      const early: string[] = [];
      await Promise.all(
        [0, 0.4, 1, 1.7, 2, 3, 5].map((delayMs) => {
          const due = clock.monotonicMs() + delayMs;
          return new Promise<void>((resolve) => {
            clock.setTimer(delayMs, () => {
              runs++;
              if (clock.monotonicMs() < due) early.push(`${delayMs}: ${due - clock.monotonicMs()} ms early`);
              resolve();
            });
          });
        }),
      );
      await elapsed(clock, 6);
      assert.deepEqual(early, []);
      assert.equal(runs, 7);
    },
  },
  {
    name: 'runs timers by when they are due, those of one delay in the order they were set',
    run: async (make) => {
      const clock = await make();
      const ran: Ran[] = [];
      const delays = { far: 20, a: 3, b: 3, c: 3, soon: 0, 'soon after': 0 };
      await Promise.all(Object.entries(delays).map(([name, delayMs]) => noted(clock, ran, name, delayMs)));
      assertOrdered(ran);
      const order = ran.map((timer) => timer.name);
      assert.deepEqual(
        order.filter((name) => name.length === 1),
        ['a', 'b', 'c'],
      );
      assert(order.indexOf('soon') < order.indexOf('soon after'));
    },
  },
  {
    name: 'does not run a cancelled timer, whoever cancels it and however often',
    run: async (make) => {
      const clock = await make();
      const ran: string[] = [];
      const early = clock.setTimer(1, () => ran.push('early'));
      early.cancel();
      early.cancel();
      const first = clock.setTimer(2, () => {
        ran.push('first');
        second.cancel();
        first.cancel();
      });
      const second = clock.setTimer(2, () => ran.push('second'));
      await elapsed(clock, 3);
      first.cancel();
      await elapsed(clock, 1);
      assert.deepEqual(ran, ['first']);
    },
  },
  {
    name: 'takes timers set and cancelled from inside a timer',
    run: async (make) => {
      const clock = await make();
      const ran: number[] = [];
      await new Promise<void>((resolve) => {
        const again = (): void => {
          ran.push(ran.length);
          clock.setTimer(0, () => ran.push(-1)).cancel();
          if (ran.length === 20) resolve();
          else clock.setTimer(0, again);
        };
        clock.setTimer(0, again);
      });
      assert.deepEqual(
        ran,
        Array.from({ length: 20 }, (_, index) => index),
      );
    },
  },
  {
    name: 'keeps thousands of timers of different delays in order',
    run: async (make) => {
      const clock = await make();
      const ran: Ran[] = [];
      const set: Promise<void>[] = [];
      for (let timer = 0; timer < 3_000; timer++) {
        const delayMs = (timer * 7919) % 11;
        const cancelled = clock.setTimer(delayMs, () => assert.fail('a cancelled timer ran'));
        set.push(noted(clock, ran, `${timer}`, delayMs));
        cancelled.cancel();
      }
      await Promise.all(set);
      assert.equal(ran.length, 3_000);
      assertOrdered(ran);
    },
  },
  {
    name: 'accepts delays up to 2^31 - 1 and refuses all others',
    run: async (make) => {
      const clock = await make();
      clock.setTimer(2 ** 31 - 1, () => undefined).cancel();
      for (const delayMs of [2 ** 31, -1, Number.NaN, Infinity]) {
        assert.throws(() => clock.setTimer(delayMs, () => undefined), RangeError, `${delayMs} ms`);
      }
    },
  },
];
