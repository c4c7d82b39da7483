// A cluster of real processes under faults from a seed, for a person: `make chaos MINUTES=5 SEED=7`. Faults go to stderr, the result to
// stdout; the last line is `PASSED: ...`, `FAILED: ...` with the names of what was found, or `INTERRUPTED: ...`, and the exit code says
// the same.
import { parseArgs } from 'node:util';
import type { HistoryReport } from '@tidemark/simulation';
import { worstPause, type Strike } from './fault-log.ts';
import { profileOf } from './profile.ts';
import { runChaos } from './run-chaos.ts';
import { endsWithALine, RunFolder } from './run-folder.ts';

const MIN_PER_SECOND = 150;

const print = (line: string): boolean => process.stdout.write(`${line}\n`);
const folder = new RunFolder();
endsWithALine((line) => {
  if (line.startsWith('FAILED') && folder.keep()) print(`kept: ${folder.path}`);
  print(line);
});
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    acks: { type: 'string', default: 'all' },
    profile: { type: 'string', default: 'default' },
    /** Records a second, of all producers. */
    rate: { type: 'string', default: '400' },
    /** Names of faults, separated by commas. */
    faults: { type: 'string' },
    /** We are in a mount namespace of our own. */
    'private-mounts': { type: 'boolean', default: false },
    'planted-losses': { type: 'string', default: '0' },
  },
});
const acks = values.acks === '1' ? '1' : 'all';
if (values.acks !== acks) throw new Error(`--acks is all or 1, not ${values.acks}`);
const forMs = Number(values.minutes) * 60_000;
const report = await runChaos({
  seed: Number(values.seed),
  forMs,
  acks,
  profile: profileOf(values.profile),
  folder: folder.path,
  recordsPerSecond: Number(values.rate),
  plantedLosses: Number(values['planted-losses']),
  minAcknowledged: Math.round((forMs / 1_000) * MIN_PER_SECOND),
  ...(values.faults === undefined ? {} : { only: values.faults.split(',') }),
  ...(values['private-mounts'] ? { onMount: (path: string) => folder.mounted(path) } : {}),
  say: (line) => process.stderr.write(`${line}\n`),
});

const { history, strikes } = report;
printFaults(strikes);
printPauses(strikes);
for (const skipped of report.skipped) print(`skipped: ${skipped}`);
for (const error of report.clientErrors) print(`client: ${error}`);
for (const example of history.examples) print(example);
const everyMs = Math.round(report.tookMs / strikes.length);
print(
  `${strikes.length} faults, one every ${everyMs} ms; ${report.longestBetweenMs} ms at most from one that struck to the next`,
);
print(
  `acknowledged ${history.acknowledged} (${Math.round(history.acknowledged / (report.tookMs / 60_000))} a minute), unknown ${history.unknown}, failed ${history.failed}`,
);
for (const name of ['lost-write', 'duplicate', 'reordered'] as const) {
  print(`${name} ${history.counts.get(name) ?? 0}`);
}
printEnd(history);

function printFaults(made: readonly Strike[]): void {
  for (const name of new Set(made.map((strike) => strike.name))) {
    const own = made.filter((strike) => strike.name === name);
    const pauses = own.map(({ pausesMs }) => worstPause(pausesMs)[1]).sort((a, b) => a - b);
    const median = pauses[Math.ceil(pauses.length / 2) - 1]!;
    const fewest = Math.min(...own.map(({ acknowledged }) => acknowledged));
    print(
      `${name.padEnd(20)} n=${own.length}  pause p50=${median} max=${pauses.at(-1)!} ms  acknowledged meanwhile min=${fewest}`,
    );
  }
}

function printPauses(made: readonly Strike[]): void {
  for (const tp of [...made[0]!.pausesMs.keys()].sort()) {
    const pauseOf = (strike: Strike): number => strike.pausesMs.get(tp) ?? 0;
    const worst = made.reduce((known, each) => (pauseOf(each) > pauseOf(known) ? each : known));
    print(`${tp}: longest pause ${pauseOf(worst)} ms, in ${worst.name} #${worst.number}`);
  }
}

function printEnd({ passed, acknowledged, losses, counts }: HistoryReport): void {
  for (const { tp, fault, count, firstOffset, lastOffset } of losses) {
    const around = fault === '' ? 'after the last fault' : `around ${fault}`;
    print(`lost: ${count} acknowledged records of ${tp} ${around}, offsets ${firstOffset} to ${lastOffset}`);
  }
  if (!passed) {
    folder.keep();
    print(`kept: ${folder.path}: history.jsonl, logs and data of the nodes`);
    print(`FAILED: ${[...counts].map(([name, count]) => `${name} (${count})`).join(', ')}`);
    process.exitCode = 1;
    return;
  }
  const lost = counts.get('lost-write') ?? 0;
  const permitted = lost === 0 ? '' : `, ${lost} of them LOST, which acks=1 permits`;
  print(`PASSED: ${acknowledged} acknowledged records under seed ${values.seed}, acks=${acks}${permitted}`);
}
