// What a leader knows of one other replica.
//
//   probing      it is not known where the logs part: one message at a time, until one is accepted
//   replicating  they agree up to `matchOffset`: messages follow each other within the window, without waiting
//   snapshot     what it needs is no longer in the log: pieces of a snapshot, one at a time

import type { Offset } from '@tidemark/core';
import type { SnapshotId } from './message.ts';
import type { ReplicaKey } from './replica.ts';

export type ProgressState = 'probing' | 'replicating' | 'snapshot';

interface Window {
  readonly endOffset: Offset;
  readonly bytes: number;
}

export interface SnapshotProgress {
  /** Undefined until the driver has said which one it sends. */
  id: SnapshotId | undefined;
  position: number;
  /** The driver is getting a piece. */
  isReading: boolean;
  /** The piece on its way; undefined: none is. */
  sent: { readonly atMs: number; readonly round: number; readonly bytes: number } | undefined;
}

export class Progress {
  readonly key: ReplicaKey;
  state: ProgressState = 'probing';
  /** Its log equals the leader's up to here, on its disk. */
  matchOffset = 0 as Offset;
  /** What is sent next. */
  nextOffset: Offset;
  /** The newest commit offset it was told. */
  sentCommitOffset = -1;
  /** Of the latest message from it in this term. */
  lastContactMs: number;
  /** The newest round it has confirmed. */
  confirmedRound = 0;
  /** A probe is on its way. */
  isProbeSent = false;
  /** The driver is reading entries for it. */
  isReading = false;
  snapshot: SnapshotProgress | undefined;
  readonly #inFlight: Window[] = [];
  #inFlightBytes = 0;

  constructor(key: ReplicaKey, nextOffset: Offset, nowMs: number) {
    this.key = key;
    this.nextOffset = nextOffset;
    this.lastContactMs = nowMs;
  }

  /** Whether another message fits the window. */
  hasRoom(maxBytes: number, maxMessages: number): boolean {
    return this.#inFlight.length < maxMessages && this.#inFlightBytes < maxBytes;
  }

  /** While probing the next offset stays: a refusal names it, and is about nothing else. */
  sent(endOffset: Offset, bytes: number): void {
    if (this.state === 'probing') {
      this.isProbeSent = true;
      return;
    }
    this.nextOffset = endOffset;
    this.#inFlight.push({ endOffset, bytes });
    this.#inFlightBytes += bytes;
  }

  acknowledged(matchOffset: Offset): void {
    if (matchOffset > this.matchOffset) this.matchOffset = matchOffset;
    if (matchOffset > this.nextOffset) this.nextOffset = matchOffset;
    while (this.#inFlight.length > 0 && this.#inFlight[0]!.endOffset <= matchOffset) {
      this.#inFlightBytes -= this.#inFlight.shift()!.bytes;
    }
  }

  /** What it had confirmed is not there any more. */
  lostLog(): void {
    this.matchOffset = 0 as Offset;
    this.sentCommitOffset = -1;
  }

  become(state: ProgressState, nextOffset: Offset): void {
    this.state = state;
    this.nextOffset = nextOffset;
    this.isProbeSent = false;
    this.isReading = false;
    this.#inFlight.length = 0;
    this.#inFlightBytes = 0;
    this.snapshot = undefined;
    if (state === 'snapshot') this.beginSnapshot();
  }

  /** From the newest there is, at its beginning. */
  beginSnapshot(): void {
    this.snapshot = { id: undefined, position: 0, isReading: false, sent: undefined };
  }
}
