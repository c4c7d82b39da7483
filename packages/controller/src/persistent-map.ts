// An immutable map with structural sharing: a hash array mapped trie (Bagwell 2001) over string keys. Setting a key copies
// the few nodes on its path, never the map, so an image of the metadata with 10,000 topics costs the same to change as one
// with ten; and two versions can be compared by visiting only what differs.

import { invariant } from '@tidemark/core';

interface Leaf<V> {
  readonly kind: 'leaf';
  readonly hash: number;
  readonly key: string;
  readonly value: V;
}

/** Keys with one and the same hash, sorted by key, so that the order of insertion leaves no trace. */
interface Collision<V> {
  readonly kind: 'collision';
  readonly hash: number;
  readonly leaves: readonly Leaf<V>[];
}

/** Bit `i` of `bitmap` says whether there is a child for the five hash bits `i` of this level; the children are packed. */
interface Branch<V> {
  readonly kind: 'branch';
  readonly bitmap: number;
  readonly children: readonly Node<V>[];
}

type Node<V> = Leaf<V> | Collision<V> | Branch<V>;

const BITS = 5;
const MASK = 31;

export class PersistentMap<K extends string, V> {
  readonly size: number;
  readonly #root: Node<V> | undefined;

  private constructor(root: Node<V> | undefined, size: number) {
    this.#root = root;
    this.size = size;
  }

  static empty<K extends string, V>(): PersistentMap<K, V> {
    return new PersistentMap<K, V>(undefined, 0);
  }

  /** All at once, in a fraction of the time that setting one after another takes. Of two values of a key the later one counts. */
  static from<K extends string, V>(entries: Iterable<readonly [K, V]>): PersistentMap<K, V> {
    const values = entries instanceof Map ? (entries as Map<K, V>) : new Map(entries);
    const leaves: Leaf<V>[] = [];
    for (const [key, value] of values) leaves.push({ kind: 'leaf', hash: hashOf(key), key, value });
    return new PersistentMap<K, V>(built(inTreeOrder(leaves), 0, leaves.length, 0), leaves.length);
  }

  get(key: K): V | undefined {
    const hash = hashOf(key);
    let node = this.#root;
    for (let shift = 0; node !== undefined; shift += BITS) {
      if (node.kind === 'leaf') return node.key === key ? node.value : undefined;
      if (node.kind === 'collision') return node.leaves.find((leaf) => leaf.key === key)?.value;
      const bit = bitAt(hash, shift);
      if ((node.bitmap & bit) === 0) return undefined;
      node = node.children[indexOf(node.bitmap, bit)];
    }
    return undefined;
  }

  set(key: K, value: V): PersistentMap<K, V> {
    const leaf: Leaf<V> = { kind: 'leaf', hash: hashOf(key), key, value };
    const grown = this.get(key) === undefined ? 1 : 0;
    return new PersistentMap(insert(this.#root, leaf, 0), this.size + grown);
  }

  delete(key: K): PersistentMap<K, V> {
    if (this.get(key) === undefined) return this;
    return new PersistentMap(remove(this.#root!, hashOf(key), key, 0), this.size - 1);
  }

  /** In an order that depends on the keys alone. */
  *values(): IterableIterator<V> {
    for (const leaf of leavesOf(this.#root)) yield leaf.value;
  }

  *entries(): IterableIterator<readonly [K, V]> {
    for (const leaf of leavesOf(this.#root)) yield [leaf.key as K, leaf.value];
  }

  /** The keys whose values differ (by identity) between `before` and this map. Visits only what the two do not share. */
  *changedSince(
    before: PersistentMap<K, V>,
  ): IterableIterator<{ key: K; before: V | undefined; after: V | undefined }> {
    for (const [from, to] of differing(before.#root, this.#root, 0)) {
      yield { key: (to ?? from)!.key as K, before: from?.value, after: to?.value };
    }
  }
}

/** FNV-1a over the UTF-16 code units, mixed (murmur3's finalizer) so that all 32 bits depend on all of the key. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function bitAt(hash: number, shift: number): number {
  return 1 << ((hash >>> shift) & MASK);
}

/** How many children come before `bit`'s. */
function indexOf(bitmap: number, bit: number): number {
  let rest = bitmap & (bit - 1);
  rest -= (rest >>> 1) & 0x55555555;
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function branch<V>(bitmap: number, children: readonly Node<V>[]): Branch<V> {
  return { kind: 'branch', bitmap, children };
}

/** The tree that inserting one by one makes of `leaves[from .. to - 1]`, of which no two have the same key. */
function built<V>(leaves: readonly Leaf<V>[], from: number, to: number, shift: number): Node<V> | undefined {
  if (to - from <= 1) return to === from ? undefined : leaves[from];
  const { hash } = leaves[from]!;
  // Those of one hash stand together: the first and the last tell.
  if (leaves[to - 1]!.hash === hash)
    return { kind: 'collision', hash, leaves: sortedByKey(leaves.slice(from, to)) };
  let bitmap = 0;
  const children: Node<V>[] = [];
  for (let start = from; start < to;) {
    const bit = bitAt(leaves[start]!.hash, shift);
    let end = start + 1;
    while (end < to && bitAt(leaves[end]!.hash, shift) === bit) end++;
    bitmap |= bit;
    children.push(built(leaves, start, end, shift + BITS)!);
    start = end;
  }
  return branch(bitmap, children);
}

/** By the first five bits of the hash, within these by the next five, and so on: as a walk of the tree meets them. */
function inTreeOrder<V>(leaves: readonly Leaf<V>[]): readonly Leaf<V>[] {
  invariant(leaves.length <= PLACES, 'too many keys for one map', { keys: leaves.length });
  // Numbers are sorted several times faster than objects: the order above the place.
  const places = Float64Array.from(leaves, ({ hash }, place) => treeOrder(hash) * PLACES + place);
  return Array.from(places.sort(), (ordered) => leaves[ordered % PLACES]!);
}

/** With 32 bits of order above it still an exact number. */
const PLACES = 2 ** 21;

/** The hash with its groups of five bits in the opposite order. */
function treeOrder(hash: number): number {
  let order = 0;
  for (let shift = 0; shift < 30; shift += BITS) order = order * 32 + ((hash >>> shift) & MASK);
  return order * 4 + (hash >>> 30);
}

function sortedByKey<V>(leaves: readonly Leaf<V>[]): readonly Leaf<V>[] {
  return leaves.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function insert<V>(node: Node<V> | undefined, leaf: Leaf<V>, shift: number): Node<V> {
  if (node === undefined) return leaf;
  if (node.kind === 'branch') {
    const bit = bitAt(leaf.hash, shift);
    const at = indexOf(node.bitmap, bit);
    if ((node.bitmap & bit) === 0) return branch(node.bitmap | bit, node.children.toSpliced(at, 0, leaf));
    return branch(node.bitmap, node.children.with(at, insert(node.children[at], leaf, shift + BITS)));
  }
  if (node.hash === leaf.hash) {
    const old: readonly Leaf<V>[] = node.kind === 'leaf' ? [node] : node.leaves;
    const leaves = [...old.filter(({ key }) => key !== leaf.key), leaf];
    if (leaves.length === 1) return leaf;
    return { kind: 'collision', hash: leaf.hash, leaves: sortedByKey(leaves) };
  }
  // Two hashes under one branch: push the old one down a level and insert again. They part at the latest at bit 30.
  return insert(branch(bitAt(node.hash, shift), [node]), leaf, shift);
}

function remove<V>(node: Node<V>, hash: number, key: string, shift: number): Node<V> | undefined {
  if (node.kind === 'leaf') return undefined;
  if (node.kind === 'collision') {
    const leaves = node.leaves.filter((leaf) => leaf.key !== key);
    return leaves.length === 1 ? leaves[0] : { ...node, leaves };
  }
  const bit = bitAt(hash, shift);
  const at = indexOf(node.bitmap, bit);
  const child = remove(node.children[at]!, hash, key, shift + BITS);
  const children = child === undefined ? node.children.toSpliced(at, 1) : node.children.with(at, child);
  if (children.length === 0) return undefined;
  // A lone leaf moves up: a map that has shrunk takes no more room than one that never grew.
  if (children.length === 1 && children[0]!.kind !== 'branch') return children[0];
  return branch(child === undefined ? node.bitmap & ~bit : node.bitmap, children);
}

function* leavesOf<V>(node: Node<V> | undefined): IterableIterator<Leaf<V>> {
  if (node === undefined) return;
  if (node.kind === 'leaf') yield node;
  else if (node.kind === 'collision') yield* node.leaves;
  else for (const child of node.children) yield* leavesOf(child);
}

type Difference<V> = readonly [Leaf<V> | undefined, Leaf<V> | undefined];

function* differing<V>(
  from: Node<V> | undefined,
  to: Node<V> | undefined,
  shift: number,
): IterableIterator<Difference<V>> {
  if (from === to) return;
  if (from?.kind === 'branch' && to?.kind === 'branch') {
    for (let rest = from.bitmap | to.bitmap; rest !== 0; rest &= rest - 1) {
      const bit = rest & -rest;
      const [before, after] = [childAt(from, bit), childAt(to, bit)];
      if (before !== after) yield* differing(before, after, shift + BITS);
    }
    return;
  }
  // One side is a leaf, a collision or nothing, hence small or wholly new: compare key by key.
  const old = new Map([...leavesOf(from)].map((leaf) => [leaf.key, leaf]));
  for (const leaf of leavesOf(to)) {
    const before = old.get(leaf.key);
    old.delete(leaf.key);
    if (before?.value !== leaf.value) yield [before, leaf];
  }
  for (const leaf of old.values()) yield [leaf, undefined];
}

function childAt<V>(node: Branch<V>, bit: number): Node<V> | undefined {
  return (node.bitmap & bit) === 0 ? undefined : node.children[indexOf(node.bitmap, bit)];
}
