// An open file of a SimDisk. Reads and writes see the written layer; `sync` moves to the durable layer what had been
// written when it was called, not what arrives while it runs.

import { DiskError, type DiskFile } from '@tidemark/core';
import { type DiskOperation } from './disk-step.ts';
import { PAGE_BYTES } from './paged-bytes.ts';
import { applyChange, type DataChange, type FileNode } from './sim-inode.ts';

/** What an open file needs of its disk. */
export interface DiskSteps {
  step<T>(
    operation: DiskOperation,
    path: string,
    bytes: number,
    effect: () => T,
    onFault?: () => void,
  ): Promise<T>;
  /** The place of the next change among all changes of the disk. */
  nextOrder(): number;
  currentOrder(): number;
  spareBytes(): number;
  used(bytes: number): void;
  /** How many of the bytes this write is to take. */
  shortened(bytes: number): number;
}

export class SimDiskFile implements DiskFile {
  readonly path: string;
  readonly #disk: DiskSteps;
  readonly #node: FileNode;
  readonly #writable: boolean;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(disk: DiskSteps, node: FileNode, path: string, writable: boolean) {
    this.#disk = disk;
    this.#node = node;
    this.path = path;
    this.#writable = writable;
    node.handles++;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    this.#check('read', position);
    return this.#step('read', into.length, () => this.#node.written.read(into, position));
  }

  async write(parts: readonly Uint8Array[], position: number): Promise<number> {
    this.#check('write', position, true);
    const asked = parts.reduce((sum, part) => sum + part.length, 0);
    return this.#step('write', asked, () => {
      const bytes = this.#fitting(joined(parts, this.#disk.shortened(asked)), position);
      this.#apply({ order: this.#disk.nextOrder(), kind: 'write', position, bytes });
      return bytes.length;
    });
  }

  async sync(): Promise<void> {
    this.#check('sync', 0);
    const order = this.#disk.currentOrder();
    return this.#step(
      'sync',
      0,
      () => this.#node.commit(order),
      () => this.#account(() => this.#node.dropUnsynced(order)),
    );
  }

  async truncate(sizeBytes: number): Promise<void> {
    this.#check('truncate', sizeBytes, true);
    return this.#step('truncate', sizeBytes, () =>
      this.#apply({ order: this.#disk.nextOrder(), kind: 'resize', sizeBytes }),
    );
  }

  async sizeBytes(): Promise<number> {
    this.#check('size', 0);
    return this.#step('size', 0, () => this.#node.written.sizeBytes);
  }

  /** What was started before ends first. */
  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#running).then(() => {
      this.#node.handles--;
      if (!this.#node.linked && this.#node.handles === 0) {
        this.#disk.used(-this.#node.written.allocatedBytes);
      }
    });
    return this.#closing;
  }

  async #step<T>(operation: DiskOperation, bytes: number, effect: () => T, onFault?: () => void): Promise<T> {
    const step = this.#disk.step(operation, this.path, bytes, effect, onFault);
    this.#running.add(step);
    try {
      return await step;
    } finally {
      this.#running.delete(step);
    }
  }

  #check(operation: string, position: number, writing = false): void {
    const valid =
      this.#closing === undefined &&
      (this.#writable || !writing) &&
      Number.isSafeInteger(position) &&
      position >= 0;
    if (!valid) throw new DiskError('EINVAL', this.path, operation);
  }

  /** As many of the bytes as there is space for. */
  #fitting(bytes: Uint8Array, position: number): Uint8Array {
    const spare = this.#disk.spareBytes();
    let length = bytes.length;
    while (length > 0 && this.#node.written.missingBytes(position, length) > spare) {
      // Back to the page boundary before: all of the last page or nothing of it.
      const cut = (position + length - 1) % PAGE_BYTES;
      length = Math.max(0, length - 1 - cut);
    }
    if (length === 0 && bytes.length > 0) throw new DiskError('ENOSPC', this.path, 'write');
    return bytes.subarray(0, length);
  }

  #apply(change: DataChange): void {
    this.#node.unsynced.push(change);
    this.#account(() => applyChange(this.#node.written, change));
  }

  #account(change: () => void): void {
    const before = this.#node.written.allocatedBytes;
    change();
    this.#disk.used(this.#node.written.allocatedBytes - before);
  }
}

/** The first `length` bytes of the parts, in a buffer of their own. */
function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    const taken = part.subarray(0, length - at);
    bytes.set(taken, at);
    at += taken.length;
  }
  return bytes;
}
