// The open file handles of one log folder, shared by writers and readers of the same path.
// Contract: a handle somebody holds is never closed; of the others the most recently used stay open, up to the limit given.

import type { Disk, DiskFile } from '@tidemark/core';

interface Entry {
  readonly path: string;
  readonly opening: Promise<DiskFile>;
  holders: number;
  /** Close at the last release instead of keeping it. */
  doomed: boolean;
}

export interface HeldFile {
  readonly file: DiskFile;
  /** Exactly once. */
  release(): Promise<void>;
}

export class OpenFiles {
  readonly #disk: Disk;
  readonly #maxIdle: number;
  readonly #entries = new Map<string, Entry>();
  /** Least recently used first. */
  readonly #idle = new Set<Entry>();

  constructor(disk: Disk, maxIdle: number) {
    this.#disk = disk;
    this.#maxIdle = maxIdle;
  }

  async hold(path: string, mode: 'write' | 'create' = 'write'): Promise<HeldFile> {
    let entry = this.#entries.get(path);
    if (entry === undefined) {
      entry = { path, opening: this.#disk.open(path, mode), holders: 0, doomed: false };
      this.#entries.set(path, entry);
    }
    entry.holders += 1;
    this.#idle.delete(entry);
    const held = entry;
    try {
      const file = await held.opening;
      return { file, release: () => this.#release(held) };
    } catch (error) {
      held.holders -= 1;
      this.#drop(held);
      throw error;
    }
  }

  /** For a path that is renamed or removed: whoever opens the path next gets a new file. */
  async forget(path: string): Promise<void> {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    entry.doomed = true;
    this.#drop(entry);
    if (entry.holders === 0) await (await entry.opening).close();
  }

  /** The same of everything in a folder that is renamed or removed. */
  async forgetIn(directory: string): Promise<void> {
    for (const path of [...this.#entries.keys()])
      if (path.startsWith(`${directory}/`)) await this.forget(path);
  }

  /** Closes what nobody holds; the rest closes at its release. */
  async close(): Promise<void> {
    for (const path of [...this.#entries.keys()]) await this.forget(path);
  }

  #drop(entry: Entry): void {
    if (this.#entries.get(entry.path) === entry) this.#entries.delete(entry.path);
    this.#idle.delete(entry);
  }

  async #release(entry: Entry): Promise<void> {
    entry.holders -= 1;
    if (entry.holders > 0) return;
    if (entry.doomed) {
      await (await entry.opening).close();
      return;
    }
    this.#idle.add(entry);
    if (this.#idle.size <= this.#maxIdle) return;
    const [oldest] = this.#idle;
    if (oldest !== undefined) await this.forget(oldest.path);
  }
}
