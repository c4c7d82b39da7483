// `make mutants`: plants one mistake after another into production code and runs seeds until a checker that is expected to notice
// does. The last line says how many were caught; the exit code is 1 unless it was every one.
//
//   node packages/simulation/dist/mutants/main.js [--seeds N] [--from N] [--only TEXT]

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runSeeds, type SeedJob, type SeedReport } from '../cluster/seed-runner.ts';
import { type CheckerName } from '../cluster/violations.ts';
import { MUTANT_VARIABLE, planted, type Mutant } from './mutant.ts';
import { mutants } from './mutants.ts';

const PACKAGES = new URL('../../../', import.meta.url);
const PLANT = new URL('./plant.js', import.meta.url).href;
/** A mistake may well make a node spin for ever. */
const HANG_MS = 120_000;

interface Verdict {
  /** Undefined: nobody noticed. */
  readonly caught: { readonly seed: number; readonly checker: CheckerName } | undefined;
  readonly seeds: number;
  readonly events: number;
  /** What else was found, by checkers nobody expected. */
  readonly others: ReadonlyMap<CheckerName, number>;
}

async function judge(mutant: Mutant, from: number, seeds: number): Promise<Verdict> {
  let caught: Verdict['caught'];
  let done = 0;
  let events = 0;
  const others = new Map<CheckerName, number>();
  const job = { twice: false, shrink: false, minEvents: undefined, schedule: undefined, loads: undefined };
  const jobs = Array.from({ length: seeds }, (_, at): SeedJob => ({ ...job, seed: from + at }));
  const onReport = ({ seed, violation, events: more }: SeedReport): boolean => {
    done++;
    events += more;
    if (violation === undefined) return true;
    const { checker } = violation;
    if (!mutant.expected.includes(checker)) {
      others.set(checker, (others.get(checker) ?? 0) + 1);
      return true;
    }
    caught ??= { seed, checker };
    return false;
  };
  await runSeeds(jobs[Symbol.iterator](), {
    execArgv: ['--import', PLANT],
    env: { [MUTANT_VARIABLE]: JSON.stringify(mutant) },
    hangMs: HANG_MS,
    onReport,
  });
  return { caught, seeds: done, events, others };
}

function row(name: string, seed: string, checker: string, seeds: string, events: string): void {
  const columns = [
    name.padEnd(54),
    seed.padStart(6),
    checker.padEnd(26),
    seeds.padStart(6),
    events.padStart(10),
  ];
  process.stdout.write(`${columns.join('  ')}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
    },
  });
  const chosen = mutants.filter(({ name }) => name.includes(values.only));
  for (const mutant of chosen) planted(mutant, readFileSync(new URL(mutant.file, PACKAGES), 'utf8'));
  row('mutant', 'seed', 'checker', 'seeds', 'events');
  let count = 0;
  for (const mutant of chosen) {
    const { caught, seeds, events, others } = await judge(mutant, Number(values.from), Number(values.seeds));
    if (caught !== undefined) count++;
    row(mutant.name, `${caught?.seed ?? '-'}`, caught?.checker ?? 'nobody', `${seeds}`, `${events}`);
    for (const [checker, times] of others)
      process.stdout.write(`    ${checker} in ${times} seeds, not counted\n`);
  }
  process.stdout.write(`${count} of ${chosen.length} caught\n`);
  process.exitCode = count === chosen.length ? 0 : 1;
}

await main();
