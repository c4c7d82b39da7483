// A bound on how long an answer may take. What it waited for goes on: a change that is committed late is committed all the same.

import type { Clock } from '@tidemark/core';

/** What `timeout_ms` 0 means. */
const DEFAULT_TIMEOUT_MS = 30_000;

export function timeoutOf({ timeoutMs }: { readonly timeoutMs: number }): number {
  return timeoutMs > 0 ? timeoutMs : DEFAULT_TIMEOUT_MS;
}

export async function withinTime<T>(
  clock: Clock,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T | 'late'> {
  let expire: () => void = () => undefined;
  const late = new Promise<'late'>((resolve) => {
    expire = () => resolve('late');
  });
  const timer = clock.setTimer(timeoutOf({ timeoutMs }), expire);
  try {
    return await Promise.race([work(), late]);
  } finally {
    timer.cancel();
  }
}
