// Disks that break one promise each. They are mutants: a checker of crash safety is worth something only if it notices
// when the storage under a correct program lies, or, what comes to the same, when the program forgets that call.

import { type Disk, type DiskFile } from '@tidemark/core';

export type DiskLie =
  /** `sync` answers at once and does nothing: a program that forgets to sync its files. */
  | 'sync-does-nothing'
  /** `sync` answers at once and works in the background: a program that acknowledges before the sync has ended. */
  | 'sync-answers-early'
  /** `syncDirectory` does nothing: a program that forgets that names, too, must be synced. */
  | 'directory-sync-does-nothing'
  /** A short write is reported as whole: a program that does not look at how much was written. */
  | 'short-writes-hidden'
  /** `truncate` is forgotten when the file is closed or read again: it answers and does nothing. */
  | 'truncate-does-nothing';

/** The same disk, but for the lie. `onError` gets what a background sync fails with. */
export function lyingDisk(
  disk: Disk,
  lie: DiskLie,
  onError: (cause: unknown) => void = () => undefined,
): Disk {
  return {
    open: async (path, mode) => lyingFile(await disk.open(path, mode), lie, onError),
    list: (path) => disk.list(path),
    makeDirectory: (path) => disk.makeDirectory(path),
    rename: (from, to) => disk.rename(from, to),
    removeFile: (path) => disk.removeFile(path),
    removeTree: (path) => disk.removeTree(path),
    stat: (path) => disk.stat(path),
    syncDirectory: (path) =>
      lie === 'directory-sync-does-nothing' ? Promise.resolve() : disk.syncDirectory(path),
    lockDirectory: (path) => disk.lockDirectory(path),
  };
}

function lyingFile(file: DiskFile, lie: DiskLie, onError: (cause: unknown) => void): DiskFile {
  return {
    path: file.path,
    read: (into, position) => file.read(into, position),
    write: async (parts, position) => {
      const written = await file.write(parts, position);
      return lie === 'short-writes-hidden' ? parts.reduce((sum, part) => sum + part.length, 0) : written;
    },
    sync: () => {
      if (lie === 'sync-does-nothing') return Promise.resolve();
      if (lie !== 'sync-answers-early') return file.sync();
      file.sync().catch(onError);
      return Promise.resolve();
    },
    truncate: (sizeBytes) => (lie === 'truncate-does-nothing' ? Promise.resolve() : file.truncate(sizeBytes)),
    sizeBytes: () => file.sizeBytes(),
    close: () => file.close(),
  };
}
