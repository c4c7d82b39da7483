// What a power failure leaves of a simulated disk. The durable layer always survives; of the unsynced changes, in the
// order they were made, the mode decides:
//
//   nothing    none of them                         all        every one
//   prefix     those before some moment; the write of that moment is cut at any byte
//   torn-512   those before some moment; of the write of that moment any of its 512-byte sectors
//   torn-4096  the same with 4 KiB blocks
//   reordered  every 4 KiB block, every size and every name as of a moment of its own: the disk wrote in any order

import { type Prng } from '@tidemark/core';
import { PAGE_BYTES, type PagedBytes } from './paged-bytes.ts';
import {
  applyChange,
  applyNames,
  DirectoryNode,
  FileNode,
  type DataChange,
  type NameChange,
  type Node,
} from './sim-inode.ts';

export const crashModes = ['nothing', 'all', 'prefix', 'torn-512', 'torn-4096', 'reordered'] as const;
export type CrashMode = (typeof crashModes)[number];

interface Cut {
  /** Changes of a lower order survive whole. */
  readonly before: number;
  /** What survives of the one change at the cut. */
  readonly at: (content: PagedBytes, change: DataChange) => void;
  readonly nameAtCut: boolean;
}

/** A new tree of nodes, in which what survived is both written and durable. The tree under `root` stays as it is. */
export function survivors(
  root: DirectoryNode,
  names: readonly NameChange[],
  mode: CrashMode,
  prng: Prng,
): DirectoryNode {
  const copies = new Map<Node, Node>();
  const directories = (directory: DirectoryNode): DirectoryNode => {
    const known = copies.get(directory);
    if (known instanceof DirectoryNode) return known;
    const copy = new DirectoryNode();
    copies.set(directory, copy);
    for (const [name, node] of directory.durable) copy.written.set(name, copyOf(node));
    return copy;
  };
  const copyOf = (node: Node): Node => {
    const known = copies.get(node);
    if (known !== undefined) return known;
    if (node.kind === 'directory') return directories(node);
    const copy = new FileNode();
    copies.set(node, copy);
    return copy;
  };
  const result = directories(root);
  for (const change of names) {
    for (const { directory, node } of change.entries) {
      directories(directory);
      if (node !== undefined) copyOf(node);
    }
  }

  const cut = mode === 'reordered' ? undefined : cutOf(mode, ordersOf(copies, names), prng);
  for (const change of names) {
    const survives =
      cut === undefined
        ? prng.below(2) === 0
        : change.order < cut.before || (change.order === cut.before && cut.nameAtCut);
    if (survives) applyNames(translated(change, copies), 'written');
  }
  for (const [original, copy] of copies) {
    if (original.kind === 'file' && copy.kind === 'file') {
      copy.written = cut === undefined ? reordered(original, prng) : upTo(original, cut);
      copy.durable = copy.written.clone();
    }
  }
  for (const copy of copies.values()) if (copy.kind === 'directory') copy.durable = new Map(copy.written);
  return result;
}

function translated(change: NameChange, copies: ReadonlyMap<Node, Node>): NameChange {
  return {
    order: change.order,
    entries: change.entries.map(({ directory, name, node }) => ({
      directory: copies.get(directory) as DirectoryNode,
      name,
      node: node && copies.get(node)!,
    })),
  };
}

/** The orders of all unsynced changes, rising. */
function ordersOf(copies: ReadonlyMap<Node, Node>, names: readonly NameChange[]): number[] {
  const orders = names.map((change) => change.order);
  for (const node of copies.keys()) {
    if (node.kind === 'file') for (const change of node.unsynced) orders.push(change.order);
  }
  return orders.sort((a, b) => a - b);
}

function cutOf(mode: Exclude<CrashMode, 'reordered'>, orders: readonly number[], prng: Prng): Cut {
  const none = (): void => undefined;
  if (mode === 'nothing' || orders.length === 0) return { before: -1, at: none, nameAtCut: false };
  if (mode === 'all') return { before: Infinity, at: none, nameAtCut: false };
  const before = orders[prng.below(orders.length)]!;
  const nameAtCut = prng.below(2) === 0;
  if (mode === 'prefix') {
    return {
      before,
      nameAtCut,
      at: (content, change) => {
        if (change.kind === 'resize') return;
        content.write(change.bytes.subarray(0, prng.below(change.bytes.length + 1)), change.position);
      },
    };
  }
  const blockBytes = mode === 'torn-512' ? 512 : PAGE_BYTES;
  return { before, nameAtCut, at: (content, change) => tear(content, change, blockBytes, prng) };
}

function tear(content: PagedBytes, change: DataChange, blockBytes: number, prng: Prng): void {
  if (change.kind === 'resize') return;
  const end = change.position + change.bytes.length;
  // The size may have reached the disk although some blocks did not: they read as zeros.
  if (prng.below(2) === 0) content.resize(Math.max(content.sizeBytes, end));
  for (let at = change.position; at < end;) {
    const next = Math.min(end, (Math.floor(at / blockBytes) + 1) * blockBytes);
    if (prng.below(2) === 0) {
      content.write(change.bytes.subarray(at - change.position, next - change.position), at);
    }
    at = next;
  }
}

function upTo(file: FileNode, cut: Cut): PagedBytes {
  const content = file.durable.clone();
  for (const change of file.unsynced) {
    if (change.order < cut.before) applyChange(content, change);
    else if (change.order === cut.before) cut.at(content, change);
  }
  return content;
}

/** Each block as it was at a moment of its own since the last sync, and the size at another. */
function reordered(file: FileNode, prng: Prng): PagedBytes {
  const changes = file.unsynced;
  const content = file.durable.clone();
  if (changes.length === 0) return content;
  // The first and the last moment are the likely ones: most of a disk's cache is either not written or written whole.
  const moment = (): number => {
    const kind = prng.below(4);
    return kind === 0 ? 0 : kind === 1 ? changes.length : prng.below(changes.length + 1);
  };
  const sizes = [content.sizeBytes];
  const blocks = new Set<number>();
  let size = content.sizeBytes;
  for (const change of changes) {
    if (change.kind === 'resize') {
      const cut = Math.min(size, change.sizeBytes);
      for (let at = cut; at < size; at += PAGE_BYTES) blocks.add(Math.floor(at / PAGE_BYTES));
      if (size > cut) blocks.add(Math.floor((size - 1) / PAGE_BYTES));
      size = change.sizeBytes;
    } else {
      const end = change.position + change.bytes.length;
      for (let at = change.position; at < end; at += PAGE_BYTES) blocks.add(Math.floor(at / PAGE_BYTES));
      if (end > change.position) blocks.add(Math.floor((end - 1) / PAGE_BYTES));
      size = Math.max(size, end);
    }
    sizes.push(size);
  }
  for (const block of [...blocks].sort((a, b) => a - b)) {
    content.write(blockAt(file, block, changes.slice(0, moment())), block * PAGE_BYTES);
  }
  content.resize(sizes[moment()]!);
  return content;
}

function blockAt(file: FileNode, block: number, changes: readonly DataChange[]): Uint8Array {
  const start = block * PAGE_BYTES;
  const bytes = new Uint8Array(PAGE_BYTES);
  file.durable.read(bytes, start);
  for (const change of changes) {
    if (change.kind === 'resize') {
      if (change.sizeBytes < start + PAGE_BYTES) bytes.fill(0, Math.max(0, change.sizeBytes - start));
      continue;
    }
    const from = Math.max(start, change.position);
    const to = Math.min(start + PAGE_BYTES, change.position + change.bytes.length);
    if (from < to)
      bytes.set(change.bytes.subarray(from - change.position, to - change.position), from - start);
  }
  return bytes;
}
