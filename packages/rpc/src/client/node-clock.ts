// The Clock port on Node's timers. Wall time from Date, monotonic time from performance, timers from setTimeout: they keep
// the process alive until they ran or were cancelled, so whoever sets one cancels it when it closes.
import { performance } from 'node:perf_hooks';
import type { Clock } from '@tidemark/core';

export const nodeClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
