// SimDisk: core's Disk in memory, with a page cache that a power failure empties. Every operation is a step: it starts when it is
// called, takes effect at one moment decided by the seed (an event of the SimClock, or a microtask when there is none), and can be watched,
// refused, or be the last thing before the crash. Bytes and names nobody synced are lost as `CrashMode` says.

import { DiskError, type DirectoryEntry, type DirectoryLock, type Disk, type DiskFile } from '@tidemark/core';
import { ByteSlab } from './byte-slab.ts';
import { survivors, type CrashMode } from './crash-survivors.ts';
import {
  FaultPlan,
  type DiskOperation,
  type DiskStep,
  type InjectedFault,
  type StepObserver,
} from './disk-step.ts';
import { PAGE_BYTES } from './paged-bytes.ts';
import { type SimTime } from './sim-clock.ts';
import { SimDiskFile, type DiskSteps } from './sim-disk-file.ts';
import { applyNames, DirectoryNode, FileNode, type NameChange, type Node } from './sim-inode.ts';
import { SimPrng } from './sim-prng.ts';
import { type Trace } from './trace.ts';

export interface SimDiskOptions {
  /** Without one an operation takes effect in a microtask: for tests that have no use for time. */
  readonly clock?: SimTime;
  readonly prng?: SimPrng;
  /** Default: the clock's. */
  readonly trace?: Trace;
  /** Whole 4 KiB pages of written content; past it writes are cut short, then refused with ENOSPC. Default: no limit. */
  readonly capacityBytes?: number;
  /** One write in so many is cut short. Default 0: none. */
  readonly shortWriteOneIn?: number;
  /** How long an operation takes, in ms, given the step's operation and bytes. */
  readonly latencyMs?: (operation: DiskOperation, bytes: number, prng: SimPrng) => number;
  /** A sync succeeds of a file of which one has failed: whoever takes that for the whole file counts lost pages as durable. */
  readonly onSyncAfterFailure?: (path: string) => void;
}

const defaultLatencyMs = (operation: DiskOperation, bytes: number, prng: SimPrng): number =>
  operation === 'sync' || operation === 'syncDirectory'
    ? 0.2 + prng.below(2000) / 1000
    : 0.01 + bytes / 1e6 + prng.below(100) / 1000;

const MAX_REMEMBERED_PATHS = 1_000;

export class SimDisk implements Disk {
  capacityBytes: number;
  shortWriteOneIn: number;
  readonly #options: SimDiskOptions;
  readonly #prng: SimPrng;
  readonly #locks = new Set<string>();
  readonly #observers = new Set<StepObserver>();
  readonly #faults = new FaultPlan();
  /** Files of which a sync has failed. */
  readonly #unsynced = new WeakSet<FileNode>();
  /** Of the paths that were named lately: few, and over and over. */
  readonly #segments = new Map<string, readonly string[]>();
  #root = new DirectoryNode();
  #names: NameChange[] = [];
  #order = 0;
  #stepCount = 0;
  #usedBytes = 0;
  #dead = false;

  constructor(options: SimDiskOptions = {}) {
    this.#options = options;
    this.#prng = options.prng ?? new SimPrng(1);
    this.capacityBytes = options.capacityBytes ?? Infinity;
    this.shortWriteOneIn = options.shortWriteOneIn ?? 0;
  }

  /** Steps that took effect or were refused by a fault. */
  get stepCount(): number {
    return this.#stepCount;
  }

  /** Space taken by written content, in whole pages. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Answers how to stop observing. */
  observe(observer: StepObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Makes coming steps fail. A struck `sync` also loses the pages it was to make durable. */
  inject(fault: InjectedFault): void {
    this.#faults.add(fault);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  /** A disk with what a power failure at this moment would leave. This one goes on. */
  fork(mode: CrashMode, prng: SimPrng, options: SimDiskOptions = {}): SimDisk {
    const disk = new SimDisk(options);
    disk.#root = survivors(this.#root, this.#names, mode, prng);
    for (const node of nodesUnder(disk.#root)) {
      if (node.kind === 'file') disk.#usedBytes += node.written.allocatedBytes;
    }
    return disk;
  }

  /** The power failure itself: this disk and every handle of it answer EIO from now on; what survived is a new disk. */
  crash(mode: CrashMode, prng: SimPrng, options: SimDiskOptions = {}): SimDisk {
    const disk = this.fork(mode, prng, options);
    this.kill();
    return disk;
  }

  /**
   * The disk as the next process finds it after the one before was killed: nothing that was written is lost, and what was not
   * synced still is not. Operations under way never take effect if their clock is dead, too; nobody may use this disk any more.
   */
  passOn(options: SimDiskOptions = {}): SimDisk {
    const disk = new SimDisk(options);
    disk.#root = this.#root;
    disk.#names = this.#names;
    disk.#order = this.#order;
    disk.#usedBytes = this.#usedBytes;
    return disk;
  }

  /** Ends every handle and every operation under way with EIO. */
  kill(): void {
    this.#dead = true;
  }

  /** Every file as a reader sees it, by path, sorted; folders as `path/` with no bytes. */
  contents(): Map<string, Uint8Array> {
    const found: [string, Uint8Array][] = [];
    const walk = (directory: DirectoryNode, path: string): void => {
      for (const [name, node] of directory.written) {
        if (node.kind === 'file') found.push([path + name, node.written.toBytes()]);
        else {
          found.push([`${path}${name}/`, new Uint8Array(0)]);
          walk(node, `${path}${name}/`);
        }
      }
    };
    walk(this.#root, '');
    return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async open(path: string, mode: 'read' | 'write' | 'create'): Promise<DiskFile> {
    return this.#step('open', path, 0, () => {
      const { parent, name } = this.#place(path, 'open');
      let node = parent.written.get(name);
      if (node === undefined) {
        if (mode !== 'create') throw absent(path);
        node = new FileNode();
        this.#change([{ directory: parent, name, node }]);
      }
      if (node.kind === 'directory') throw new DiskError('EINVAL', path, 'open');
      return new SimDiskFile(this.#steps, node, path, mode !== 'read');
    });
  }

  async list(path: string): Promise<readonly DirectoryEntry[]> {
    return this.#step('list', path, 0, () =>
      [...this.#directory(path, 'list').written]
        .map(([name, node]): DirectoryEntry => ({ name, kind: node.kind }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
  }

  async makeDirectory(path: string): Promise<void> {
    return this.#step('makeDirectory', path, 0, () => {
      let directory = this.#root;
      for (const name of this.#segmentsOf(path, 'makeDirectory')) {
        let next = directory.written.get(name);
        if (next?.kind === 'file') throw new DiskError('EEXIST', path, 'makeDirectory');
        if (next === undefined) {
          next = new DirectoryNode();
          this.#change([{ directory, name, node: next }]);
          this.#commitNames(directory, this.#order);
        }
        directory = next;
      }
    });
  }

  async rename(from: string, to: string): Promise<void> {
    return this.#step('rename', `${from} -> ${to}`, 0, () => {
      const source = this.#place(from, 'rename');
      const target = this.#place(to, 'rename');
      const node = source.parent.written.get(source.name);
      const replaced = target.parent.written.get(target.name);
      if (node === undefined) throw new DiskError('ENOENT', from, 'rename');
      if (replaced === node) return;
      if (node.kind === 'directory' && `${to}/`.startsWith(`${from}/`)) {
        throw new DiskError('EINVAL', to, 'rename');
      }
      if (replaced !== undefined) this.#checkReplaceable(node, replaced, to);
      this.#change([
        { directory: source.parent, name: source.name, node: undefined },
        { directory: target.parent, name: target.name, node },
      ]);
      if (replaced?.kind === 'file') this.#unlinked(replaced);
    });
  }

  async removeFile(path: string): Promise<void> {
    return this.#step('remove', path, 0, () => {
      const { parent, name } = this.#place(path, 'removeFile');
      const node = parent.written.get(name);
      if (node === undefined) throw new DiskError('ENOENT', path, 'removeFile');
      if (node.kind === 'directory') throw new DiskError('EINVAL', path, 'removeFile');
      this.#change([{ directory: parent, name, node: undefined }]);
      this.#unlinked(node);
    });
  }

  /** One step for every name, leaves first, as the system calls are: a crash can fall between them. */
  async removeTree(path: string): Promise<void> {
    const segments = this.#segmentsOf(path, 'removeTree');
    if (segments.length === 0) throw new DiskError('EINVAL', path, 'removeTree');
    const node = this.#lookup(segments);
    if (node === undefined) return;
    if (node.kind === 'directory') {
      for (const name of [...node.written.keys()].sort()) await this.removeTree(`${path}/${name}`);
    }
    await this.#step('remove', path, 0, () => {
      const { parent, name } = this.#place(path, 'removeTree');
      const found = parent.written.get(name);
      if (found === undefined) return;
      this.#change([{ directory: parent, name, node: undefined }]);
      if (found.kind === 'file') this.#unlinked(found);
    });
  }

  async stat(path: string): Promise<{ kind: 'file' | 'directory'; sizeBytes: number } | undefined> {
    return this.#step('stat', path, 0, () => {
      const node = this.#lookup(this.#segmentsOf(path, 'stat'));
      return (
        node && { kind: node.kind, sizeBytes: node.kind === 'file' ? node.written.sizeBytes : PAGE_BYTES }
      );
    });
  }

  async syncDirectory(path: string): Promise<void> {
    // Only what was changed before the call is promised, whenever the call ends.
    const order = this.#order;
    return this.#step('syncDirectory', path, 0, () =>
      this.#commitNames(this.#directory(path, 'syncDirectory'), order),
    );
  }

  async lockDirectory(path: string): Promise<DirectoryLock> {
    return this.#step('lock', path, 0, () => {
      this.#directory(path, 'lockDirectory');
      const key = this.#segmentsOf(path, 'lockDirectory').join('/');
      if (this.#locks.has(key)) throw new DiskError('ELOCKED', path, 'lockDirectory');
      this.#locks.add(key);
      let held = true;
      return {
        release: (): Promise<void> => {
          if (held) this.#locks.delete(key);
          held = false;
          return Promise.resolve();
        },
      };
    });
  }

  /** What the open files use of the disk. */
  readonly #steps: DiskSteps = {
    slab: new ByteSlab(),
    step: (operation, path, bytes, effect, onFault, onDone) =>
      this.#step(operation, path, bytes, effect, onFault, onDone),
    nextOrder: () => this.#order++,
    currentOrder: () => this.#order,
    syncFailed: (file) => void this.#unsynced.add(file),
    synced: (file, path) => {
      if (this.#unsynced.has(file)) this.#options.onSyncAfterFailure?.(path);
    },
    spareBytes: () => this.capacityBytes - this.#usedBytes,
    used: (bytes) => {
      this.#usedBytes += bytes;
    },
    shortened: (bytes) =>
      bytes > 1 && this.#prng.chance(this.shortWriteOneIn) ? 1 + this.#prng.below(bytes - 1) : bytes,
  };

  /** `onDone` runs when the step has ended, however, before its promise settles. */
  #step<T>(
    operation: DiskOperation,
    path: string,
    bytes: number,
    effect: () => T,
    onFault?: () => void,
    onDone?: () => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#dead) {
        onDone?.();
        throw this.#deadError(path, operation);
      }
      const happen = (): void => {
        let result: T;
        try {
          result = this.#happen(operation, path, bytes, effect, onFault);
        } catch (error) {
          onDone?.();
          reject(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        onDone?.();
        resolve(result);
      };
      const { clock, latencyMs = defaultLatencyMs } = this.#options;
      if (clock === undefined) queueMicrotask(happen);
      else clock.after(latencyMs(operation, bytes, this.#prng), happen);
    });
  }

  #happen<T>(
    operation: DiskOperation,
    path: string,
    bytes: number,
    effect: () => T,
    onFault: (() => void) | undefined,
  ): T {
    this.#checkAlive(path, operation);
    const number = ++this.#stepCount;
    (this.#options.trace ?? this.#options.clock?.trace)?.note('disk', number, operation, path, bytes);
    if (this.#observers.size === 0 && this.#faults.isEmpty) return effect();
    const step: DiskStep = { number, operation, path, bytes };
    for (const observer of this.#observers) observer(step, 'before');
    this.#checkAlive(path, operation);
    const fault = this.#faults.strike(step);
    if (fault !== undefined) {
      onFault?.();
      throw new DiskError(fault.error, path, operation);
    }
    const result = effect();
    for (const observer of this.#observers) observer(step, 'after');
    this.#checkAlive(path, operation);
    return result;
  }

  #checkAlive(path: string, operation: string): void {
    if (this.#dead) throw this.#deadError(path, operation);
  }

  #deadError(path: string, operation: string): DiskError {
    return new DiskError('EIO', path, `${operation} (after the crash)`);
  }

  #change(entries: NameChange['entries']): void {
    const change = { order: this.#order++, entries };
    applyNames(change, 'written');
    this.#names.push(change);
  }

  /** A rename between two folders is one transaction of the file system: syncing either folder commits it. */
  #commitNames(directory: DirectoryNode, order: number): void {
    if (this.#names.length === 0) return;
    this.#names = this.#names.filter((change) => {
      const durable = change.order < order && change.entries.some((entry) => entry.directory === directory);
      if (durable) applyNames(change, 'durable');
      return !durable;
    });
  }

  #unlinked(node: FileNode): void {
    node.linked = false;
    if (node.handles === 0) this.#usedBytes -= node.written.allocatedBytes;
  }

  #checkReplaceable(node: Node, replaced: Node, path: string): void {
    if (node.kind !== replaced.kind) throw new DiskError('EINVAL', path, 'rename');
    if (replaced.kind === 'directory' && replaced.written.size > 0) {
      throw new DiskError('EEXIST', path, 'rename');
    }
  }

  /** What the first `depth` names lead to. */
  #lookup(segments: readonly string[], depth = segments.length): Node | undefined {
    let node: Node | undefined = this.#root;
    for (let at = 0; at < depth; at++) {
      node = node?.kind === 'directory' ? node.written.get(segments[at]!) : undefined;
    }
    return node;
  }

  #segmentsOf(path: string, operation: string): readonly string[] {
    let segments = this.#segments.get(path);
    if (segments !== undefined) return segments;
    segments = segmentsOf(path, operation);
    if (this.#segments.size >= MAX_REMEMBERED_PATHS) this.#segments.clear();
    this.#segments.set(path, segments);
    return segments;
  }

  #directory(path: string, operation: string): DirectoryNode {
    const node = this.#lookup(this.#segmentsOf(path, operation));
    if (node?.kind !== 'directory') throw new DiskError('ENOENT', path, operation);
    return node;
  }

  #place(path: string, operation: string): { parent: DirectoryNode; name: string } {
    const segments = this.#segmentsOf(path, operation);
    const name = segments.at(-1);
    if (name === undefined) throw new DiskError('EINVAL', path, operation);
    const parent = this.#lookup(segments, segments.length - 1);
    if (parent?.kind !== 'directory') throw new DiskError('ENOENT', path, operation);
    return { parent, name };
  }
}

/** Nodes look for files that need not be there. Without its stack, which takes longest to find and has nothing but the clock in it. */
function absent(path: string): DiskError {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return new DiskError('ENOENT', path, 'open');
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/** The names on the way to a path. The root itself is `''` or `.`. */
function segmentsOf(path: string, operation: string): string[] {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (path.startsWith('/') || path.includes('\0') || segments.includes('..')) {
    throw new DiskError('EACCES', path, operation);
  }
  return segments;
}

function* nodesUnder(directory: DirectoryNode): Generator<Node> {
  for (const node of directory.written.values()) {
    yield node;
    if (node.kind === 'directory') yield* nodesUnder(node);
  }
}
