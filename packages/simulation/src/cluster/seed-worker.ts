// A child process that runs the seeds it is sent; see seed-runner.ts.

import { productionNodes } from './production-node.ts';
import { runSeed, type SeedOptions, type SeedResult } from './run-seed.ts';
import { type SeedJob, type SeedReport } from './seed-runner.ts';
import { processorMs, SeedWatchdog } from './seed-watchdog.ts';
import { shrink } from './shrink.ts';

const watchdog = new SeedWatchdog();
// A terminal interrupts every process there is; the parent says what becomes of it.
process.on('SIGINT', () => undefined);

async function answer(job: SeedJob): Promise<SeedReport> {
  const { seed, twice, minEvents, schedule, loads, shrink: isShrunk, limitMs } = job;
  const startedMs = processorMs();
  const run = (more: Partial<SeedOptions>): Promise<SeedResult> =>
    watchdog.watch(limitMs, () =>
      runSeed({
        seed,
        factory: productionNodes(seed),
        ...(minEvents === undefined ? {} : { minEvents }),
        ...(schedule === undefined ? {} : { schedule }),
        ...(loads === undefined ? {} : { loads }),
        ...more,
      }),
    );
  const result = await run({});
  const second = twice ? await run({}) : undefined;
  const { violation } = result;
  const smaller =
    violation !== undefined && isShrunk
      ? await shrink(result.schedule, violation.checker, async (candidate) => {
          // A smaller schedule may take until later: no more events than it took.
          const trial = await run({ schedule: candidate });
          return trial.violation?.checker;
        })
      : undefined;
  const used = processorMs() - startedMs;
  return { ...result, processorMs: used, secondDigest: second?.digest, shrunk: smaller?.schedule };
}

// A run looks after its own; what comes after its end concerns nobody.
process.on('unhandledRejection', () => undefined);

process.on('message', (job: SeedJob) => {
  answer(job).then(
    (report) => process.send?.(report),
    (cause: unknown) =>
      process.send?.({ failed: cause instanceof Error ? (cause.stack ?? '') : String(cause) }),
  );
});
