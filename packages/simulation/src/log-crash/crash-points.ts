// Tells a story to a log and crashes it at every boundary: before each write, sync, truncation, rename, removal and folder
// sync that reaches the disk, in every crash mode. Each crash is a fork of the disk, so the story itself is told once. Every
// state is then recovered and checked; some are crashed again while they recover.

import { type Disk, type LeaderEpoch } from '@tidemark/core';
import { crc32c } from '@tidemark/record';
import { crashModes, type CrashMode } from '../crash-survivors.ts';
import { crashPointOperations, type DiskStep } from '../disk-step.ts';
import { SimClock } from '../sim-clock.ts';
import { SimDisk } from '../sim-disk.ts';
import { SimPrng } from '../sim-prng.ts';
import { foundBatches, logFaults, type LogView } from './log-checks.ts';
import { type Expectation, type ModelBatch } from './log-model.ts';
import { LogStory } from './log-story.ts';
import { asRequest, StoryBatches } from './story-batches.ts';
import { StoryLog, viewOf, type FlushPolicy } from './story-log.ts';

export interface CrashPointOptions {
  readonly seed: number;
  readonly steps: number;
  readonly flushPolicy: FlushPolicy;
  /** Default: all. */
  readonly modes?: readonly CrashMode[];
  /** One write in so many is cut short. Default 6. */
  readonly shortWriteOneIn?: number;
  /** What the log is given instead of the disk: mutants. The same for the story and for every recovery. */
  readonly disguise?: (disk: Disk) => Disk;
  /** One recovery in so many is crashed at each of its own boundaries. Default 40; 0: none. */
  readonly recoveryCrashOneIn?: number;
  /** Stop after so many states with a fault. Default 5. */
  readonly maxFaults?: number;
}

export interface CrashPointReport {
  /** Boundaries of the story: disk operations a crash can fall before, and the story's end. */
  readonly boundaries: number;
  /** Crash states made: boundaries times modes, and those made during recoveries. */
  readonly states: number;
  /** Of them, with content and expectation of their own: recovered and checked. */
  readonly distinct: number;
  readonly duringRecovery: number;
  readonly batches: number;
  readonly told: ReadonlyMap<string, number>;
  readonly digest: string;
  /** What went wrong, with where. */
  readonly faults: readonly string[];
}

const honest = (disk: Disk): Disk => disk;

interface CrashState {
  readonly disk: SimDisk;
  readonly expected: Expectation;
  readonly where: string;
  readonly wallMs: number;
  readonly epoch: number;
}

export async function exploreCrashPoints(options: CrashPointOptions): Promise<CrashPointReport> {
  return new Exploration(options).run();
}

class Exploration {
  readonly #options: CrashPointOptions;
  readonly #prng: SimPrng;
  readonly #clock = new SimClock();
  readonly #disk: SimDisk;
  readonly #story: LogStory;
  readonly #log: StoryLog;
  readonly #checked = new Map<Expectation, Set<string>>();
  readonly #faults: string[] = [];
  #queue: CrashState[] = [];
  #boundaries = 0;
  #states = 0;
  #distinct = 0;
  #duringRecovery = 0;
  #checks = 0;

  constructor(options: CrashPointOptions) {
    this.#options = options;
    const { seed, flushPolicy, shortWriteOneIn = 6, disguise = honest } = options;
    this.#prng = new SimPrng(seed);
    const disk = { clock: this.#clock, prng: this.#prng.fork('disk'), shortWriteOneIn };
    this.#disk = new SimDisk(disk);
    this.#log = new StoryLog(disguise(this.#disk), this.#clock, flushPolicy);
    this.#story = new LogStory(this.#log, this.#clock, this.#prng.fork('story'));
  }

  async run(): Promise<CrashPointReport> {
    const { steps, maxFaults = 5 } = this.#options;
    const modesPrng = this.#prng.fork('crashes');
    this.#disk.observe((step, phase) => {
      if (phase === 'before' && crashPointOperations.has(step.operation)) this.#crashBefore(step, modesPrng);
    });
    try {
      await this.#clock.settle(this.#log.open());
      for (let step = 0; step < steps && this.#faults.length < maxFaults; step++) {
        await this.#story.step();
        await this.#checkQueue();
      }
      await this.#story.quiet();
      this.#crashBefore(undefined, modesPrng);
    } catch (error) {
      this.#faults.push(`the story itself failed: ${describe(error)}`);
    }
    await this.#checkQueue();
    return {
      boundaries: this.#boundaries,
      states: this.#states,
      distinct: this.#distinct,
      duringRecovery: this.#duringRecovery,
      batches: this.#story.model.batches.length,
      told: this.#story.told,
      digest: this.#clock.trace.digest,
      faults: this.#faults,
    };
  }

  #crashBefore(step: DiskStep | undefined, prng: SimPrng): void {
    this.#story.listen();
    this.#boundaries++;
    const expected = this.#story.model.expectation();
    const at =
      step === undefined ? 'at the end' : `before ${step.operation} ${step.path} (step ${step.number})`;
    for (const mode of this.#options.modes ?? crashModes) {
      this.#add({
        disk: this.#disk.fork(mode, prng),
        expected,
        where: `seed ${this.#options.seed}, ${mode} ${at}`,
        wallMs: this.#clock.wallMs(),
        epoch: this.#story.epoch,
      });
    }
  }

  #add(state: CrashState): void {
    this.#states++;
    let known = this.#checked.get(state.expected);
    if (known === undefined) this.#checked.set(state.expected, (known = new Set()));
    const content = digestOf(state.disk);
    if (known.has(content)) return;
    known.add(content);
    this.#distinct++;
    this.#queue.push(state);
  }

  async #checkQueue(): Promise<void> {
    const { maxFaults = 5, recoveryCrashOneIn = 40 } = this.#options;
    for (let state = this.#queue.shift(); state !== undefined; state = this.#queue.shift()) {
      if (this.#faults.length >= maxFaults) continue;
      const crashesAgain = recoveryCrashOneIn > 0 && this.#distinct % recoveryCrashOneIn === 0;
      try {
        const faults = await this.#check(state, crashesAgain);
        if (faults.length > 0) this.#faults.push(`${state.where}:\n    ${faults.join('\n    ')}`);
      } catch (error) {
        this.#faults.push(`${state.where}: ${describe(error)}`);
      }
    }
    // Expectations of the past are not met again.
    this.#checked.clear();
  }

  async #check(state: CrashState, crashesAgain: boolean): Promise<string[]> {
    const { disk, expected, wallMs } = state;
    if (crashesAgain) await this.#crashRecovery(state);
    const first = await this.#recover(disk, wallMs);
    const view = await viewOf(first.log!);
    const faults = logFaults(view, expected);
    const prng = this.#prng.fork('again');
    // Each of these costs as much as the recovery itself; over the thousands of states every kind of state meets each.
    const kind = this.#checks++ % 3;
    if (kind === 0) {
      // Recovered again after another crash, whatever that takes away: the same log.
      const mode = prng.chance(2) ? 'nothing' : 'reordered';
      const again = await this.#recover(disk.fork(mode, prng), wallMs);
      faults.push(...differences(view, await viewOf(again.log!), `recovered again after ${mode}`));
    } else if (kind === 1) {
      // With nothing taken away: the same files, too.
      const untouched = disk.fork('all', prng);
      await this.#recover(untouched, wallMs);
      faults.push(...fileDifferences(disk.contents(), untouched.contents()));
    } else faults.push(...(await this.#goesOn(state, first, view)));
    return faults;
  }

  async #recover(disk: SimDisk, wallMs: number): Promise<StoryLog> {
    const { disguise = honest, flushPolicy } = this.#options;
    const log = new StoryLog(disguise(disk), new SimClock({ wallMs }), flushPolicy);
    await log.open();
    return log;
  }

  /** Every boundary of this recovery, in one mode each, must leave a state that recovers as well. */
  async #crashRecovery(state: CrashState): Promise<void> {
    const prng = this.#prng.fork('recovery');
    const disk = state.disk.fork('all', prng);
    const again: CrashState[] = [];
    disk.observe((step, phase) => {
      if (phase !== 'before' || !crashPointOperations.has(step.operation)) return;
      const mode = crashModes[prng.below(crashModes.length)]!;
      const where = `${state.where}, then ${mode} before ${step.operation} ${step.path} of the recovery`;
      again.push({ ...state, disk: disk.fork(mode, prng), where });
    });
    await this.#recover(disk, state.wallMs);
    for (const crashed of again) {
      this.#duringRecovery++;
      this.#add(crashed);
    }
  }

  /** The log goes on where it stopped: retries are known, what comes next is taken, and is kept over the next crash. */
  async #goesOn(state: CrashState, recovered: StoryLog, view: LogView): Promise<string[]> {
    const log = recovered.log!;
    const faults: string[] = [];
    const options = { leaderEpoch: (state.epoch + 1) as LeaderEpoch, origin: 'leader' } as const;
    const found = new Map(foundBatches(view.bytes).map((batch) => [batch.baseOffset, batch.bytes]));
    const isThere = (batch: ModelBatch): boolean => {
      const bytes = found.get(batch.baseOffset);
      return bytes !== undefined && Buffer.compare(bytes, batch.stored) === 0;
    };
    const { batches: current, leaving } = state.expected;
    // During a cut the log may still hold what is leaving: then that is what its producers sent last.
    const sequenced = [...current, ...leaving].filter((batch) => batch.producerId >= 0);
    for (const producerId of new Set(sequenced.map((batch) => batch.producerId))) {
      const all = sequenced.filter((batch) => batch.producerId === producerId);
      const present = all.filter(isThere);
      for (const batch of present.slice(-5)) {
        const request = asRequest([batch]);
        const result = log.append(request.bytes, request.batches, options);
        if (!result.ok || !result.duplicate || (result.baseOffset as number) !== batch.baseOffset) {
          const log = `${view.startOffset}..${view.endOffset}`;
          const which = `${batch.baseOffset}..${batch.lastOffset} in ${log}`;
          faults.push(`a retry of ${which} is not recognised: ${JSON.stringify(result)}`);
        }
      }
      const lost = all.find((batch) => batch.baseOffset >= view.endOffset);
      if (present.length === 0 || lost === undefined) continue;
      const request = asRequest([lost]);
      const end = log.nextOffset;
      const result = log.append(request.bytes, request.batches, options);
      if (!result.ok || result.duplicate || result.baseOffset !== end) {
        faults.push(`a retry of the lost ${lost.baseOffset} is not appended: ${JSON.stringify(result)}`);
      }
    }
    const batches = new StoryBatches(this.#prng.fork('more'));
    const more = asRequest([batches.make(state.wallMs), batches.make(state.wallMs)]);
    const result = log.append(more.bytes, more.batches, options);
    if (!result.ok) return [...faults, `takes no append: ${result.message}`];
    await log.flush();
    const after = await viewOf(log);
    const again = await this.#recover(state.disk.fork('nothing', this.#prng), state.wallMs);
    faults.push(...differences(after, await viewOf(again.log!), 'after more appends and a crash'));
    if (Buffer.compare(after.bytes.subarray(0, view.bytes.length), view.bytes) !== 0) {
      faults.push('appending after the recovery changed what was there');
    }
    return faults;
  }
}

function digestOf(disk: SimDisk): string {
  let digest = '';
  for (const [path, bytes] of disk.contents()) digest += `${path} ${bytes.length} ${crc32c(bytes)}\n`;
  return digest;
}

function differences(before: LogView, after: LogView, what: string): string[] {
  const range = ({ startOffset, endOffset }: LogView): string => `${startOffset}..${endOffset}`;
  if (range(before) !== range(after)) return [`${what}: ${range(before)} became ${range(after)}`];
  return Buffer.compare(before.bytes, after.bytes) === 0 ? [] : [`${what}: other bytes`];
}

function fileDifferences(
  before: ReadonlyMap<string, Uint8Array>,
  after: ReadonlyMap<string, Uint8Array>,
): string[] {
  const differing = [...new Set([...before.keys(), ...after.keys()])].filter((path) => {
    const [a, b] = [before.get(path), after.get(path)];
    return a === undefined || b === undefined || Buffer.compare(a, b) !== 0;
  });
  return differing.length === 0 ? [] : [`recovering twice changes files: ${differing.join(', ')}`];
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
