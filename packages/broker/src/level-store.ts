// LevelStore: core's KeyValueStore over LevelDB. LevelDB runs its calls on a pool of threads, in any order; here a call begins when
// the one before it has taken effect, so that the order is the callers'. Writes that wait go out together, with one sync for all.
//
// Loading the library takes about 25 ms once; opening a store of 10,000 small entries takes a few.

import type { ClassicLevel, Iterator } from 'classic-level';
import {
  DiskError,
  type DiskErrorCode,
  type KeyValueEntry,
  type KeyValueIterator,
  type KeyValueRange,
  type KeyValueStore,
  type KeyValueWrite,
} from '@tidemark/core';
import { diskError, errnoOf } from './node-disk-errors.ts';
import { NodeDisk } from './node-disk.ts';

type Level = ClassicLevel<Uint8Array, Uint8Array>;
type LevelIterator = Iterator<Level, Uint8Array, Uint8Array>;

/** Of the log in memory, which opening reads again, and so of what opening costs at most. */
const WRITE_BUFFER_BYTES = 4 * 1024 * 1024;
/** Waiting writes go out together up to this size. */
const GATHERED_BYTES = 1024 * 1024;
/** What an iterator reads at a time. */
const READ_AHEAD_BYTES = 64 * 1024;
const READ_AHEAD_ENTRIES = 1000;

interface WaitingWrite {
  readonly kind: 'write';
  readonly writes: readonly KeyValueWrite[];
  readonly sync: boolean;
  readonly sizeBytes: number;
  readonly succeed: () => void;
  readonly fail: (error: DiskError) => void;
}

/** A read has its place among the writes: it fixes there, at once, what it sees. */
interface WaitingRead {
  readonly kind: 'read';
  readonly begin: () => void;
}

export class LevelStore implements KeyValueStore {
  readonly #level: Level;
  readonly #folder: string;
  #queue: (WaitingWrite | WaitingRead)[] = [];
  /** Writes and gets that have not settled. */
  readonly #running = new Set<Promise<unknown>>();
  #writing = false;
  #failure: DiskError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(level: Level, folder: string) {
    this.#level = level;
    this.#folder = folder;
  }

  /**
   * Opens the store in a folder of its own, made with its parents if it is absent. ELOCKED when another process, or another
   * store of this one, has it open. Once this resolves the store's existence is durable.
   */
  static async open(folder: string): Promise<LevelStore> {
    const disk = new NodeDisk(folder);
    await disk.makeDirectory('');
    // Loaded on first use, as for the lock: a process that keeps no store does not pay for it.
    const { ClassicLevel: Library } = await import('classic-level');
    const level: Level = new Library(disk.root, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      compression: false,
      writeBufferSize: WRITE_BUFFER_BYTES,
      cacheSize: 1024 * 1024,
    });
    try {
      await level.open();
    } catch (error) {
      // abstract-level wraps what happened ("database failed to open") around its cause.
      throw levelError(error instanceof Error ? (error.cause ?? error) : error, disk.root, 'open');
    }
    // LevelDB renames the file that names its state into place and leaves the folder unsynced.
    try {
      await disk.syncDirectory('');
    } catch (error) {
      await level.close();
      throw error;
    }
    return new LevelStore(level, disk.root);
  }

  write(writes: readonly KeyValueWrite[], { sync }: { readonly sync: boolean }): Promise<void> {
    const sizeBytes = writes.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0);
    return this.#track(
      new Promise<void>((succeed, fail) => {
        this.#checkOpen('write');
        if (writes.some(({ key }) => key.length === 0)) {
          throw new DiskError('EINVAL', this.#folder, 'write (of an empty key)');
        }
        this.#queue.push({ kind: 'write', writes, sync, sizeBytes, succeed, fail });
        this.#advance();
      }),
    );
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#track(
      new Promise((succeed, fail) => {
        this.#checkOpen('get');
        this.#queue.push({
          kind: 'read',
          begin: () => {
            this.#getNow(key).then(succeed, (error: unknown) => fail(levelError(error, this.#folder, 'get')));
          },
        });
        this.#advance();
      }),
    );
  }

  iterate({ from, to }: KeyValueRange): KeyValueIterator {
    const began = new Promise<LevelIterator>((succeed) => {
      this.#checkOpen('iterate');
      const begin = (): void =>
        succeed(
          // Sees the store as it is when it is made, whatever is written later.
          this.#level.iterator({ gte: from, lt: to, fillCache: false, highWaterMarkBytes: READ_AHEAD_BYTES }),
        );
      this.#queue.push({ kind: 'read', begin });
      this.#advance();
    });
    // Whoever iterates learns of a failure from `next`.
    began.catch(() => undefined);
    return new LevelStoreIterator(began, this.#folder, () => this.#checkOpen('next'));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    try {
      await this.#level.close();
    } catch (error) {
      throw levelError(error, this.#folder, 'close');
    }
  }

  async #getNow(key: Uint8Array): Promise<Uint8Array | undefined> {
    // Without a snapshot it would see the writes that LevelDB's other threads do meanwhile.
    const snapshot = this.#level.snapshot();
    try {
      const value = await this.#level.get(key, { snapshot });
      return value && plain(value);
    } finally {
      await snapshot.close();
    }
  }

  /** Begins what waits, up to and including the next write. */
  #advance(): void {
    while (!this.#writing) {
      const next = this.#queue[0];
      if (next === undefined) return;
      if (next.kind === 'read') {
        this.#queue.shift();
        next.begin();
      } else {
        void this.#writeWaiting();
      }
    }
  }

  async #writeWaiting(): Promise<void> {
    this.#writing = true;
    const gathered = this.#gathered();
    const failure = this.#failure ?? (await this.#writeNow(gathered));
    this.#writing = false;
    this.#failure = failure;
    for (const { succeed, fail } of gathered) {
      if (failure === undefined) succeed();
      else fail(new DiskError(failure.code, this.#folder, 'write', { cause: failure }));
    }
    this.#advance();
  }

  /** The writes at the head of the queue that can go out as one. */
  #gathered(): readonly WaitingWrite[] {
    const gathered: WaitingWrite[] = [];
    let sizeBytes = 0;
    for (const waiting of this.#queue) {
      if (waiting.kind === 'read') break;
      sizeBytes += waiting.sizeBytes;
      if (gathered.length > 0 && sizeBytes > GATHERED_BYTES) break;
      gathered.push(waiting);
    }
    this.#queue = this.#queue.slice(gathered.length);
    return gathered;
  }

  async #writeNow(gathered: readonly WaitingWrite[]): Promise<DiskError | undefined> {
    const operations = gathered.flatMap(({ writes }) =>
      writes.map(({ key, value }) =>
        value === undefined ? ({ type: 'del', key } as const) : ({ type: 'put', key, value } as const),
      ),
    );
    const sync = gathered.some((waiting) => waiting.sync);
    // The library leaves out an empty batch, and LevelDB syncs its log only with a record: this one removes nothing.
    if (operations.length === 0 && sync) operations.push({ type: 'del', key: EMPTY_KEY });
    try {
      await this.#level.batch(operations, { sync });
      return undefined;
    } catch (error) {
      return levelError(error, this.#folder, 'write');
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    const settled = (): boolean => this.#running.delete(work);
    work.then(settled, settled);
    return work;
  }

  #checkOpen(operation: string): void {
    if (this.#closing !== undefined) {
      throw new DiskError('EINVAL', this.#folder, `${operation} (after close)`);
    }
  }
}

class LevelStoreIterator implements KeyValueIterator {
  readonly #began: Promise<LevelIterator>;
  readonly #folder: string;
  readonly #checkOpen: () => void;
  /** Read and not yet asked for, from `#at`. */
  #ahead: readonly [Uint8Array, Uint8Array][] = [];
  #at = 0;
  #closing: Promise<void> | undefined;

  constructor(began: Promise<LevelIterator>, folder: string, checkOpen: () => void) {
    this.#began = began;
    this.#folder = folder;
    this.#checkOpen = checkOpen;
  }

  async next(maxBytes: number): Promise<readonly KeyValueEntry[]> {
    this.#checkOpen();
    if (this.#closing !== undefined) throw new DiskError('EINVAL', this.#folder, 'next (after close)');
    const iterator = await this.#began;
    const entries: KeyValueEntry[] = [];
    let bytes = 0;
    for (;;) {
      if (this.#at === this.#ahead.length) await this.#readAhead(iterator);
      const found = this.#ahead[this.#at];
      if (found === undefined) return entries;
      const [key, value] = found;
      bytes += key.length + value.length;
      if (entries.length > 0 && bytes > maxBytes) return entries;
      entries.push({ key: plain(key), value: plain(value) });
      this.#at++;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#began.then(
      (iterator) => iterator.close(),
      // It never began: there is nothing to close.
      () => undefined,
    );
    return this.#closing;
  }

  async #readAhead(iterator: LevelIterator): Promise<void> {
    try {
      this.#ahead = await iterator.nextv(READ_AHEAD_ENTRIES);
      this.#at = 0;
    } catch (error) {
      throw levelError(error, this.#folder, 'next');
    }
  }
}

const EMPTY_KEY = new Uint8Array(0);

/** Without Buffer's own methods, of which some mean something else (`slice` shares the memory). */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** LevelDB puts the system's own sentence at the end of its message, and no number. */
const codeByMessage: readonly (readonly [RegExp, DiskErrorCode])[] = [
  [/No space left on device|Disk quota exceeded/, 'ENOSPC'],
  [/Read-only file system/, 'EROFS'],
  [/Permission denied|Operation not permitted/, 'EACCES'],
  [/Too many open files/, 'EMFILE'],
  [/No such file or directory/, 'ENOENT'],
];
const codeByLevelCode: Readonly<Record<string, DiskErrorCode>> = {
  LEVEL_LOCKED: 'ELOCKED',
  LEVEL_DATABASE_NOT_OPEN: 'EINVAL',
  LEVEL_ITERATOR_NOT_OPEN: 'EINVAL',
};

function levelError(error: unknown, folder: string, operation: string): DiskError {
  const byMessage = codeByMessage.find(([pattern]) => error instanceof Error && pattern.test(error.message));
  const code = byMessage?.[1] ?? codeByLevelCode[errnoOf(error) ?? ''];
  return code === undefined
    ? diskError(error, folder, operation)
    : new DiskError(code, folder, operation, { cause: error });
}
