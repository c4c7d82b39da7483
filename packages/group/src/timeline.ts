// A two-level map (group, key) of which part is not committed yet. Writers see the latest state, readers what is committed, and a failed
// write is taken back; this is what Kafka's coordinator has its timeline data structures for.
//
// Contract: offsets rise from write to write. `latest` and `committed` are equal once the high watermark has passed the last write.

import { invariant } from '@tidemark/core';

interface Change<V> {
  readonly offset: number;
  readonly group: string;
  readonly key: string;
  readonly value: V | undefined;
  readonly previous: V | undefined;
}

type Layer<V> = Map<string, Map<string, V>>;
const NONE: ReadonlyMap<string, never> = new Map<string, never>();

export class Timeline<V> {
  readonly #latest: Layer<V> = new Map<string, Map<string, V>>();
  readonly #committed: Layer<V> = new Map<string, Map<string, V>>();
  #pending: Change<V>[] = [];

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  latest(group: string): ReadonlyMap<string, V> {
    return this.#latest.get(group) ?? NONE;
  }

  committed(group: string): ReadonlyMap<string, V> {
    return this.#committed.get(group) ?? NONE;
  }

  latestGroups(): IterableIterator<string> {
    return this.#latest.keys();
  }

  committedGroups(): IterableIterator<string> {
    return this.#committed.keys();
  }

  /** `undefined` removes. */
  set(offset: number, group: string, key: string, value: V | undefined): void {
    const last = this.#pending.at(-1);
    invariant(last === undefined || last.offset <= offset, 'a record is replayed out of order', { offset });
    this.#pending.push({ offset, group, key, value, previous: this.latest(group).get(key) });
    put(this.#latest, group, key, value);
  }

  /** Everything below the high watermark is committed. */
  commit(highWatermark: number): void {
    let count = 0;
    for (const { offset, group, key, value } of this.#pending) {
      if (offset >= highWatermark) break;
      put(this.#committed, group, key, value);
      count++;
    }
    if (count > 0) this.#pending = this.#pending.slice(count);
  }

  /** Takes back what was written at `endOffset` and above; answers the groups that changed. */
  revertTo(endOffset: number): ReadonlySet<string> {
    const groups = new Set<string>();
    for (let last = this.#pending.at(-1); last !== undefined && last.offset >= endOffset;) {
      put(this.#latest, last.group, last.key, last.previous);
      groups.add(last.group);
      this.#pending.pop();
      last = this.#pending.at(-1);
    }
    return groups;
  }
}

function put<V>(layer: Layer<V>, group: string, key: string, value: V | undefined): void {
  const entries = layer.get(group);
  if (value === undefined) {
    entries?.delete(key);
    if (entries?.size === 0) layer.delete(group);
  } else if (entries === undefined) layer.set(group, new Map([[key, value]]));
  else entries.set(key, value);
}
