// Disk: files and folders as the log needs them. Paths are `/`-separated and relative to the root the Disk was made for;
// an implementation refuses a path that would leave it.
//
// What survives a power failure, and therefore what the simulated disk takes away:
//   written bytes            only after `DiskFile.sync()` on that file
//   a created or renamed or removed name   only after `syncDirectory()` on the folder that holds it
// After `sync()` has failed the kernel may have dropped the dirty pages: never sync the same file again and trust it.

/** What went wrong, in errno's names. Anything an implementation cannot name is `EIO`. */
export type DiskErrorCode =
  'ENOENT' | 'EEXIST' | 'ENOSPC' | 'EIO' | 'EACCES' | 'EROFS' | 'EMFILE' | 'ELOCKED' | 'EINVAL';

export class DiskError extends Error {
  override readonly name = 'DiskError';
  readonly code: DiskErrorCode;
  readonly path: string;

  constructor(code: DiskErrorCode, path: string, operation: string, options?: { readonly cause?: unknown }) {
    super(`${operation} ${path}: ${code}`, options);
    this.code = code;
    this.path = path;
  }
}

export interface DiskFile {
  readonly path: string;
  /**
   * Reads up to `into.length` bytes from `position`; answers how many. Fewer than asked only at the end of the file
   * (0 when `position` is at or past it).
   */
  read(into: Uint8Array, position: number): Promise<number>;
  /**
   * Writes the parts one after another from `position` in one gathered write; answers how many bytes were written. A
   * short write is not an error: the caller writes the rest. A file grows; a gap is zero-filled. The parts must not change
   * until the promise settles.
   */
  write(parts: readonly Uint8Array[], position: number): Promise<number>;
  /** Makes written bytes and the size durable (fdatasync). */
  sync(): Promise<void>;
  /** Cuts or zero-extends. Durable after `sync()`. */
  truncate(sizeBytes: number): Promise<void>;
  sizeBytes(): Promise<number>;
  /** Idempotent. Does not sync. */
  close(): Promise<void>;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory';
}

export interface DirectoryLock {
  release(): Promise<void>;
}

export interface Disk {
  /** `read`: must exist. `write`: must exist, read and write. `create`: read and write, made if absent, never cut. */
  open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile>;
  /** Sorted by name. `ENOENT` if the folder does not exist. */
  list(path: string): Promise<readonly DirectoryEntry[]>;
  /** Makes the folder and its missing parents, names synced; no error if it exists. */
  makeDirectory(path: string): Promise<void>;
  /** Replaces the target if it exists, atomically. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. `ENOENT` if absent. */
  removeFile(path: string): Promise<void>;
  /** Removes a folder and all in it; no error if absent. */
  removeTree(path: string): Promise<void>;
  /** `undefined` if there is nothing at the path. */
  stat(
    path: string,
  ): Promise<{ readonly kind: 'file' | 'directory'; readonly sizeBytes: number } | undefined>;
  syncDirectory(path: string): Promise<void>;
  /** Keeps every other process (and every other caller in this one) out of the folder; `ELOCKED` if it is taken. */
  lockDirectory(path: string): Promise<DirectoryLock>;
}
