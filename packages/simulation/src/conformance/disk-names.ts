// The half of the Disk contract about names: folders, lists, renames, removals, the lock, and paths that lead out.

import assert from 'node:assert/strict';
import { type Disk } from '@tidemark/core';
import { failsWith, patterned, sameBytes, writeAll, type ConformanceCase } from './case.ts';

async function put(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.open(path, 'create');
  await writeAll(file, [bytes], 0);
  await file.close();
}

async function get(disk: Disk, path: string): Promise<Uint8Array> {
  const file = await disk.open(path, 'read');
  const bytes = new Uint8Array(await file.sizeBytes());
  await file.read(bytes, 0);
  await file.close();
  return bytes;
}

const named = (name: string, check: (disk: Disk) => Promise<void>): ConformanceCase<Disk> => ({
  name,
  run: async (make) => check(await make()),
});

export const diskNameConformance: readonly ConformanceCase<Disk>[] = [
  named('starts empty', async (disk) => {
    assert.deepEqual(await disk.list(''), []);
    assert.deepEqual(await disk.list('.'), []);
    assert.equal((await disk.stat(''))?.kind, 'directory');
  }),
  named('opens for reading and writing only what exists, and creates without cutting', async (disk) => {
    await failsWith(disk.open('file', 'read'), ['ENOENT'], 'read');
    await failsWith(disk.open('file', 'write'), ['ENOENT'], 'write');
    await failsWith(disk.open('folder/file', 'create'), ['ENOENT'], 'create in a missing folder');
    await put(disk, 'file', patterned(100));
    await put(disk, 'file', patterned(10, 1));
    const expected = patterned(100);
    expected.set(patterned(10, 1));
    sameBytes(await get(disk, 'file'), expected, 'content');
    const file = await disk.open('file', 'write');
    await writeAll(file, [patterned(1, 2)], 0);
    const one = new Uint8Array(1);
    assert.equal(await file.read(one, 0), 1);
    sameBytes(one, patterned(1, 2), 'read through a writing handle');
    await file.close();
  }),
  named('refuses to open a folder, and a file as if it were a folder', async (disk) => {
    await disk.makeDirectory('folder');
    for (const mode of ['read', 'write', 'create'] as const) {
      await failsWith(disk.open('folder', mode), ['EINVAL'], mode);
    }
    await put(disk, 'file', patterned(1));
    await failsWith(disk.open('file/below', 'read'), ['ENOENT'], 'below a file');
    await failsWith(disk.list('file'), ['ENOENT'], 'list a file');
    assert.equal(await disk.stat('file/below'), undefined);
  }),
  named('lists names with their kinds, sorted by code unit', async (disk) => {
    const names = ['b', 'a', '10', '9', 'Z', '_', 'a-1', 'a.log', 'ä', '00000000000000000000.log'];
    for (const name of names) await put(disk, name, patterned(1));
    await disk.makeDirectory('a-0/inner');
    await put(disk, 'a-0/inner/hidden', patterned(1));
    const expected = [...names.map((name) => ({ name, kind: 'file' })), { name: 'a-0', kind: 'directory' }];
    assert.deepEqual(
      await disk.list(''),
      expected.sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
    assert.deepEqual(await disk.list('a-0'), [{ name: 'inner', kind: 'directory' }]);
    await failsWith(disk.list('missing'), ['ENOENT'], 'list a missing folder');
  }),
  named('makes folders with their parents, again without an error, but not over a file', async (disk) => {
    await disk.makeDirectory('a/b/c');
    await disk.makeDirectory('a/b/c');
    await disk.makeDirectory('a');
    await Promise.all([disk.makeDirectory('x/y/1'), disk.makeDirectory('x/y/2')]);
    assert.deepEqual(
      (await disk.list('x/y')).map((entry) => entry.name),
      ['1', '2'],
    );
    assert.equal((await disk.stat('a/b/c'))?.kind, 'directory');
    await put(disk, 'file', patterned(1));
    await failsWith(disk.makeDirectory('file'), ['EEXIST'], 'over a file');
    await failsWith(disk.makeDirectory('file/below'), ['EEXIST', 'ENOENT'], 'below a file');
    sameBytes(await get(disk, 'file'), patterned(1), 'the file');
  }),
  named('tells kind and size, and undefined where there is nothing', async (disk) => {
    assert.equal(await disk.stat('nothing'), undefined);
    assert.equal(await disk.stat('no/thing'), undefined);
    await put(disk, 'file', patterned(1_234));
    assert.deepEqual(await disk.stat('file'), { kind: 'file', sizeBytes: 1_234 });
    await disk.makeDirectory('folder');
    assert.equal((await disk.stat('folder'))?.kind, 'directory');
  }),
  named('renames a file, replacing the target', async (disk) => {
    await put(disk, 'from', patterned(100, 1));
    await put(disk, 'to', patterned(5_000, 2));
    await disk.rename('from', 'to');
    sameBytes(await get(disk, 'to'), patterned(100, 1), 'target');
    assert.equal(await disk.stat('from'), undefined);
    await disk.rename('to', 'to');
    sameBytes(await get(disk, 'to'), patterned(100, 1), 'renamed to itself');
    await disk.makeDirectory('folder');
    await disk.rename('to', 'folder/moved');
    sameBytes(await get(disk, 'folder/moved'), patterned(100, 1), 'in another folder');
    await failsWith(disk.rename('to', 'elsewhere'), ['ENOENT'], 'a missing source');
    await failsWith(disk.rename('folder/moved', 'missing/name'), ['ENOENT'], 'into a missing folder');
  }),
  named('renames a folder with all in it, but over no folder that holds something', async (disk) => {
    await disk.makeDirectory('old/inner');
    await put(disk, 'old/inner/file', patterned(10));
    await disk.rename('old', 'new');
    sameBytes(await get(disk, 'new/inner/file'), patterned(10), 'content');
    assert.equal(await disk.stat('old'), undefined);
    await disk.makeDirectory('full/inner');
    await failsWith(disk.rename('new', 'full'), ['EEXIST'], 'over a full folder');
    await failsWith(disk.rename('new', 'new/inner/deeper'), ['EINVAL'], 'into itself');
    sameBytes(await get(disk, 'new/inner/file'), patterned(10), 'content after the refusals');
  }),
  named('keeps a handle on the file it was opened for when that is renamed', async (disk) => {
    const file = await disk.open('before', 'create');
    await writeAll(file, [patterned(10)], 0);
    await disk.rename('before', 'after');
    await writeAll(file, [patterned(10, 1)], 10);
    await file.close();
    assert.equal((await disk.stat('after'))?.sizeBytes, 20);
  }),
  named('removes a file, and says when it is absent or no file', async (disk) => {
    await put(disk, 'file', patterned(10));
    await disk.removeFile('file');
    assert.equal(await disk.stat('file'), undefined);
    assert.deepEqual(await disk.list(''), []);
    await failsWith(disk.removeFile('file'), ['ENOENT'], 'again');
    await failsWith(disk.removeFile('missing/file'), ['ENOENT'], 'in a missing folder');
    await disk.makeDirectory('folder');
    await failsWith(disk.removeFile('folder'), ['EINVAL'], 'a folder');
    assert.equal((await disk.stat('folder'))?.kind, 'directory');
  }),
  named('removes a folder and all in it, and minds no absence', async (disk) => {
    await disk.makeDirectory('a/b/c');
    await put(disk, 'a/file', patterned(10));
    await put(disk, 'a/b/c/file', patterned(10));
    await put(disk, 'ab', patterned(10));
    await disk.removeTree('a');
    assert.deepEqual(await disk.list(''), [{ name: 'ab', kind: 'file' }]);
    await disk.removeTree('a');
    await disk.removeTree('a/b');
    await failsWith(disk.removeTree(''), ['EINVAL'], 'the root itself');
    assert.equal((await disk.list('')).length, 1);
  }),
  named('syncs folders that exist', async (disk) => {
    await disk.makeDirectory('folder');
    await put(disk, 'folder/file', patterned(10));
    await disk.syncDirectory('folder');
    await disk.syncDirectory('');
    await failsWith(disk.syncDirectory('missing'), ['ENOENT'], 'a missing folder');
  }),
  named('locks a folder against every other caller until it is released', async (disk) => {
    await disk.makeDirectory('a');
    await disk.makeDirectory('b');
    const lock = await disk.lockDirectory('a');
    await failsWith(disk.lockDirectory('a'), ['ELOCKED'], 'a second lock');
    await failsWith(disk.lockDirectory('./a/'), ['ELOCKED'], 'the same folder by another path');
    const other = await disk.lockDirectory('b');
    await other.release();
    await lock.release();
    await lock.release();
    const again = await disk.lockDirectory('a');
    await lock.release();
    await failsWith(disk.lockDirectory('a'), ['ELOCKED'], 'after a stale release');
    await again.release();
    await failsWith(disk.lockDirectory('missing'), ['ENOENT'], 'a missing folder');
  }),
  named('shows nothing of a lock in the folder, which works as before', async (disk) => {
    await disk.makeDirectory('a');
    await put(disk, 'a/file', patterned(10));
    const lock = await disk.lockDirectory('a');
    assert.deepEqual(await disk.list('a'), [{ name: 'file', kind: 'file' }]);
    await put(disk, 'a/other', patterned(10));
    await lock.release();
    assert.deepEqual(
      (await disk.list('a')).map((entry) => entry.name),
      ['file', 'other'],
    );
  }),
  named('refuses every path that would leave the root', async (disk) => {
    await disk.makeDirectory('folder');
    await put(disk, 'inside', patterned(1));
    for (const path of ['..', '../outside', 'folder/../../outside', '/outside', 'folder/..', 'a\0b']) {
      const refused = (work: Promise<unknown>, what: string): Promise<void> =>
        failsWith(work, ['EACCES'], `${what} ${JSON.stringify(path)}`);
      await refused(disk.open(path, 'create'), 'open');
      await refused(disk.list(path), 'list');
      await refused(disk.makeDirectory(path), 'makeDirectory');
      await refused(disk.rename('inside', path), 'rename to');
      await refused(disk.rename(path, 'inside'), 'rename from');
      await refused(disk.removeFile(path), 'removeFile');
      await refused(disk.removeTree(path), 'removeTree');
      await refused(disk.stat(path), 'stat');
      await refused(disk.syncDirectory(path), 'syncDirectory');
      await refused(disk.lockDirectory(path), 'lockDirectory');
    }
    sameBytes(await get(disk, 'inside'), patterned(1), 'what is inside');
  }),
  named('takes names that only look like a way out', async (disk) => {
    await put(disk, '..name', patterned(1));
    await put(disk, 'na..me', patterned(1));
    await put(disk, '...', patterned(1));
    assert.deepEqual(
      (await disk.list('')).map((entry) => entry.name),
      ['...', '..name', 'na..me'],
    );
  }),
];
