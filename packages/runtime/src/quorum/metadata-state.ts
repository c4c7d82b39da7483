// The metadata a replica has applied: the image in memory, which everybody reads, and the one in the store, which lags behind by a
// bounded time and is what a restart begins with and a snapshot is made of.
//
// Contract: `apply` is synchronous and in order; writes to the store go one after another, each the difference between two
// images; after a failed write nothing is written any more, and the owner is told.

import {
  applyRecords,
  ImageLoader,
  imageWrites,
  MetadataImage,
  type MetadataRecord,
} from '@tidemark/controller';
import {
  failure,
  invariant,
  MalformedRecord,
  TidemarkError,
  type Clock,
  type KeyValueEntry,
  type KeyValueIterator,
  type Timer,
} from '@tidemark/core';
import type { InstallSnapshot, LogPosition, VoterSet } from '@tidemark/raft';
import { decodeSnapshotPiece, type ImageState, type MetadataStore } from './metadata-store.ts';

export type ImageListener = (image: MetadataImage, previous: MetadataImage) => void;

export interface MetadataStateOptions {
  readonly store: MetadataStore;
  readonly clock: Clock;
  /** Whether the voters in force with everything below a position are these. */
  readonly votersAsOf: (offset: LogPosition['endOffset']) => VoterSet;
  /** Applied metadata is in the store (not yet synced) at most so much later, in milliseconds. */
  readonly saveAfterMs: number;
  readonly onFatal: (cause: unknown) => void;
}

const LOAD_BYTES = 1024 * 1024;

interface Applied {
  readonly image: MetadataImage;
  readonly position: LogPosition;
}

export class MetadataState {
  readonly #options: MetadataStateOptions;
  readonly #listeners = new Set<ImageListener>();
  #applied: Applied;
  #saved: Applied;
  /** Of what is done with the store, one after another. Rejected once something has failed: nothing is done then any more. */
  #turn: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #isClosed = false;

  private constructor(options: MetadataStateOptions, loaded: Applied) {
    this.#options = options;
    this.#applied = loaded;
    this.#saved = loaded;
  }

  /** The image the store holds. Rejects with TidemarkError when it cannot be read. */
  static async load(store: MetadataStore, { position }: ImageState): Promise<MetadataImage> {
    const loader = new ImageLoader();
    const iterator = store.iterateImage();
    try {
      for (
        let some = await iterator.next(LOAD_BYTES);
        some.length > 0;
        some = await iterator.next(LOAD_BYTES)
      ) {
        addAll(loader, some);
      }
    } finally {
      await iterator.close();
    }
    const image = built(loader);
    invariant(
      image.offset < position.endOffset || position.endOffset === 0,
      'the stored image has its position',
    );
    return image;
  }

  static of(options: MetadataStateOptions, image: MetadataImage, position: LogPosition): MetadataState {
    return new MetadataState(options, { image, position });
  }

  /** Everything applied. */
  get image(): MetadataImage {
    return this.#applied.image;
  }

  /** Everything below is applied. */
  get position(): LogPosition {
    return this.#applied.position;
  }

  /** Everything below is in the store. */
  get savedPosition(): LogPosition {
    return this.#saved.position;
  }

  /** Called after every change, in order. Answers how to stop. */
  onImage(listener: ImageListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** `after` is the image with the records, when somebody has worked it out already. */
  apply(
    baseOffset: number,
    position: LogPosition,
    records: readonly MetadataRecord[],
    after?: MetadataImage,
  ): void {
    invariant(baseOffset === this.#applied.position.endOffset, 'metadata is applied without a gap', {
      baseOffset,
    });
    const previous = this.#applied.image;
    const image = after ?? applyRecords(previous, records, baseOffset);
    this.#applied = { image, position };
    this.#saveSoon();
    if (image !== previous) for (const listener of this.#listeners) listener(image, previous);
  }

  /** The snapshot is in the store when this resolves, and applied. Rejects when it cannot be read or stored. */
  install(snapshot: InstallSnapshot): Promise<void> {
    // In turn with what saves the image: a difference to the old one must not get into the new.
    return this.#inTurn(() => this.#install(snapshot));
  }

  async #install({ snapshot, voters, pieces }: InstallSnapshot): Promise<void> {
    const loader = new ImageLoader();
    const entries: KeyValueEntry[] = [];
    for (const piece of pieces) {
      const some = decodedPiece(piece);
      addAll(loader, some);
      entries.push(...some);
    }
    const image = built(loader);
    const installed: Applied = { image, position: { endOffset: snapshot.endOffset, term: snapshot.term } };
    await this.#options.store.replaceImage(entries, { position: installed.position, voters });
    const previous = this.#applied.image;
    this.#applied = installed;
    this.#saved = installed;
    for (const listener of this.#listeners) listener(image, previous);
  }

  /** Brings the store up to what is applied now; durable when `sync`. */
  async save(sync: boolean): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#inTurn(() => this.#write(sync));
  }

  /** As `save`; answers what is durable from then on. */
  saveDurably(): Promise<LogPosition> {
    return this.#inTurn(async () => {
      await this.#write(true);
      return this.#saved.position;
    });
  }

  /** The image as entries, from the store, and where it stands: the newest there is. The caller closes the iterator. */
  openSnapshot(): Promise<{ readonly position: LogPosition; readonly entries: KeyValueIterator }> {
    // In turn with the writes: between writing the image and opening the iterator no other write can come.
    return this.#inTurn(async () => {
      await this.#write(false);
      return { position: this.#saved.position, entries: this.#options.store.iterateImage() };
    });
  }

  /** Resolves when nothing is done with the store any more. `isSaved`: what is applied is stored before, or it rejects. */
  async close(isSaved: boolean): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (isSaved) await this.save(true);
    else await Promise.allSettled([this.#turn]);
  }

  #saveSoon(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(this.#options.saveAfterMs, () => {
      this.#timer = undefined;
      this.save(false).catch((cause: unknown) => this.#options.onFatal(cause));
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.then(() => undefined);
    // Whoever asked for it is told, and everybody who asks later.
    this.#turn.catch(() => undefined);
    return done;
  }

  async #write(sync: boolean): Promise<void> {
    const { store, votersAsOf } = this.#options;
    const next = this.#applied;
    if (next === this.#saved && !sync) return;
    const writes = imageWrites(next.image, this.#saved.image);
    const voters = votersAsOf(next.position.endOffset);
    await store.saveImage(writes, { position: next.position, voters }, sync);
    this.#saved = next;
  }
}

function addAll(loader: ImageLoader, entries: readonly KeyValueEntry[]): void {
  for (const entry of entries) {
    const refused = loader.add(entry);
    if (refused !== undefined) throw TidemarkError.from(refused);
  }
}

function built(loader: ImageLoader): MetadataImage {
  const result = loader.build();
  if (result instanceof MetadataImage) return result;
  throw TidemarkError.from(result);
}

function decodedPiece(piece: Uint8Array): readonly KeyValueEntry[] {
  try {
    return decodeSnapshotPiece(piece);
  } catch (error) {
    if (!(error instanceof MalformedRecord)) throw error;
    throw TidemarkError.from(failure('CORRUPT_MESSAGE', `A metadata snapshot ${error.message}.`));
  }
}
