// Serves pieces of snapshots to the replicas that need them: for each receiver one snapshot, read from a consistent iterator over
// the store, and the last piece once more when it was lost.

import type { Clock, KeyValueIterator, Offset, Timer } from '@tidemark/core';
import {
  replicaName,
  type ReplicaKey,
  type SnapshotId,
  type SnapshotPiece,
  type SnapshotRead,
  type VoterSet,
} from '@tidemark/raft';
import { encodeSnapshotPiece } from './metadata-store.ts';
import type { MetadataState } from './metadata-state.ts';

interface Sending {
  readonly snapshot: SnapshotId;
  readonly voters: VoterSet;
  readonly iterator: KeyValueIterator;
  /** The piece read last. */
  piece: SnapshotPiece | undefined;
  lastUsedMs: number;
}

/** A receiver that has not asked for so long begins anew; what was kept for it is given up. */
const IDLE_MS = 60_000;

export interface SnapshotSenderOptions {
  readonly state: Pick<MetadataState, 'openSnapshot'>;
  readonly votersAsOf: (offset: Offset) => VoterSet;
  readonly clock: Clock;
  readonly onFatal: (cause: unknown) => void;
}

export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #sending = new Map<string, Sending>();
  /** One after another: an iterator does one thing at a time, and a receiver may be read for again before the last time is over. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Set while anything is kept: an iterator that stays open keeps the store from giving up what was overwritten since. */
  #idleTimer: Timer | undefined;

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  /** Undefined: that snapshot, or that piece of it, is gone; begin anew. */
  read(read: SnapshotRead): Promise<SnapshotPiece | undefined> {
    return this.#inTurn(() => this.#read(read, this.#options.clock.monotonicMs()));
  }

  /** Gives up every snapshot that is under way: this node leads no longer, or takes part no longer. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      this.#idleTimer?.cancel();
      this.#idleTimer = undefined;
      const all = [...this.#sending.values()];
      this.#sending.clear();
      for (const { iterator } of all) await iterator.close();
    });
  }

  async #read(read: SnapshotRead, nowMs: number): Promise<SnapshotPiece | undefined> {
    const name = replicaName(read.to);
    const known = this.#sending.get(name);
    const isKnown =
      read.snapshot !== undefined &&
      known?.snapshot.endOffset === read.snapshot.endOffset &&
      known.snapshot.term === read.snapshot.term;
    if (!isKnown && read.position > 0) return undefined;
    const sending = isKnown ? known : await this.#begin(read.to, nowMs);
    sending.lastUsedMs = nowMs;
    const { piece } = sending;
    if (piece?.position === read.position) return piece;
    const expected = piece === undefined ? 0 : piece.position + piece.bytes.length;
    if (read.position !== expected || piece?.isLast === true) return undefined;
    return this.#next(sending, read);
  }

  async #begin(to: ReplicaKey, nowMs: number): Promise<Sending> {
    const name = replicaName(to);
    await this.#sending.get(name)?.iterator.close();
    const { position, entries: iterator } = await this.#options.state.openSnapshot();
    const { endOffset, term } = position;
    const sending: Sending = {
      snapshot: { endOffset, term },
      voters: this.#options.votersAsOf(endOffset),
      iterator,
      piece: undefined,
      lastUsedMs: nowMs,
    };
    this.#sending.set(name, sending);
    this.#lookForIdle();
    return sending;
  }

  async #next(sending: Sending, { position, maxBytes }: SnapshotRead): Promise<SnapshotPiece> {
    const entries = await sending.iterator.next(maxBytes);
    const { snapshot, voters } = sending;
    const isLast = entries.length === 0;
    sending.piece = { snapshot, voters, position, bytes: encodeSnapshotPiece(entries), isLast };
    if (isLast) await sending.iterator.close();
    return sending.piece;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work);
    // Whoever asked for it is told.
    this.#turn = done.catch(() => undefined);
    return done;
  }

  #lookForIdle(): void {
    const { clock, onFatal } = this.#options;
    this.#idleTimer ??= clock.setTimer(IDLE_MS, () => {
      this.#idleTimer = undefined;
      this.#inTurn(() => this.#forgetIdle(clock.monotonicMs())).catch(onFatal);
    });
  }

  async #forgetIdle(nowMs: number): Promise<void> {
    if (this.#sending.size > 0) this.#lookForIdle();
    for (const [name, { iterator, lastUsedMs }] of this.#sending) {
      if (nowMs - lastUsedMs < IDLE_MS) continue;
      this.#sending.delete(name);
      await iterator.close();
    }
  }
}
