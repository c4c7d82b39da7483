// KeyValueStore: a small ordered store of bytes with atomic batches, for what must survive a restart and is not a log: a
// replica's vote, and the metadata as of an offset. LevelDB's model, so that LevelDB can be put under it.
//
// Calls take effect in the order they are made: a read sees every write that was called before it, and none after. The arrays
// of a call must not change until it settles; those of an answer belong to the caller. After `close` every call rejects.
//
// What survives a power failure: a prefix of the batches written, in the order they were written; at least up to the last one
// written with `sync`, and each batch whole or not at all. After a write has failed the store takes no more: whoever uses it
// must not go on as if the write had, or had not, happened.

/** `value` undefined removes the key; removing what is not there is no error. */
export interface KeyValueWrite {
  /** At least one byte. A batch with an empty one rejects with EINVAL and counts as never called. */
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

export interface KeyValueEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface KeyValueRange {
  /** Inclusive. */
  readonly from: Uint8Array;
  /** Exclusive. */
  readonly to: Uint8Array;
}

export interface KeyValueIterator {
  /**
   * The next entries, at least one and no more than fill `maxBytes` of keys and values; none at the end. One call at a time.
   */
  next(maxBytes: number): Promise<readonly KeyValueEntry[]>;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface KeyValueStore {
  /**
   * All of the writes or none, later ones of a key over earlier ones. `sync`: durable, with all batches before, when this
   * resolves. Calls take effect in the order they are made. Rejects with DiskError; then so does every later write.
   */
  write(writes: readonly KeyValueWrite[], options: { readonly sync: boolean }): Promise<void>;
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** The entries of the range as they are at the time of the call, in the byte order of their keys, whatever is written later. */
  iterate(range: KeyValueRange): KeyValueIterator;
  /** Waits for the writes under way. Idempotent. */
  close(): Promise<void>;
}
