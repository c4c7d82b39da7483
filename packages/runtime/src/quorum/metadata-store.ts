// What a replica of the metadata keeps beside its log, in a key-value store: the hard state, the position and the voters of the
// image, and the image itself. Image, position and voters change in one atomic batch, so that after any crash the store is the
// image at exactly one offset, and the log from there on makes the present one.

import {
  byteString,
  failure,
  FieldReader,
  FieldWriter,
  integer,
  MalformedRecord,
  optional,
  struct,
  TidemarkError,
  type FieldCodec,
  type KeyValueEntry,
  type KeyValueIterator,
  type KeyValueStore,
  type KeyValueWrite,
  type Offset,
  type Term,
} from '@tidemark/core';
import {
  ORIGIN,
  replicaCodec,
  votersCodec,
  type HardState,
  type LogPosition,
  type VoterSet,
} from '@tidemark/raft';

/** Where the image stands. */
export interface ImageState {
  readonly position: LogPosition;
  /** Those in force at `position`. */
  readonly voters: VoterSet;
}

const VERSION = 1;
const HARD_STATE_KEY = Uint8Array.of(0x68);
const IMAGE_STATE_KEY = Uint8Array.of(0x73);
/** The entries of the image; see the controller's `imageEntries`. */
export const IMAGE_RANGE = { from: Uint8Array.of(0x69), to: Uint8Array.of(0x6a) } as const;

const term = integer<Term>(2 ** 31 - 1);
const hardStateCodec = struct<HardState>({ term, vote: optional(replicaCodec) });
const imageStateCodec = struct<ImageState>({
  position: struct<LogPosition>({ endOffset: integer<Offset>(Number.MAX_SAFE_INTEGER), term }),
  voters: votersCodec,
});

/** How many bytes of deletions and entries one read of the old image takes. */
const READ_BYTES = 1024 * 1024;

export class MetadataStore {
  readonly #store: KeyValueStore;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  /** Undefined in a store that is new. Rejects with TidemarkError when what is there cannot be read. */
  async loadHardState(): Promise<HardState | undefined> {
    const state = await this.#load(HARD_STATE_KEY, hardStateCodec, 'hard state');
    return state === undefined ? undefined : { term: state.term, vote: state.vote };
  }

  async loadImageState(): Promise<ImageState> {
    const state = await this.#load(IMAGE_STATE_KEY, imageStateCodec, 'image state');
    return state ?? { position: ORIGIN, voters: [] };
  }

  /** Durable when it resolves. */
  saveHardState(state: HardState): Promise<void> {
    return this.#store.write([{ key: HARD_STATE_KEY, value: encoded(hardStateCodec, state) }], {
      sync: true,
    });
  }

  /** The voters of a cluster's first start, and a hard state: from then on this replica is one of them. Durable. */
  saveFormation(voters: VoterSet): Promise<void> {
    const state = { position: ORIGIN, voters };
    const writes = [
      { key: HARD_STATE_KEY, value: encoded(hardStateCodec, { term: 0 as Term, vote: undefined }) },
      { key: IMAGE_STATE_KEY, value: encoded(imageStateCodec, state) },
    ];
    return this.#store.write(writes, { sync: true });
  }

  /** `sync` makes durable this and everything before. */
  saveImage(writes: readonly KeyValueWrite[], state: ImageState, sync: boolean): Promise<void> {
    return this.#store.write([...writes, { key: IMAGE_STATE_KEY, value: encoded(imageStateCodec, state) }], {
      sync,
    });
  }

  /** `entries` take the place of the whole image. Durable. */
  async replaceImage(entries: readonly KeyValueEntry[], state: ImageState): Promise<void> {
    const writes: KeyValueWrite[] = [];
    const kept = new Set(entries.map(({ key }) => keyText(key)));
    const old = this.iterateImage();
    for (let some = await old.next(READ_BYTES); some.length > 0; some = await old.next(READ_BYTES)) {
      for (const { key } of some) if (!kept.has(keyText(key))) writes.push({ key, value: undefined });
    }
    await old.close();
    await this.saveImage([...writes, ...entries], state, true);
  }

  /** The image's entries as they are now. */
  iterateImage(): KeyValueIterator {
    return this.#store.iterate(IMAGE_RANGE);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #load<T extends object>(key: Uint8Array, codec: FieldCodec<T>, what: string): Promise<T | undefined> {
    const bytes = await this.#store.get(key);
    if (bytes === undefined) return undefined;
    const reader = new FieldReader(bytes);
    try {
      const version = reader.unsigned();
      if (version === VERSION) return codec.read(reader);
      throw new TidemarkError(
        'UNSUPPORTED_VERSION',
        `The ${what} of this folder has version ${version}; start it with the newer version.`,
      );
    } catch (error) {
      if (!(error instanceof MalformedRecord)) throw error;
      throw TidemarkError.from(failure('CORRUPT_MESSAGE', `The ${what} of this folder ${error.message}.`));
    }
  }
}

function encoded<T>(codec: FieldCodec<T>, value: T): Uint8Array {
  const writer = new FieldWriter();
  writer.unsigned(VERSION);
  codec.write(writer, value);
  return writer.finish();
}

const keyText = (key: Uint8Array): string => String.fromCharCode(...key);

/** Entries of an image as the bytes of a snapshot: a key, a value, and so on. */
export function encodeSnapshotPiece(entries: readonly KeyValueEntry[]): Uint8Array {
  const writer = new FieldWriter();
  for (const { key, value } of entries) {
    byteString.write(writer, key);
    byteString.write(writer, value);
  }
  return writer.finish();
}

/** Pieces are cut between entries. Throws MalformedRecord. Copies. */
export function decodeSnapshotPiece(bytes: Uint8Array): readonly KeyValueEntry[] {
  const reader = new FieldReader(bytes);
  const entries: KeyValueEntry[] = [];
  while (reader.left > 0) {
    const key = byteString.read(reader).slice();
    entries.push({ key, value: byteString.read(reader).slice() });
  }
  return entries;
}
