// `make sim`: runs seeds of the simulated cluster on all cores. Progress goes to stderr; the last line of stdout is the verdict, and
// the exit code is 1 when a checker found anything. An interrupt lets the seeds under way come to their end and then tells what was done.
//
//   node packages/simulation/dist/cluster/main.js [--seeds N] [--from N] [--events N] [--jobs N] [--twice] [--no-shrink] [--replay FILE]

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Regression } from './regression.ts';
import { DEFAULT_LIMIT_MS, runSeeds, type SeedJob, type SeedReport } from './seed-runner.ts';

const SHOWN_EVENTS = 60;
const MAX_SHOWN_VIOLATIONS = 5;
const PROGRESS_EVERY_MS = 500;
/** As of a program that SIGINT has ended. */
const INTERRUPTED = 130;

interface Totals {
  seeds: number;
  events: number;
  violations: number;
  processorMs: number;
}

function jobsOf(values: ReturnType<typeof options>): SeedJob[] {
  const minEvents = values.events === undefined ? undefined : Number(values.events);
  const common = { twice: values.twice, shrink: !values['no-shrink'], minEvents, limitMs: DEFAULT_LIMIT_MS };
  if (values.replay !== undefined) {
    const { seed, schedule, loads } = JSON.parse(readFileSync(values.replay, 'utf8')) as Regression;
    return [{ ...common, seed, schedule, loads, shrink: false }];
  }
  const from = Number(values.from);
  return Array.from({ length: Number(values.seeds) }, (_, at) => ({
    ...common,
    seed: from + at,
    schedule: undefined,
    loads: undefined,
  }));
}

function options() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string', default: '1' },
      events: { type: 'string' },
      jobs: { type: 'string' },
      twice: { type: 'boolean', default: false },
      'no-shrink': { type: 'boolean', default: false },
      replay: { type: 'string' },
    },
  });
  return values;
}

/** Default: a process for each core. What a seed comes to does not depend on it. */
function workersOf(jobs: string | undefined): number | undefined {
  if (jobs === undefined) return undefined;
  const workers = Number(jobs);
  if (Number.isInteger(workers) && workers >= 1) return workers;
  throw new RangeError(`--jobs is how many processes run seeds, 1 or more, not "${jobs}"`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function showViolation({ seed, voters, digest, violation, schedule, shrunk, loads }: SeedReport): void {
  if (violation === undefined) return;
  const { checker, what, atMs, event, trace } = violation;
  say(`seed ${seed}: ${checker}`);
  say(`  ${what}`);
  say(`  ${voters} voters, ${atMs.toFixed(3)} ms, event ${event}, trace ${digest}; the last events:`);
  for (const line of trace.slice(-SHOWN_EVENTS)) say(`    ${line}`);
  const faults = shrunk ?? schedule;
  say(
    `  ${faults.faults.length} of ${schedule.faults.length} faults are enough; as a file in test/regressions:`,
  );
  const regression: Regression = {
    checker,
    note: 'what was wrong, and where',
    seed,
    schedule: faults,
    loads,
  };
  say(JSON.stringify(regression, undefined, 1));
}

async function main(): Promise<void> {
  const values = options();
  const jobs = jobsOf(values);
  const totals: Totals = { seeds: 0, events: 0, violations: 0, processorMs: 0 };
  const started = performance.now();
  let lastProgress = 0;
  const interrupt = new AbortController();
  const rate = (): string => Math.round((totals.events / (performance.now() - started)) * 1_000).toString();
  const onReport = (report: SeedReport): boolean => {
    totals.seeds++;
    totals.events += report.events;
    totals.processorMs += report.processorMs;
    const isUnsteady = report.secondDigest !== undefined && report.secondDigest !== report.digest;
    if (isUnsteady)
      say(`seed ${report.seed}: the second run differs: ${report.digest} and ${report.secondDigest}`);
    if (jobs.length <= 4) {
      say(
        `seed ${report.seed}: trace ${report.digest}, ${report.events} events, ${report.virtualMs} virtual ms`,
      );
    }
    if (report.violation !== undefined || isUnsteady) totals.violations++;
    if (totals.violations <= MAX_SHOWN_VIOLATIONS) showViolation(report);
    else if (report.violation !== undefined) say(`seed ${report.seed}: ${report.violation.checker}`);
    if (process.stderr.isTTY && performance.now() - lastProgress > PROGRESS_EVERY_MS) {
      lastProgress = performance.now();
      process.stderr.write(
        `\r${totals.seeds} of ${jobs.length} seeds, ${totals.events} events, ${rate()} a second `,
      );
    }
    return !interrupt.signal.aborted;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupt.abort();
      process.stderr.write('\nthe seeds under way are the last; once more ends them too\n');
    });
  }
  const workers = workersOf(values.jobs);
  await runSeeds(jobs[Symbol.iterator](), { onReport, ...(workers === undefined ? {} : { workers }) });
  if (process.stderr.isTTY) process.stderr.write('\n');
  const seconds = totals.processorMs / 1_000;
  const perProcessor = Math.round(totals.events / seconds);
  const seedsPerMinute = ((totals.seeds * 60) / seconds).toFixed(1);
  say(
    `${rate()} events per second; of processor time ${perProcessor}, and ${seedsPerMinute} seeds per minute`,
  );
  if (interrupt.signal.aborted) say(`interrupted after ${totals.seeds} of ${jobs.length} seeds`);
  say(`${totals.seeds} seeds, ${totals.events} events, ${totals.violations} violations`);
  process.exitCode = totals.violations > 0 ? 1 : interrupt.signal.aborted ? INTERRUPTED : 0;
}

await main();
