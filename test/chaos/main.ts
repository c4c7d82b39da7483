// A cluster of real processes under faults from a seed, for a person: `make chaos MINUTES=5 SEED=7`. Faults go to stderr, the result to
// stdout; the last line is `PASSED: ...` or the name of what was found, and the exit code says the same.
import { parseArgs } from 'node:util';
import { runChaos } from './run-chaos.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    acks: { type: 'string', default: 'all' },
    /** Names of faults, separated by commas. */
    faults: { type: 'string' },
    'planted-losses': { type: 'string', default: '0' },
  },
});
const stop = new AbortController();
process.once('SIGINT', () => {
  process.stderr.write('stopping: heals and checks first; once more ends at once\n');
  stop.abort();
  process.once('SIGINT', () => process.exit(130));
});

const forMs = Number(values.minutes) * 60_000;
const report = await runChaos({
  seed: Number(values.seed),
  forMs,
  acks: values.acks === '1' ? '1' : 'all',
  plantedLosses: Number(values['planted-losses']),
  // A tenth of the rate.
  minAcknowledged: Math.round((forMs / 1_000) * 150),
  ...(values.faults === undefined ? {} : { only: values.faults.split(',') }),
  say: (line) => process.stderr.write(`${line}\n`),
  signal: stop.signal,
});
const { history, faults, clientErrors, nodeLogs } = report;
const print = (line: string): boolean => process.stdout.write(`${line}\n`);
print(`acknowledged ${history.acknowledged}, unknown ${history.unknown}, failed ${history.failed}`);
for (const name of ['lost-write', 'duplicate', 'reordered'] as const) {
  print(`${name} ${history.counts.get(name) ?? 0}`);
}
for (const { name, pausesMs } of faults.values()) {
  const sorted = [...pausesMs].sort((a, b) => a - b);
  const median = sorted[Math.ceil(sorted.length / 2) - 1]!;
  print(`${name.padEnd(18)} n=${sorted.length}  pause p50=${median} max=${sorted.at(-1)!} ms`);
}
for (const error of clientErrors) print(`client: ${error}`);
for (const example of history.examples) print(example);
if (nodeLogs !== '') process.stderr.write(nodeLogs);
if (history.passed) print(`PASSED: ${history.acknowledged} acknowledged records under seed ${values.seed}`);
else {
  print(`FAILED: ${[...history.counts].map(([name, count]) => `${name} (${count})`).join(', ')}`);
  process.exitCode = 1;
}
