// Crashes a compacted log at every boundary of its story, in every crash mode, or has one disk operation after the other fail; every
// state is recovered and checked, recovered again, and cleaned to its end. The rules are in `compaction-model.ts`.

import { DiskError, TidemarkError, type Disk, type DiskErrorCode, type Offset } from '@tidemark/core';
import type { LogConfig } from '@tidemark/log';
import { crc32c } from '@tidemark/record';
import { crashModes } from '../crash-survivors.ts';
import { crashPointOperations } from '../disk-step.ts';
import { SimClock } from '../sim-clock.ts';
import { SimDisk } from '../sim-disk.ts';
import { SimPrng } from '../sim-prng.ts';
import { compactionFaults, type CompactionExpectation } from './compaction-model.ts';
import { compactedStoryConfig, CompactionStory, openCompacted, recordsOf } from './compaction-story.ts';

export interface CompactionPointOptions {
  readonly seed: number;
  readonly steps: number;
  /** What the log is given instead of the disk: mutants. */
  readonly disguise?: (disk: Disk) => Disk;
  /** Over the story's; the model goes by the story's: mutants. */
  readonly config?: Partial<LogConfig>;
  readonly maxFaults?: number;
}

export interface CompactionPointReport {
  readonly boundaries: number;
  readonly states: number;
  readonly distinct: number;
  readonly cleanedBytes: number;
  readonly told: ReadonlyMap<string, number>;
  readonly faults: readonly string[];
}

interface State {
  readonly disk: SimDisk;
  readonly expected: CompactionExpectation;
  readonly where: string;
}

const honest = (disk: Disk): Disk => disk;

export async function exploreCompactionPoints(
  options: CompactionPointOptions,
): Promise<CompactionPointReport> {
  const { seed, steps, disguise = honest, maxFaults = 3 } = options;
  const config = { ...compactedStoryConfig, ...options.config };
  const prng = new SimPrng(seed);
  const clock = new SimClock();
  const disk = new SimDisk({ clock, prng: prng.fork('disk'), shortWriteOneIn: 8 });
  const story = new CompactionStory(disguise(disk), clock, prng.fork('story'), config);
  const crashes = prng.fork('crashes');
  const faults: string[] = [];
  let [boundaries, states, distinct] = [0, 0, 0];
  let queue: State[] = [];
  const seen = new Set<string>();
  disk.observe((step, phase) => {
    if (phase !== 'before' || !crashPointOperations.has(step.operation)) return;
    boundaries++;
    const expected = story.expectation();
    for (const mode of crashModes) {
      states++;
      const fork = disk.fork(mode, crashes);
      const content = `${expected.durableEnd} ${expected.records.length} ${expected.leaving.length} ${digestOf(fork)}`;
      if (seen.has(content)) continue;
      seen.add(content);
      distinct++;
      queue.push({
        disk: fork,
        expected,
        where: `seed ${seed}, ${mode} before ${step.operation} ${step.path}`,
      });
    }
  });
  const check = async (): Promise<void> => {
    const due = queue;
    queue = [];
    for (const state of due) {
      if (faults.length >= maxFaults) return;
      faults.push(...(await stateFaults(state, config, disguise, prng)));
    }
  };
  try {
    await clock.settle(story.open());
    for (let step = 0; step < steps && faults.length < maxFaults; step++) {
      await story.step();
      const { found, endOffset } = await clock.settle(recordsOf(story.log));
      const wrong = compactionFaults(found, endOffset, story.expectation());
      faults.push(...wrong.map((fault) => `seed ${seed}, after step ${step}: ${fault}`));
      await check();
    }
  } catch (error) {
    faults.push(`seed ${seed}, the story itself failed: ${describe(error)}`);
  }
  await check();
  return { boundaries, states, distinct, cleanedBytes: story.cleaned, told: story.told, faults };
}

/** The story with one disk operation after the other failing, and a crash at the end of each. */
export async function exploreCompactionFaults(
  options: Pick<CompactionPointOptions, 'seed' | 'steps'> & {
    readonly error: DiskErrorCode;
    readonly stride?: number;
  },
): Promise<{ readonly runs: number; readonly offline: number; readonly faults: readonly string[] }> {
  const { seed, steps, error, stride = 1 } = options;
  const faults: string[] = [];
  let [runs, offline] = [0, 0];
  for (let skip = 0; faults.length < 3; skip += stride) {
    const prng = new SimPrng(seed);
    const clock = new SimClock();
    const disk = new SimDisk({ clock, prng: prng.fork('disk') });
    const story = new CompactionStory(disk, clock, prng.fork('story'), compactedStoryConfig);
    let [matching, struck] = [0, ''];
    disk.observe((step, phase) => {
      if (phase !== 'before' || !crashPointOperations.has(step.operation)) return;
      if (matching++ === skip) struck = `${step.operation} ${step.path}`;
      story.expectation();
    });
    disk.inject({ error, skip, times: 1 });
    try {
      await clock.settle(story.open());
      for (let step = 0; step < steps; step++) await story.step();
    } catch (failed) {
      const isStorage =
        failed instanceof DiskError ||
        (failed instanceof TidemarkError && failed.error === 'KAFKA_STORAGE_ERROR');
      if (!isStorage) faults.push(`seed ${seed}, ${error} at ${struck}: ${describe(failed)}`);
    }
    if (struck === '') break;
    runs++;
    if (story.offlineCause !== undefined) offline++;
    const expected = story.expectation();
    for (const mode of ['nothing', 'all', 'reordered'] as const) {
      const where = `seed ${seed}, ${error} at ${struck} (number ${skip}), then ${mode}`;
      const state = { disk: disk.fork(mode, prng), expected, where };
      faults.push(...(await stateFaults(state, compactedStoryConfig, honest, prng)));
    }
  }
  return { runs, offline, faults };
}

async function stateFaults(
  { disk, expected, where }: State,
  config: LogConfig,
  disguise: (disk: Disk) => Disk,
  prng: SimPrng,
): Promise<string[]> {
  const faults: string[] = [];
  try {
    const clock = (): SimClock => new SimClock({ wallMs: expected.nowMs });
    const first = await openCompacted(disguise(disk), clock(), config);
    const view = await recordsOf(first.log);
    faults.push(...compactionFaults(view.found, view.endOffset, expected));
    // Recovered again, whatever another crash takes away: the same log.
    const again = disk.fork(prng.chance(2) ? 'nothing' : 'all', prng);
    const second = await recordsOf((await openCompacted(disguise(again), clock(), config)).log);
    if (second.endOffset !== view.endOffset || Buffer.compare(second.bytes, view.bytes) !== 0) {
      faults.push(`recovering twice: ${view.endOffset} became ${second.endOffset}, or the bytes changed`);
    }
    // And it can still be cleaned, which loses nothing either.
    await first.folder.checkpoint();
    for (let left = 20; left > 0; left--) {
      const highWatermark = Math.min(expected.durableEnd, view.endOffset) as Offset;
      const report = await first.folder.cleanNext(expected.nowMs, () => highWatermark);
      if (report === undefined) break;
      if (report.type !== 'cleaned') faults.push(`cleaning after the recovery: ${JSON.stringify(report)}`);
    }
    const cleaned = await recordsOf(first.log);
    faults.push(
      ...compactionFaults(cleaned.found, cleaned.endOffset, expected).map((fault) => `cleaned: ${fault}`),
    );
  } catch (error) {
    faults.push(describe(error));
  }
  return faults.map((fault) => `${where}: ${fault}`);
}

function digestOf(disk: SimDisk): string {
  let digest = '';
  for (const [path, bytes] of disk.contents()) digest += `${path} ${bytes.length} ${crc32c(bytes)}\n`;
  return digest;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
