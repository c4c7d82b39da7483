// `make mutants`: plants one mistake after another into production code and runs seeds until a checker that is expected to notice
// does. The last line says how many were caught; the exit code is 1 unless it was every one.
//
//   node packages/simulation/dist/mutants/main.js [--seeds N] [--seconds N] [--from N] [--jobs N] [--only TEXT]

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runSeeds, type SeedJob, type SeedReport } from '../cluster/seed-runner.ts';
import { type CheckerName } from '../cluster/violations.ts';
import { MUTANT_VARIABLE, planted, type Mutant } from './mutant.ts';
import { mutants } from './mutants.ts';

const PACKAGES = new URL('../../../', import.meta.url);
const PLANT = new URL('./plant.js', import.meta.url).href;
/** A mistake may well make a node spin for ever: more processor time than ten runs take is enough. */
const LIMIT_MS = 40_000;

interface Bounds {
  readonly from: number;
  readonly seeds: number;
  /** Processor time for each mutant. */
  readonly seconds: number;
  readonly workers: number;
}

interface Verdict {
  /** Undefined: nobody noticed. */
  readonly caught: { readonly seed: number; readonly checker: CheckerName } | undefined;
  readonly seeds: number;
  readonly seconds: number;
  /** What else was found, by checkers nobody expected. */
  readonly others: ReadonlyMap<CheckerName, number>;
}

async function judge(mutant: Mutant, { from, seeds, seconds, workers }: Bounds): Promise<Verdict> {
  let caught: Verdict['caught'];
  let done = 0;
  let used = 0;
  const others = new Map<CheckerName, number>();
  const job = {
    twice: false,
    shrink: false,
    minEvents: undefined,
    schedule: undefined,
    loads: undefined,
    limitMs: LIMIT_MS,
  };
  const jobs = Array.from({ length: seeds }, (_, at): SeedJob => ({ ...job, seed: from + at }));
  const onReport = ({ seed, violation, processorMs }: SeedReport): boolean => {
    done++;
    used += processorMs / 1_000;
    const goesOn = used < seconds;
    if (violation === undefined) return goesOn;
    const { checker } = violation;
    if (!mutant.expected.includes(checker)) {
      others.set(checker, (others.get(checker) ?? 0) + 1);
      return goesOn;
    }
    caught ??= { seed, checker };
    return false;
  };
  await runSeeds(jobs[Symbol.iterator](), {
    execArgv: ['--import', PLANT],
    env: { [MUTANT_VARIABLE]: JSON.stringify(mutant) },
    workers,
    onReport,
  });
  return { caught, seeds: done, seconds: used, others };
}

function row(name: string, seed: string, checker: string, seeds: string, seconds: string): void {
  const columns = [
    name.padEnd(70),
    seed.padStart(6),
    checker.padEnd(26),
    seeds.padStart(6),
    seconds.padStart(8),
  ];
  process.stdout.write(`${columns.join('  ')}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      seconds: { type: 'string', default: '120' },
      jobs: { type: 'string', default: `${availableParallelism()}` },
    },
  });
  const chosen = mutants.filter(({ name }) => name.includes(values.only));
  for (const mutant of chosen) planted(mutant, readFileSync(new URL(mutant.file, PACKAGES), 'utf8'));
  row('mutant', 'seed', 'checker', 'seeds', 'seconds');
  const bounds = {
    from: Number(values.from),
    seeds: Number(values.seeds),
    seconds: Number(values.seconds),
    workers: Number(values.jobs),
  };
  let count = 0;
  for (const mutant of chosen) {
    const { caught, seeds, seconds, others } = await judge(mutant, bounds);
    if (caught !== undefined) count++;
    row(mutant.name, `${caught?.seed ?? '-'}`, caught?.checker ?? 'nobody', `${seeds}`, seconds.toFixed(1));
    for (const [checker, times] of others)
      process.stdout.write(`    ${checker} in ${times} seeds, not counted\n`);
  }
  process.stdout.write(`${count} of ${chosen.length} caught\n`);
  process.exitCode = count === chosen.length ? 0 : 1;
}

await main();
