// The two layers of a simulated disk: what was written (what every reader sees) and what is durable (what a power failure
// leaves). Between them lie the changes nobody synced yet, in the order they were made; `crash-survivors.ts` decides
// which of them survive.

import { PagedBytes } from './paged-bytes.ts';

/** One unsynced change to a file's content. `order` counts over the whole disk. */
export type DataChange =
  | { readonly order: number; readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly order: number; readonly kind: 'resize'; readonly sizeBytes: number };

export class FileNode {
  readonly kind = 'file';
  written = new PagedBytes();
  durable = new PagedBytes();
  unsynced: DataChange[] = [];
  /** Open handles. An unlinked file takes space until the last one is closed. */
  handles = 0;
  linked = true;

  /** Makes the changes made before `order` durable. */
  commit(order: number): void {
    const { unsynced } = this;
    let done = 0;
    while (done < unsynced.length && unsynced[done]!.order < order)
      applyChange(this.durable, unsynced[done++]!);
    if (done > 0) unsynced.splice(0, done);
  }

  /**
   * What a failed sync leaves: changes made before `order` are gone for good and no later sync brings them back. The file keeps its size; lost
   * pages read as they last were on the disk, or as zeros (Rebello et al., ATC 2020).
   */
  dropUnsynced(order: number): void {
    this.unsynced = this.unsynced.filter((change) => change.order >= order);
    const { sizeBytes } = this.written;
    this.written = this.durable.clone();
    for (const change of this.unsynced) applyChange(this.written, change);
    this.written.resize(sizeBytes);
  }
}

export class DirectoryNode {
  readonly kind = 'directory';
  written = new Map<string, Node>();
  durable = new Map<string, Node>();
}

export type Node = FileNode | DirectoryNode;

/** One unsynced change of names: all of its entries at once or none of them. `node` undefined removes the name. */
export interface NameChange {
  readonly order: number;
  readonly entries: readonly {
    readonly directory: DirectoryNode;
    readonly name: string;
    readonly node: Node | undefined;
  }[];
}

export function applyChange(content: PagedBytes, change: DataChange): void {
  if (change.kind === 'write') content.write(change.bytes, change.position);
  else content.resize(change.sizeBytes);
}

export function applyNames(change: NameChange, layer: 'written' | 'durable'): void {
  for (const { directory, name, node } of change.entries) {
    if (node === undefined) directory[layer].delete(name);
    else directory[layer].set(name, node);
  }
}
