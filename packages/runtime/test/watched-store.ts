// A store that counts the iterators that are open, and refuses what an iterator is not made for: two reads at once, or a read of
// one that is closed. The simulated store forgives both, LevelDB does not.

import type {
  KeyValueEntry,
  KeyValueIterator,
  KeyValueRange,
  KeyValueStore,
  KeyValueWrite,
} from '@tidemark/core';

export class WatchedStore implements KeyValueStore {
  openIterators = 0;
  /** Pieces read so far. */
  reads = 0;
  readonly #store: KeyValueStore;

  readonly #pause: () => Promise<void>;

  /** `pause`: how long a read of an iterator takes. */
  constructor(store: KeyValueStore, pause: () => Promise<void>) {
    this.#store = store;
    this.#pause = pause;
  }

  write(writes: readonly KeyValueWrite[], options: { readonly sync: boolean }): Promise<void> {
    return this.#store.write(writes, options);
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#store.get(key);
  }

  iterate(range: KeyValueRange): KeyValueIterator {
    const iterator = this.#store.iterate(range);
    this.openIterators += 1;
    const state = { isReading: false, isClosed: false };
    const check = (): void => {
      if (state.isReading) throw new Error('an iterator is read while it is read');
      if (state.isClosed) throw new Error('an iterator is closed while it is read, or before');
    };
    return {
      next: async (maxBytes): Promise<readonly KeyValueEntry[]> => {
        check();
        state.isReading = true;
        this.reads += 1;
        await this.#pause();
        const entries = await iterator.next(maxBytes);
        state.isReading = false;
        check();
        return entries;
      },
      close: () => {
        if (!state.isClosed) this.openIterators -= 1;
        state.isClosed = true;
        return iterator.close();
      },
    };
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
