// Tells the same story again and again, each time with one disk operation that fails, and then crashes: whatever failed, what
// was promised is kept, and nothing is promised on the strength of what failed. The complement of `crash-points.ts`: there the
// disk stops, here it answers with an error and the log has to do something about it.

import { DiskError, TidemarkError, type DiskErrorCode } from '@tidemark/core';
import { crashPointOperations } from '../disk-step.ts';
import { SimClock } from '../sim-clock.ts';
import { SimDisk } from '../sim-disk.ts';
import { SimPrng } from '../sim-prng.ts';
import { logFaults } from './log-checks.ts';
import { LogStory } from './log-story.ts';
import { StoryLog, viewOf, type FlushPolicy } from './story-log.ts';

export interface FaultPointOptions {
  readonly seed: number;
  readonly steps: number;
  readonly flushPolicy: FlushPolicy;
  readonly error: DiskErrorCode;
  /** Operations that fail from the chosen one on. Default 1. */
  readonly times?: number;
  /** Every how many operations one is chosen. Default 1. */
  readonly stride?: number;
}

export interface FaultPointReport {
  /** Runs of the story, each with its own failing operation. */
  readonly runs: number;
  /** Of them, those that ended with the folder offline. */
  readonly offline: number;
  /** Of them, those in which the log took appends after the failure. */
  readonly wentOn: number;
  readonly faults: readonly string[];
}

interface Outcome {
  readonly isOver: boolean;
  readonly isOffline: boolean;
  readonly wentOn: boolean;
  readonly faults: readonly string[];
}

export async function exploreFaultPoints(options: FaultPointOptions): Promise<FaultPointReport> {
  const faults: string[] = [];
  let [runs, offline, wentOn] = [0, 0, 0];
  for (let skip = 0; faults.length < 5; skip += options.stride ?? 1) {
    const outcome = await runWithFault(options, skip);
    faults.push(...outcome.faults);
    if (outcome.isOver) break;
    runs++;
    if (outcome.isOffline) offline++;
    if (outcome.wentOn) wentOn++;
  }
  return { runs, offline, wentOn, faults };
}

/** What a log may answer when its disk fails. Anything else is a fault of the log. */
const isStorageFailure = (error: unknown): boolean =>
  error instanceof DiskError || (error instanceof TidemarkError && error.error === 'KAFKA_STORAGE_ERROR');

async function runWithFault(options: FaultPointOptions, skip: number): Promise<Outcome> {
  const { seed, steps, flushPolicy, error, times = 1 } = options;
  const prng = new SimPrng(seed);
  const clock = new SimClock();
  const disk = new SimDisk({ clock, prng: prng.fork('disk') });
  const log = new StoryLog(disk, clock, flushPolicy);
  const story = new LogStory(log, clock, prng.fork('story'));
  let [matching, struck] = [0, ''];
  disk.observe((step, phase) => {
    if (phase !== 'before' || !crashPointOperations.has(step.operation)) return;
    story.listen();
    if (matching++ === skip) struck = `${step.operation} ${step.path}`;
  });
  disk.inject({ error, skip, times });

  const faults: string[] = [];
  let endAfter = '';
  try {
    await clock.settle(log.open());
    for (let told = 0; told < steps; told++) {
      const end = story.model.batches.length;
      try {
        await story.step();
        if (struck !== '' && story.model.batches.length > end) endAfter = 'appended';
      } catch (failure) {
        if (!isStorageFailure(failure)) throw failure;
        // What the log refuses is not appended; a cut or a restart that failed half-way ends the story.
        if (log.offlineCause !== undefined || story.isInterrupted) break;
      }
    }
    await story.quiet();
  } catch (failure) {
    if (!isStorageFailure(failure)) faults.push(String(failure));
  }
  story.listen();
  const expected = story.model.expectation();
  for (const mode of ['nothing', 'all', 'reordered'] as const) {
    const survivor = disk.fork(mode, prng);
    const recovered = new StoryLog(survivor, new SimClock({ wallMs: clock.wallMs() }), flushPolicy);
    try {
      await recovered.open();
      faults.push(...logFaults(await viewOf(recovered.log!), expected).map((fault) => `${mode}: ${fault}`));
    } catch (failure) {
      faults.push(`${mode}: does not recover: ${failure instanceof Error ? (failure.stack ?? '') : ''}`);
    }
  }
  return {
    isOver: struck === '',
    isOffline: log.offlineCause !== undefined,
    wentOn: endAfter !== '',
    faults: faults.map((fault) => `seed ${seed}, ${error} at ${struck} (number ${skip}): ${fault}`),
  };
}
