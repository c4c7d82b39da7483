// Runs seeds in child processes, one per core: a run is one thread's work, and a run that never ends must not take the others with
// it. Contract: every seed of the range gets exactly one result, in the order in which they end.

import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { type Schedule } from './faults.ts';
import { type Loads } from './loads.ts';
import { WATCHDOG_SIGNAL } from './seed-watchdog.ts';
import { drawnBy, type SeedResult } from './run-seed.ts';

/** What a child is asked. */
export interface SeedJob {
  readonly seed: number;
  readonly twice: boolean;
  readonly shrink: boolean;
  readonly minEvents: number | undefined;
  readonly schedule: Schedule | undefined;
  readonly loads: Loads | undefined;
  /** A run that uses more processor time, in ms, is taken for one that never ends. */
  readonly limitMs: number;
}

/** What it answers. */
export interface SeedReport extends SeedResult {
  /** Processor time of the run, and what was run on account of it. */
  readonly processorMs: number;
  /** Of the second run; undefined: there was none. */
  readonly secondDigest: string | undefined;
  /** A smaller schedule that fails alike. */
  readonly shrunk: Schedule | undefined;
}

export interface SeedRunnerOptions {
  readonly workers?: number;
  /** Further arguments for Node in the children. */
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Answers whether to go on. */
  readonly onReport: (report: SeedReport) => boolean;
}

/** What a run that ends uses is a few seconds. */
export const DEFAULT_LIMIT_MS = 120_000;
const WORKER = new URL('./seed-worker.js', import.meta.url).pathname;
/** Most of what a run allocates dies at once: a larger nursery halves the collector's work. */
const NODE_OPTIONS = ['--max-semi-space-size=64', '--no-warnings'];

export async function runSeeds(jobs: Iterator<SeedJob>, options: SeedRunnerOptions): Promise<void> {
  const { workers = availableParallelism() } = options;
  const state = { isStopped: false };
  await Promise.all(Array.from({ length: workers }, () => new Worker(jobs, options, state).run()));
}

class Worker {
  readonly #jobs: Iterator<SeedJob>;
  readonly #options: SeedRunnerOptions;
  readonly #state: { isStopped: boolean };

  constructor(jobs: Iterator<SeedJob>, options: SeedRunnerOptions, state: { isStopped: boolean }) {
    this.#jobs = jobs;
    this.#options = options;
    this.#state = state;
  }

  async run(): Promise<void> {
    let child: ChildProcess | undefined;
    try {
      for (;;) {
        if (this.#state.isStopped) return;
        const next = this.#jobs.next();
        if (next.done === true) return;
        child ??= this.#fork();
        const report = await this.#ask(child, next.value);
        if (report === undefined) {
          child.kill('SIGKILL');
          child = undefined;
        }
        if (!this.#options.onReport(report ?? hung(next.value))) this.#state.isStopped = true;
      }
    } finally {
      child?.kill('SIGKILL');
    }
  }

  #fork(): ChildProcess {
    const { execArgv = [], env = {} } = this.#options;
    return fork(WORKER, [], {
      execArgv: [...NODE_OPTIONS, ...execArgv],
      env: { ...process.env, ...env },
      serialization: 'advanced',
    });
  }

  /** Undefined when the run does not end. Rejects when it fails. */
  #ask(child: ChildProcess, job: SeedJob): Promise<SeedReport | undefined> {
    return new Promise((resolve, reject) => {
      child.once('message', (report: SeedReport | { readonly failed: string }) => {
        child.removeAllListeners();
        if ('failed' in report) reject(new Error(`seed ${job.seed}: ${report.failed}`));
        else resolve(report);
      });
      child.once('exit', (code, signal) => {
        child.removeAllListeners();
        if (signal === WATCHDOG_SIGNAL) resolve(undefined);
        else reject(new Error(`seed ${job.seed}: the child process ended with ${code ?? signal}`));
      });
      child.send(job);
    });
  }
}

function hung({ seed, limitMs, ...given }: SeedJob): SeedReport {
  const drawn = drawnBy(seed);
  return {
    seed,
    voters: 0,
    events: 0,
    digest: '',
    virtualMs: 0,
    acknowledged: 0,
    refused: 0,
    unknown: 0,
    reads: 0,
    records: 0,
    recordsLost: 0,
    recordsRead: 0,
    commits: 0,
    generations: 0,
    schedule: given.schedule ?? drawn.schedule,
    loads: given.loads ?? drawn.loads,
    violation: {
      checker: 'liveness',
      what: `the run does not end within ${limitMs} ms of processor time`,
      atMs: 0,
      event: 0,
      trace: [],
    },
    processorMs: limitMs,
    secondDigest: undefined,
    shrunk: undefined,
  };
}
