import { expect } from 'chai';
import fc from 'fast-check';
import { BatchBuilder } from '@tidemark/record';
import {
  append,
  appended,
  at,
  NO_CODECS,
  openFolder,
  openLog,
  readAll,
  smallSegments,
  type World,
} from './story.ts';

interface Timed {
  readonly offset: number;
  readonly timestampMs: number;
}

/** One batch for each array, one record for each timestamp. */
async function timed(
  batches: readonly (readonly number[])[],
  tailBytes: number,
): Promise<{ world: World; log: Awaited<ReturnType<typeof openLog>>; records: Timed[] }> {
  const world = await openFolder(undefined, { tailBytes, codecs: NO_CODECS });
  const log = await openLog(world, smallSegments);
  const records: Timed[] = [];
  for (const timestamps of batches) {
    const builder = new BatchBuilder({ capacityBytes: 1000 });
    for (const timestampMs of timestamps) {
      builder.append(timestampMs, null, null);
      records.push({ offset: records.length, timestampMs });
    }
    append(log, new Uint8Array(builder.build()));
  }
  await log.flush();
  return { world, log, records };
}

const times = fc.array(fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 4 }), {
  maxLength: 60,
});

describe('lookup by time', () => {
  it('finds the first record at or after a time below the bound, exactly as a scan would', async () => {
    await fc.assert(
      fc.asyncProperty(
        times,
        fc.nat(320),
        fc.nat(200),
        fc.nat(60),
        async (batches, timestampMs, upTo, start) => {
          const { world, log, records } = await timed(batches, 0);
          const from = Math.min(start, records.length);
          await log.deleteRecordsBefore(at(from));
          const expected = records.slice(from).find((record) => record.timestampMs >= timestampMs);
          const bounded = expected !== undefined && expected.offset < upTo ? expected : undefined;
          const found = await log.offsetForTimestamp(timestampMs, at(upTo));
          const plain = found && { offset: found.offset as number, timestampMs: found.timestampMs };
          // A batch is only looked into when it ends below the bound.
          if (plain !== undefined || bounded === undefined) expect(plain).to.deep.equal(bounded);
          const unbounded = await log.offsetForTimestamp(timestampMs, log.logEndOffset);
          expect(
            unbounded && { offset: unbounded.offset as number, timestampMs: unbounded.timestampMs },
          ).to.deep.equal(expected);
          await world.folder.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('finds the first record with the largest time, also after opening the log again', async () => {
    await fc.assert(
      fc.asyncProperty(times, async (batches) => {
        const { world, log, records } = await timed(batches, 0);
        const largest = Math.max(-1, ...records.map((record) => record.timestampMs));
        const expected = records.find((record) => record.timestampMs === largest);
        const plain = async (from: typeof log): Promise<Timed | undefined> => {
          const found = await from.maxTimestamp();
          return found && { offset: found.offset, timestampMs: found.timestampMs };
        };
        expect(await plain(log)).to.deep.equal(expected);
        await world.folder.close();
        const again = await openFolder(world.disk);
        expect(await plain(await openLog(again, smallSegments))).to.deep.equal(expected);
        await again.folder.close();
      }),
      { numRuns: 40 },
    );
  });

  it('answers nothing below the start of the log', async () => {
    const { world, log } = await timed([[1], [2], [3], [4]], 0);
    await log.deleteRecordsBefore(at(2));
    expect(await log.offsetForTimestamp(0, log.logEndOffset)).to.deep.equal({
      offset: 2,
      timestampMs: 3,
      leaderEpoch: 1,
    });
    await world.folder.close();
  });

  it('takes the broker’s time for topics with LogAppendTime', async () => {
    const world = await openFolder();
    const log = await openLog(world, { ...smallSegments, messageTimestampType: 'LogAppendTime' });
    const nowMs = world.clock.wallMs();
    const result = await appended(log, { timestampMs: 5 });
    expect(result.logAppendTimeMs).to.equal(nowMs);
    const [batch] = await readAll(log);
    expect(batch).to.include({ timestampType: 'LogAppendTime', maxTimestamp: nowMs });
    expect(await log.maxTimestamp()).to.deep.equal({ offset: 0, timestampMs: nowMs, leaderEpoch: 1 });
    await world.folder.close();
  });
});
