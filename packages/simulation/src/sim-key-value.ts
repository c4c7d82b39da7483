// SimKeyValueStore: core's KeyValueStore in memory. Calls take effect in the order they are made, each at one moment decided by the
// seed (an event of simulated time, or a microtask when there is none). A power failure keeps every batch up to the last one that was
// written with `sync`, and of those after it, also the ones under way, as many from the front as the seed says.

import {
  DiskError,
  invariant,
  type KeyValueEntry,
  type KeyValueIterator,
  type KeyValueRange,
  type KeyValueStore,
  type KeyValueWrite,
} from '@tidemark/core';
import { ByteSlab } from './byte-slab.ts';
import { type CrashMode } from './crash-survivors.ts';
import {
  FaultPlan,
  type DiskOperation,
  type DiskStep,
  type InjectedFault,
  type StepObserver,
} from './disk-step.ts';
import { type SimTime } from './sim-clock.ts';
import { SimPrng } from './sim-prng.ts';
import { type Trace } from './trace.ts';

export interface SimKeyValueStoreOptions {
  /** Without one a call takes effect in a microtask: for tests that have no use for time. */
  readonly clock?: SimTime;
  readonly prng?: SimPrng;
  /** Default: the clock's. */
  readonly trace?: Trace;
  /** The path in steps, errors and the trace. Default 'store'. */
  readonly name?: string;
  /** Bytes of keys and values held; a write past it is refused with ENOSPC. Default: no limit. */
  readonly capacityBytes?: number;
  /** How long a call takes, in ms, given its operation (`read`, `write`; `sync` is a write with `sync`) and bytes. */
  readonly latencyMs?: (operation: DiskOperation, bytes: number, prng: SimPrng) => number;
}

const defaultLatencyMs = (operation: DiskOperation, bytes: number, prng: SimPrng): number =>
  operation === 'sync' ? 0.2 + prng.below(2000) / 1000 : 0.01 + bytes / 1e6 + prng.below(100) / 1000;

/** A key as a Map wants it: one UTF-16 unit for each byte, so that the order of strings is the order of bytes. */
type Name = string;
type Change = readonly [Name, KeyValueEntry | undefined];
type Entries = Map<Name, KeyValueEntry>;

interface Job {
  readonly operation: DiskOperation;
  readonly bytes: number;
  /** Undefined for a read. */
  readonly changes: readonly Change[] | undefined;
  readonly takeEffect: () => void;
  readonly succeed: () => void;
  readonly refuse: (error: unknown) => void;
}

export class SimKeyValueStore implements KeyValueStore {
  capacityBytes: number;
  readonly name: string;
  readonly #options: SimKeyValueStoreOptions;
  readonly #prng: SimPrng;
  readonly #slab = new ByteSlab();
  readonly #observers = new Set<StepObserver>();
  readonly #faults = new FaultPlan();
  #entries: Entries = new Map();
  /** How to take back each batch since the last durable one, oldest first. */
  #unsynced: (readonly Change[])[] = [];
  /** Calls under way, in their order. */
  readonly #jobs: Job[] = [];
  /** The batch that failed: nobody reads it, but it may be there after a crash. */
  #struck: readonly Change[] | undefined;
  #failure: DiskError | undefined;
  #lastDueMs = 0;
  #last: Promise<unknown> = Promise.resolve();
  #stepCount = 0;
  #usedBytes = 0;
  #closed = false;
  #dead = false;

  constructor(options: SimKeyValueStoreOptions = {}) {
    this.#options = options;
    this.#prng = options.prng ?? new SimPrng(1);
    this.name = options.name ?? 'store';
    this.capacityBytes = options.capacityBytes ?? Infinity;
  }

  /** Steps that took effect or were refused by a fault. */
  get stepCount(): number {
    return this.#stepCount;
  }

  /** Of keys and values. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Answers how to stop observing. An observer may fork or crash this store, and the disk beside it, at that moment. */
  observe(observer: StepObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Makes coming calls fail; without an operation it counts writes, with `sync` or without. */
  inject(fault: InjectedFault): void {
    this.#faults.add(fault);
  }

  clearFaults(): void {
    this.#faults.clear();
  }

  /**
   * A store with what a power failure at this moment would leave; this one goes on. `nothing`: up to the last durable batch;
   * `all`: also every later one, under way or failed; any other mode of the disk beside it: some of these, from the front.
   */
  fork(mode: CrashMode, prng: SimPrng, options: SimKeyValueStoreOptions = {}): SimKeyValueStore {
    const underWay =
      this.#failure === undefined
        ? this.#jobs.flatMap(({ changes }) => (changes === undefined ? [] : [changes]))
        : this.#struck === undefined
          ? []
          : [this.#struck];
    const written = this.#unsynced.length;
    const most = written + underWay.length;
    const kept = mode === 'nothing' ? 0 : mode === 'all' ? most : prng.below(most + 1);
    const store = new SimKeyValueStore({ name: this.name, ...options });
    store.#entries = new Map(this.#entries);
    store.#usedBytes = this.#usedBytes;
    for (let at = written - 1; at >= kept; at--) store.#apply(this.#unsynced[at]!);
    for (let at = written; at < kept; at++) store.#apply(underWay[at - written]!);
    return store;
  }

  /** The power failure itself: this store answers EIO from now on; what survived is a new store. */
  crash(mode: CrashMode, prng: SimPrng, options: SimKeyValueStoreOptions = {}): SimKeyValueStore {
    const store = this.fork(mode, prng, options);
    this.kill();
    return store;
  }

  /** Ends every call under way with EIO. */
  kill(): void {
    this.#dead = true;
  }

  /** Every entry as a reader sees it, in the order of the keys. */
  contents(): readonly KeyValueEntry[] {
    return sorted(this.#entries);
  }

  write(writes: readonly KeyValueWrite[], { sync }: { readonly sync: boolean }): Promise<void> {
    let bytes = 0;
    const changes = writes.map(({ key, value }): Change => {
      bytes += key.length + (value?.length ?? 0);
      return [
        nameOf(key),
        value === undefined ? undefined : { key: this.#slab.copy(key), value: this.#slab.copy(value) },
      ];
    });
    return this.#call(sync ? 'sync' : 'write', bytes, changes, () => {
      const undo = this.#apply(changes);
      if (sync) this.#unsynced = [];
      else this.#unsynced.push(undo);
    });
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const name = nameOf(key);
    return this.#call('read', key.length, undefined, () => {
      const entry = this.#entries.get(name);
      return entry && this.#slab.copy(entry.value);
    });
  }

  iterate(range: KeyValueRange): KeyValueIterator {
    const from = nameOf(range.from);
    const to = nameOf(range.to);
    const entries = this.#call('read', 0, undefined, () => sorted(this.#entries, from, to));
    // Whoever iterates learns of a failure from `next`.
    entries.catch(() => undefined);
    return new SimIterator(entries, this.name, () => this.#check('iterate'));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
  }

  #call<T>(
    operation: DiskOperation,
    bytes: number,
    changes: readonly Change[] | undefined,
    effect: () => T,
  ): Promise<T> {
    const work = new Promise<T>((resolve, reject) => {
      this.#check(operation);
      if (changes?.some(([name]) => name === '') === true) {
        throw new DiskError('EINVAL', this.name, `${operation} (of an empty key)`);
      }
      let result: T;
      const takeEffect = (): void => {
        result = effect();
      };
      this.#jobs.push({
        operation,
        bytes,
        changes,
        takeEffect,
        succeed: () => resolve(result),
        refuse: reject,
      });
      this.#schedule(operation, bytes);
    });
    const settled = (): void => undefined;
    this.#last = work.then(settled, settled);
    return work;
  }

  /** Whichever event comes first runs the oldest call, so that no rounding of times lets one overtake another. */
  #schedule(operation: DiskOperation, bytes: number): void {
    const { clock, latencyMs = defaultLatencyMs } = this.#options;
    if (clock === undefined) {
      queueMicrotask(() => this.#runOldest());
      return;
    }
    const nowMs = clock.monotonicMs();
    this.#lastDueMs = Math.max(this.#lastDueMs, nowMs + latencyMs(operation, bytes, this.#prng));
    clock.after(this.#lastDueMs - nowMs, () => this.#runOldest());
  }

  #runOldest(): void {
    // It stays in the queue until it takes effect: for whoever forks the store before that, it is under way.
    const job = this.#jobs[0];
    invariant(job !== undefined, 'an event of a simulated store without a call');
    try {
      this.#run(job);
    } catch (error) {
      if (this.#jobs[0] === job) this.#jobs.shift();
      if (!(error instanceof DiskError)) throw error;
      job.refuse(error);
    }
  }

  #run(job: Job): void {
    const { operation, bytes, changes } = job;
    this.#checkAlive(operation);
    if (changes !== undefined && this.#failure !== undefined) {
      throw new DiskError(this.#failure.code, this.name, `${operation} (after a failed write)`);
    }
    const step: DiskStep = { number: ++this.#stepCount, operation, path: this.name, bytes };
    const { trace = this.#options.clock?.trace } = this.#options;
    trace?.note('store', this.name, step.number, operation, bytes);
    for (const observer of this.#observers) observer(step, 'before');
    this.#checkAlive(operation);
    const fault = this.#faults.strike(step)?.error ?? this.#outOfSpace(changes);
    if (fault !== undefined) {
      const error = new DiskError(fault, this.name, operation);
      if (changes !== undefined) {
        this.#failure = error;
        this.#struck = changes;
      }
      throw error;
    }
    this.#jobs.shift();
    job.takeEffect();
    for (const observer of this.#observers) observer(step, 'after');
    this.#checkAlive(operation);
    job.succeed();
  }

  #outOfSpace(changes: readonly Change[] | undefined): 'ENOSPC' | undefined {
    if (changes === undefined || this.capacityBytes === Infinity) return undefined;
    const more = changes.reduce((sum, [, entry]) => sum + sizeOf(entry), 0);
    return this.#usedBytes + more > this.capacityBytes ? 'ENOSPC' : undefined;
  }

  /** Answers the changes that take these back. */
  #apply(changes: readonly Change[]): readonly Change[] {
    const undo: Change[] = [];
    for (const [name, entry] of changes) {
      const before = this.#entries.get(name);
      undo.push([name, before]);
      this.#usedBytes += sizeOf(entry) - sizeOf(before);
      if (entry === undefined) this.#entries.delete(name);
      else this.#entries.set(name, entry);
    }
    return undo.reverse();
  }

  #check(operation: string): void {
    this.#checkAlive(operation);
    if (this.#closed) throw new DiskError('EINVAL', this.name, `${operation} (after close)`);
  }

  #checkAlive(operation: string): void {
    if (this.#dead) throw new DiskError('EIO', this.name, `${operation} (after the crash)`);
  }
}

class SimIterator implements KeyValueIterator {
  readonly #entries: Promise<readonly KeyValueEntry[]>;
  readonly #name: string;
  readonly #check: () => void;
  #at = 0;
  #closed = false;

  constructor(entries: Promise<readonly KeyValueEntry[]>, name: string, check: () => void) {
    this.#entries = entries;
    this.#name = name;
    this.#check = check;
  }

  async next(maxBytes: number): Promise<readonly KeyValueEntry[]> {
    this.#checkOpen();
    const entries = await this.#entries;
    this.#checkOpen();
    const from = this.#at;
    let bytes = 0;
    while (this.#at < entries.length) {
      bytes += sizeOf(entries[this.#at]);
      if (bytes > maxBytes && this.#at > from) break;
      this.#at++;
    }
    return entries
      .slice(from, this.#at)
      .map(({ key, value }) => ({ key: copyOf(key), value: copyOf(value) }));
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  #checkOpen(): void {
    this.#check();
    if (this.#closed) throw new DiskError('EINVAL', this.#name, 'next (after close)');
  }
}

function nameOf(key: Uint8Array): Name {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}

/** A plain Uint8Array, also of a Buffer, whose own `slice` would not copy. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function sizeOf(entry: KeyValueEntry | undefined): number {
  return entry === undefined ? 0 : entry.key.length + entry.value.length;
}

function sorted(entries: Entries, from?: Name, to?: Name): KeyValueEntry[] {
  const names = [...entries.keys()].filter(
    (name) => (from === undefined || name >= from) && (to === undefined || name < to),
  );
  return names.sort().map((name) => entries.get(name)!);
}
