// An open file of a SimDisk. Reads and writes see the written layer; `sync` moves to the durable layer what had been
// written when it was called, not what arrives while it runs.

import { DiskError, type DiskFile } from '@tidemark/core';
import { type ByteSlab } from './byte-slab.ts';
import { type DiskOperation } from './disk-step.ts';
import { PAGE_BYTES } from './paged-bytes.ts';
import { applyChange, type DataChange, type FileNode } from './sim-inode.ts';

/** What an open file needs of its disk. */
export interface DiskSteps {
  /** Memory for what is written. */
  readonly slab: ByteSlab;
  step<T>(
    operation: DiskOperation,
    path: string,
    bytes: number,
    effect: () => T,
    onFault: (() => void) | undefined,
    onDone: () => void,
  ): Promise<T>;
  /** The place of the next change among all changes of the disk. */
  nextOrder(): number;
  currentOrder(): number;
  /** A sync of the file has failed, and what it was for is lost. */
  syncFailed(file: FileNode): void;
  /** A sync of the file succeeds. */
  synced(file: FileNode, path: string): void;
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
  #running = 0;
  #onIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(disk: DiskSteps, node: FileNode, path: string, writable: boolean) {
    this.#disk = disk;
    this.#node = node;
    this.path = path;
    this.#writable = writable;
    node.handles++;
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#step('read', position, into.length, () => this.#node.written.read(into, position));
  }

  write(parts: readonly Uint8Array[], position: number): Promise<number> {
    let asked = 0;
    for (const part of parts) asked += part.length;
    return this.#step('write', position, asked, () => {
      const bytes = this.#fitting(joined(parts, this.#disk.shortened(asked), this.#disk.slab), position);
      this.#apply({ order: this.#disk.nextOrder(), kind: 'write', position, bytes });
      return bytes.length;
    });
  }

  sync(): Promise<void> {
    const order = this.#disk.currentOrder();
    return this.#step(
      'sync',
      0,
      0,
      () => {
        this.#disk.synced(this.#node, this.path);
        this.#node.commit(order);
      },
      () => {
        this.#disk.syncFailed(this.#node);
        this.#account(() => this.#node.dropUnsynced(order));
      },
    );
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#step('truncate', sizeBytes, sizeBytes, () =>
      this.#apply({ order: this.#disk.nextOrder(), kind: 'resize', sizeBytes }),
    );
  }

  sizeBytes(): Promise<number> {
    return this.#step('size', 0, 0, () => this.#node.written.sizeBytes);
  }

  /** What was started before ends first. */
  close(): Promise<void> {
    const idle =
      this.#running === 0 ? Promise.resolve() : new Promise<void>((resolve) => (this.#onIdle ??= resolve));
    this.#closing ??= idle.then(() => {
      this.#node.handles--;
      if (!this.#node.linked && this.#node.handles === 0) {
        this.#disk.used(-this.#node.written.allocatedBytes);
      }
    });
    return this.#closing;
  }

  #step<T>(
    operation: DiskOperation,
    position: number,
    bytes: number,
    effect: () => T,
    onFault?: () => void,
  ): Promise<T> {
    const isWriting = operation === 'write' || operation === 'truncate';
    const isValid =
      this.#closing === undefined &&
      (this.#writable || !isWriting) &&
      Number.isSafeInteger(position) &&
      position >= 0;
    if (!isValid) return Promise.reject(new DiskError('EINVAL', this.path, operation));
    this.#running++;
    return this.#disk.step(operation, this.path, bytes, effect, onFault, this.#done);
  }

  readonly #done = (): void => {
    if (--this.#running === 0) this.#onIdle?.();
  };

  /** As many of the bytes as there is space for. */
  #fitting(bytes: Uint8Array, position: number): Uint8Array {
    const spare = this.#disk.spareBytes();
    if (spare === Infinity) return bytes;
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
    const { written, unsynced } = this.#node;
    unsynced.push(change);
    const before = written.allocatedBytes;
    applyChange(written, change);
    this.#disk.used(written.allocatedBytes - before);
  }

  #account(change: () => void): void {
    const before = this.#node.written.allocatedBytes;
    change();
    this.#disk.used(this.#node.written.allocatedBytes - before);
  }
}

/** A copy of the first `length` bytes of the parts. */
function joined(parts: readonly Uint8Array[], length: number, slab: ByteSlab): Uint8Array {
  const bytes = slab.take(length);
  let at = 0;
  for (const part of parts) {
    const taken = part.length <= length - at ? part : part.subarray(0, length - at);
    bytes.set(taken, at);
    at += taken.length;
  }
  return bytes;
}
