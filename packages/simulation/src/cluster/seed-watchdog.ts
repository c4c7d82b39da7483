// Ends the process of a run that never ends. By the processor time it has used and not by the clock on the wall: on a machine that
// is busy with something else a run takes as long as it takes. A thread of its own, because a run that spins lets nothing else run.

import { isMainThread, Worker, workerData } from 'node:worker_threads';

/** What the process ends with: the signal for processor time that is used up. */
export const WATCHDOG_SIGNAL = 'SIGVTALRM';
const LOOK_EVERY_MS = 500;

/** Shared by both threads: the processor time, in ms, that the process may have used when the run has to be over; 0: nothing runs. */
type Deadline = Float64Array<SharedArrayBuffer>;

export class SeedWatchdog {
  readonly #deadline: Deadline = new Float64Array(new SharedArrayBuffer(8));

  constructor() {
    new Worker(new URL(import.meta.url), { workerData: this.#deadline, execArgv: [] }).unref();
  }

  /** Runs `work`; the process ends with `WATCHDOG_SIGNAL` if it uses more than `limitMs` of processor time. */
  async watch<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
    this.#deadline[0] = processorMs() + limitMs;
    try {
      return await work();
    } finally {
      this.#deadline[0] = 0;
    }
  }
}

/** Of all threads of this process. */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

if (!isMainThread) {
  const deadline = workerData as Deadline;
  setInterval(() => {
    const [atMs = 0] = deadline;
    if (atMs > 0 && processorMs() > atMs) process.kill(process.pid, WATCHDOG_SIGNAL);
  }, LOOK_EVERY_MS);
}
