// The log against an array: whatever is appended, cut, deleted, checkpointed, closed or lost to a power failure, the log holds
// exactly the batches the array holds.

import { expect } from 'chai';
import fc from 'fast-check';
import { type LogConfig, type PartitionLog } from '@tidemark/log';
import { crashModes, SimDisk, SimPrng } from '@tidemark/simulation';
import {
  append,
  at,
  batchOf,
  concat,
  epoch,
  openFolder,
  openLog,
  readFrom,
  smallSegments,
  headersOf,
  type World,
} from './story.ts';

interface ModelBatch {
  readonly base: number;
  readonly last: number;
  readonly epoch: number;
  readonly bytes: number;
}

class Story {
  world!: World;
  log!: PartitionLog;
  batches: ModelBatch[] = [];
  start = 0;
  end = 0;
  epoch = 1;
  readonly config: LogConfig;
  readonly tailBytes: number;

  constructor(config: LogConfig, tailBytes: number) {
    this.config = config;
    this.tailBytes = tailBytes;
  }

  async open(disk: SimDisk): Promise<void> {
    this.world = await openFolder(disk, { tailBytes: this.tailBytes });
    this.log = await openLog(this.world, this.config);
  }

  /** The batches that can still be read: those that do not end below the start. */
  get readable(): ModelBatch[] {
    return this.batches.filter(({ last }) => last >= this.start);
  }

  cut(offset: number): void {
    this.batches = this.batches.filter(({ last }) => last < offset);
    this.end = Math.max(this.start, (this.batches.at(-1)?.last ?? -1) + 1);
  }

  async check(): Promise<void> {
    expect([this.log.logStartOffset, this.log.logEndOffset, this.log.nextOffset]).to.deep.equal([
      this.start,
      this.end,
      this.end,
    ]);
    const found: ModelBatch[] = [];
    let offset = this.start;
    while (offset < this.end) {
      const result = await readFrom(this.log, offset, { maxBytes: 700 });
      if (!result.ok) throw new Error(`${result.error}: ${result.message}`);
      for (const header of headersOf(concat(result.parts))) {
        const { baseOffset: base, lastOffset: last, partitionLeaderEpoch, sizeBytes } = header;
        found.push({ base, last, epoch: partitionLeaderEpoch, bytes: sizeBytes });
      }
      expect(result.nextOffset).to.be.greaterThan(offset);
      offset = result.nextOffset;
    }
    expect(found).to.deep.equal(this.readable);
    const ends = new Map(this.readable.map((batch) => [batch.epoch, batch.last + 1]));
    for (const [known, end] of ends) {
      expect(this.log.endOffsetForEpoch(epoch(known))).to.deep.equal({ epoch: known, endOffset: end });
    }
  }
}

type Step = (story: Story) => Promise<void>;

const appendStep = fc
  .tuple(
    fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat(300)), { minLength: 1, maxLength: 4 }),
    fc.boolean(),
  )
  .map(([sizes, wait]): Step => async (story) => {
    const parts = sizes.map(([records, valueBytes]) => batchOf({ records, valueBytes }));
    const result = append(story.log, concat(parts), { leaderEpoch: epoch(story.epoch) });
    if (!result.ok) throw new Error(result.message);
    for (const [index, [records]] of sizes.entries()) {
      const [base, last] = [story.end, story.end + records - 1];
      story.batches.push({ base, last, epoch: story.epoch, bytes: parts[index]!.length });
      story.end = last + 1;
    }
    if (wait) await result.written;
  });

const quiet = async (story: Story): Promise<void> => story.log.flush();
const within = (story: Story, part: number): number =>
  Math.floor(story.start + part * (story.end - story.start + 1));
const part = fc.double({ min: 0, max: 0.999, noNaN: true });

const truncateStep = part.map((share): Step => async (story) => {
  const offset = within(story, share);
  story.cut(offset);
  await story.log.truncateTo(at(offset));
});

const restartStep = fc.nat(50).map((ahead): Step => async (story) => {
  const offset = story.end + ahead;
  await story.log.truncateFullyAndStartAt(at(offset));
  story.batches = [];
  story.start = offset;
  story.end = offset;
});

const deleteStep = part.map((share): Step => async (story) => {
  await quiet(story);
  const offset = Math.min(within(story, share), story.end);
  const result = await story.log.deleteRecordsBefore(at(offset));
  expect(result).to.deep.equal({ ok: true, logStartOffset: Math.max(story.start, offset) });
  story.start = Math.max(story.start, offset);
});

const retentionStep = fc.nat(3000).map((retentionBytes): Step => async (story) => {
  await quiet(story);
  story.log.updateConfig({ ...story.config, retentionBytes });
  await story.log.runRetention(0, story.log.logEndOffset);
  story.log.updateConfig(story.config);
  // The model only learns where the log begins now; `check` holds the rest against it.
  expect(story.log.logStartOffset).to.be.within(story.start, story.end);
  story.start = story.log.logStartOffset;
  // At most the oldest segment too much.
  expect(story.log.sizeBytes).to.be.lessThan(retentionBytes + story.config.segmentBytes + 1);
});

const readStep = fc.tuple(part, fc.nat(2000), part).map(([share, maxBytes, bound]): Step => async (story) => {
  await quiet(story);
  const [offset, upTo] = [Math.min(within(story, share), story.end), within(story, bound)];
  const result = await readFrom(story.log, offset, { maxBytes, upTo, atLeastOne: true });
  if (!result.ok) throw new Error(result.message);
  let size = 0;
  const expected = story.readable.filter((batch) => {
    if (batch.last < offset || batch.last >= upTo || size < 0) return false;
    const fits = size === 0 || size + batch.bytes <= maxBytes;
    size = fits ? size + batch.bytes : -1;
    return fits;
  });
  const bases = headersOf(concat(result.parts)).map(({ baseOffset }) => baseOffset as number);
  // A read from the disk may end with its segment, so it answers a beginning of what is expected; never nothing.
  expect(expected.map(({ base }) => base).slice(0, bases.length)).to.deep.equal(bases);
  expect(bases.length === 0).to.equal(expected.length === 0);
});

const newEpochStep = fc.constant<Step>(async (story) => {
  story.epoch += 1;
  await Promise.resolve();
});

const checkpointStep = fc.constant<Step>(async (story) => story.world.folder.checkpoint());

const reopenStep = fc.constant<Step>(async (story) => {
  await story.world.folder.close();
  expect(story.world.warnings).to.deep.equal([]);
  await story.open(story.world.disk);
  expect(story.log.recovery.clean).to.equal(true);
});

const crashStep = fc
  .tuple(fc.constantFrom(...crashModes), fc.nat())
  .map(([mode, seed]): Step => async (story) => {
    await quiet(story);
    await story.open(story.world.disk.crash(mode, new SimPrng(seed)));
    expect(story.log.recovery.lostOffsets + story.log.recovery.damagedBatches).to.equal(0);
  });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: appendStep },
  { weight: 2, arbitrary: truncateStep },
  { weight: 1, arbitrary: restartStep },
  { weight: 2, arbitrary: deleteStep },
  { weight: 2, arbitrary: retentionStep },
  { weight: 4, arbitrary: readStep },
  { weight: 2, arbitrary: newEpochStep },
  { weight: 2, arbitrary: checkpointStep },
  { weight: 2, arbitrary: reopenStep },
  { weight: 3, arbitrary: crashStep },
);

describe('the log and an array', () => {
  for (const flushPolicy of ['ack', 'os'] as const) {
    for (const tailBytes of [0, 1500, 1 << 20]) {
      it(`hold the same, whatever is done to them (flush.policy=${flushPolicy}, a tail of ${tailBytes} bytes)`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
            const story = new Story({ ...smallSegments, flushPolicy, segmentBytes: 1400 }, tailBytes);
            await story.open(new SimDisk({ shortWriteOneIn: 5 }));
            for (const tell of steps) await tell(story);
            await quiet(story);
            await story.check();
            expect(story.world.offline).to.deep.equal([]);
            await story.world.folder.close();
          }),
          { numRuns: 40 },
        );
      });
    }
  }
});
