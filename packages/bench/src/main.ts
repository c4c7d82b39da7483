#!/usr/bin/env node
// The comparison as a command. Progress goes to stderr, the result to stdout.
import { availableParallelism, cpus, totalmem } from 'node:os';
import { cells } from './cell.ts';
import { measure } from './comparison.ts';
import { startKafka } from './kafka-system.ts';
import { parseOptions, USAGE, type BenchOptions } from './options.ts';
import { renderReport } from './report.ts';
import { startTidemark } from './tidemark-system.ts';

async function main(options: BenchOptions): Promise<void> {
  const matrix = cells(options);
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  const { brokers, idleSeconds, kafka, maxSeconds } = options;
  const tidemark = options.skipTidemark
    ? []
    : await measure(() => startTidemark(brokers, maxSeconds), matrix, idleSeconds, progress);
  const peer =
    kafka === undefined
      ? []
      : await measure(() => startKafka(kafka, brokers, maxSeconds), matrix, idleSeconds, progress);
  const results = matrix
    .flatMap((_, at) => [tidemark[at], peer[at]])
    .filter((result) => result !== undefined);
  if (options.output === 'json') {
    const machine = {
      processors: availableParallelism(),
      model: cpus()[0]?.model ?? 'unknown',
      memoryBytes: totalmem(),
      node: process.version,
      platform: process.platform,
    };
    process.stdout.write(`${JSON.stringify({ machine, results }, null, 2)}\n`);
  } else {
    process.stdout.write(renderReport(results));
  }
  if (results.some(({ problem }) => problem !== undefined)) process.exitCode = 1;
}

let options: BenchOptions | undefined;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(2);
}
if (options === undefined) process.stdout.write(USAGE);
else await main(options);
