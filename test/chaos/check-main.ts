// Judges a history that a failed run has left: `make chaos-check HISTORY=/tmp/tidemark-chaos-x/history.jsonl`.
import { parseArgs } from 'node:util';
import { HistoryChecker } from '@tidemark/simulation';
import { replay } from './recorded-history.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { acks: { type: 'string', default: 'all' } },
});
const checker = new HistoryChecker({ acks: values.acks === '1' ? 1 : 'all' });
await replay(positionals[0]!, checker);
const { passed, acknowledged, counts, examples } = checker.report();
const print = (line: string): boolean => process.stdout.write(`${line}\n`);
for (const example of examples) print(example);
const found = [...counts].map(([name, count]) => `${name} (${count})`).join(', ');
print(`${passed ? 'PASSED' : 'FAILED'}: ${acknowledged} acknowledged${found === '' ? '' : `; ${found}`}`);
process.exitCode = passed ? 0 : 1;
