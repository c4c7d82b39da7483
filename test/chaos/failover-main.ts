// How long a partition is without a leader when its broker is killed, or frozen: `make chaos-failover TRIALS=50 PROFILE=fast FREEZE=1`. Trials go to
// stderr, figures to stdout. Figures of one machine and its load, never a verdict.
import { parseArgs } from 'node:util';
import { figures } from '../integration/cluster.ts';
import { failoverTrials } from './failover.ts';
import { profileOf } from './profile.ts';
import { endsWithALine, RunFolder } from './run-folder.ts';

const print = (line: string): boolean => process.stdout.write(`${line}\n`);
endsWithALine(print);
const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '50' },
    profile: { type: 'string', default: 'default' },
    seed: { type: 'string', default: '1' },
    freeze: { type: 'boolean', default: false },
  },
});
const profile = profileOf(values.profile);
const { name, settings, clientConfig } = profile;
const folder = new RunFolder();
process.stderr.write(`${values.trials} trials in ${folder.path}, profile ${name}\n`);

const done = await failoverTrials({
  trials: Number(values.trials),
  profile,
  seed: Number(values.seed),
  freeze: values.freeze,
  say: (line) => process.stderr.write(`${line}\n`),
});
const set = Object.entries({ ...settings, ...clientConfig }).map(([key, value]) => `${key}=${value}`);
print(`profile ${name}: ${set.length === 0 ? 'no setting changed' : set.join(' ')}`);
const pauses = (of: (leaderWasController: boolean) => boolean): number[] =>
  done.filter(({ leaderWasController }) => of(leaderWasController)).map(({ pauseMs }) => pauseMs);
const line = (what: string, pausesMs: readonly number[]): void => {
  print(pausesMs.length === 0 ? `${what}: n=0` : figures(what, pausesMs));
};
line(
  'leader was also active controller',
  pauses((both) => both),
);
line(
  'leader was not',
  pauses((both) => !both),
);
line(
  `${values.freeze ? 'SIGSTOP' : 'kill -9'} to next acknowledged write`,
  pauses(() => true),
);
line(
  `${values.freeze ? 'SIGSTOP' : 'kill -9'} to next record read`,
  done.map(({ readMs }) => readMs),
);
