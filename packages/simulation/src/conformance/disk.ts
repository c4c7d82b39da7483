// What every Disk must do as long as nothing fails: the contract in core's `ports/disk.ts`, clause by clause. What survives a crash only
// a simulated disk can be asked; that is tested beside it.

import assert from 'node:assert/strict';
import { type Disk, type DiskFile } from '@tidemark/core';
import { failsWith, patterned, sameBytes, writeAll, type ConformanceCase } from './case.ts';
import { diskNameConformance } from './disk-names.ts';

async function readAll(file: DiskFile): Promise<Uint8Array> {
  const bytes = new Uint8Array(await file.sizeBytes());
  assert.equal(await file.read(bytes, 0), bytes.length);
  return bytes;
}

const concatenated = (parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

/** A case on one fresh file. */
const onFile = (
  name: string,
  check: (file: DiskFile, disk: Disk) => Promise<void>,
): ConformanceCase<Disk> => ({
  name,
  run: async (make) => {
    const disk = await make();
    const file = await disk.open('file', 'create');
    await check(file, disk);
    await file.close();
  },
});

const fileConformance: readonly ConformanceCase<Disk>[] = [
  onFile('reads back what was written, through the same and through another handle', async (file, disk) => {
    assert.equal(file.path, 'file');
    await writeAll(file, [patterned(10_000)], 0);
    sameBytes(await readAll(file), patterned(10_000), 'same handle');
    const other = await disk.open('file', 'read');
    sameBytes(await readAll(other), patterned(10_000), 'another handle');
    await writeAll(file, [patterned(10, 1)], 10_000);
    assert.equal(await other.sizeBytes(), 10_010);
    await other.close();
  }),
  onFile('writes the parts one after another, empty ones and thousands of them included', async (file) => {
    const parts = [patterned(3), new Uint8Array(0), patterned(5_000, 1), patterned(1, 2)];
    await writeAll(file, parts, 0);
    sameBytes(await readAll(file), concatenated(parts), 'a few parts');
    const many = Array.from({ length: 3_000 }, (_, at) => patterned(7, at));
    await writeAll(file, many, 100);
    const into = new Uint8Array(21_000);
    assert.equal(await file.read(into, 100), 21_000);
    sameBytes(into, concatenated(many), 'many parts');
  }),
  onFile('answers 0 for a write of nothing and does not grow', async (file) => {
    assert.equal(await file.write([], 50), 0);
    assert.equal(await file.write([new Uint8Array(0)], 50), 0);
    assert.equal(await file.sizeBytes(), 0);
  }),
  onFile('overwrites in place and leaves the rest alone', async (file) => {
    await writeAll(file, [patterned(20_000)], 0);
    await writeAll(file, [patterned(5_000, 9)], 4_000);
    const expected = patterned(20_000);
    expected.set(patterned(5_000, 9), 4_000);
    sameBytes(await readAll(file), expected, 'content');
  }),
  onFile('writes views into larger buffers, not the buffers', async (file) => {
    const buffer = patterned(4_096);
    await writeAll(file, [buffer.subarray(100, 200), buffer.subarray(4_000)], 0);
    sameBytes(await readAll(file), concatenated([buffer.slice(100, 200), buffer.slice(4_000)]), 'content');
  }),
  onFile('reads into a view without touching what is around it', async (file) => {
    await writeAll(file, [patterned(64)], 0);
    const buffer = new Uint8Array(100).fill(0xee);
    assert.equal(await file.read(buffer.subarray(10, 30), 5), 20);
    sameBytes(buffer.subarray(10, 30), patterned(64).subarray(5, 25), 'the view');
    assert(buffer.subarray(0, 10).every((byte) => byte === 0xee));
    assert(buffer.subarray(30).every((byte) => byte === 0xee));
  }),
  onFile('reads fewer bytes than asked only at the end of the file', async (file) => {
    await writeAll(file, [patterned(300_000)], 0);
    const into = new Uint8Array(200_000);
    assert.equal(await file.read(into, 0), 200_000);
    assert.equal(await file.read(into, 200_000), 100_000);
    sameBytes(into.subarray(0, 100_000), patterned(300_000).subarray(200_000), 'the last part');
    assert.equal(await file.read(into, 299_999), 1);
    assert.equal(await file.read(into, 300_000), 0);
    assert.equal(await file.read(into, 10_000_000), 0);
    assert.equal(await file.read(new Uint8Array(0), 0), 0);
  }),
  onFile('fills the gap before a write with zeros', async (file) => {
    await writeAll(file, [patterned(10)], 0);
    await writeAll(file, [patterned(10)], 9_000);
    assert.equal(await file.sizeBytes(), 9_010);
    const bytes = await readAll(file);
    sameBytes(bytes.subarray(10, 9_000), new Uint8Array(8_990), 'the gap');
    sameBytes(bytes.subarray(9_000), patterned(10), 'after the gap');
  }),
  onFile('cuts, and what was cut does not come back when the file grows again', async (file) => {
    await writeAll(file, [patterned(9_000)], 0);
    await file.truncate(4_500);
    assert.equal(await file.sizeBytes(), 4_500);
    assert.equal(await file.read(new Uint8Array(10), 4_500), 0);
    await file.truncate(12_000);
    const bytes = await readAll(file);
    sameBytes(bytes.subarray(0, 4_500), patterned(9_000).subarray(0, 4_500), 'what was kept');
    sameBytes(bytes.subarray(4_500), new Uint8Array(7_500), 'the extension');
    await file.truncate(0);
    assert.equal(await file.sizeBytes(), 0);
  }),
  onFile('syncs as often as asked, an untouched file too', async (file) => {
    await file.sync();
    await writeAll(file, [patterned(10)], 0);
    await Promise.all([file.sync(), file.sync()]);
    sameBytes(await readAll(file), patterned(10), 'content');
  }),
  onFile('reads and writes at the same time without mixing them up', async (file) => {
    const block = 8_192;
    await writeAll(file, [patterned(32 * block)], 0);
    const work: Promise<unknown>[] = [];
    for (let at = 0; at < 32; at++) {
      work.push(writeAll(file, [patterned(block, at + 1)], (32 + at) * block));
      const into = new Uint8Array(block);
      work.push(
        file.read(into, at * block).then((length) => {
          assert.equal(length, block);
          sameBytes(into, patterned(32 * block).subarray(at * block, (at + 1) * block), `block ${at}`);
        }),
      );
    }
    await Promise.all(work);
    const bytes = await readAll(file);
    for (let at = 0; at < 32; at++) {
      sameBytes(
        bytes.subarray((32 + at) * block, (33 + at) * block),
        patterned(block, at + 1),
        `written ${at}`,
      );
    }
  }),
  onFile('handles positions past 2^32', async (file) => {
    const position = 2 ** 33 + 5;
    await writeAll(file, [patterned(10)], position);
    assert.equal(await file.sizeBytes(), position + 10);
    const into = new Uint8Array(20);
    assert.equal(await file.read(into, position), 10);
    sameBytes(into.subarray(0, 10), patterned(10), 'content');
    await file.truncate(0);
  }),
  onFile('refuses positions and sizes that are no file offset', async (file) => {
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) {
      await failsWith(file.read(new Uint8Array(1), bad), ['EINVAL'], `read at ${bad}`);
      await failsWith(file.write([patterned(1)], bad), ['EINVAL'], `write at ${bad}`);
      await failsWith(file.truncate(bad), ['EINVAL'], `truncate to ${bad}`);
    }
  }),
  onFile('refuses to write through a handle opened for reading', async (file, disk) => {
    await writeAll(file, [patterned(10)], 0);
    const reader = await disk.open('file', 'read');
    await failsWith(reader.write([patterned(1)], 0), ['EINVAL'], 'write');
    await failsWith(reader.truncate(0), ['EINVAL'], 'truncate');
    sameBytes(await readAll(reader), patterned(10), 'content');
    await reader.close();
  }),
  onFile(
    'closes after what was started before, twice without harm, and then answers nothing',
    async (file) => {
      const write = file.write([patterned(100)], 0);
      const closed = file.close();
      assert((await write) > 0);
      await closed;
      await file.close();
      await failsWith(file.read(new Uint8Array(1), 0), ['EINVAL'], 'read');
      await failsWith(file.write([patterned(1)], 0), ['EINVAL'], 'write');
      await failsWith(file.sync(), ['EINVAL'], 'sync');
      await failsWith(file.truncate(0), ['EINVAL'], 'truncate');
      await failsWith(file.sizeBytes(), ['EINVAL'], 'sizeBytes');
    },
  ),
  onFile('keeps an open file readable after its name is removed or taken by another', async (file, disk) => {
    await writeAll(file, [patterned(10)], 0);
    const other = await disk.open('other', 'create');
    await writeAll(other, [patterned(10, 1)], 0);
    await other.close();
    await disk.rename('other', 'file');
    sameBytes(await readAll(file), patterned(10), 'the replaced file');
    const renamed = await disk.open('file', 'read');
    await disk.removeFile('file');
    sameBytes(await readAll(renamed), patterned(10, 1), 'the removed file');
    await renamed.close();
  }),
];

export const diskConformance: readonly ConformanceCase<Disk>[] = [...fileConformance, ...diskNameConformance];
