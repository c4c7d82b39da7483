// The read path: read what is there; if it is too little, wait for the high watermarks to bring more, and read once again. The
// memory an answer may take is taken from the response budget before anything is read.

import { failure, type Failure, isFailure } from '@tidemark/core';
import type { ByteBudget } from './byte-budget.ts';
import type { FetchPurgatory } from './fetch-purgatory.ts';
import type { Partition } from './partition.ts';
import { fetchFailure, readPartition } from './partition-read.ts';
import type {
  FetchAnswer,
  FetchOutcome,
  FetchPartition,
  FetchRequest,
  PartitionAddress,
} from './requests.ts';

/** How long a client is told to hold back when no more fetches may wait, in milliseconds. */
const FULL_THROTTLE_MS = 500;

export interface Fetching {
  readonly answer: Promise<FetchAnswer | Failure>;
  /** The client is gone: stop waiting. */
  cancel(): void;
}

interface Target {
  readonly request: FetchPartition;
  readonly partition: Partition | Failure;
}

export class FetchPath {
  readonly #find: (address: PartitionAddress) => Partition | Failure;
  readonly #purgatory: FetchPurgatory;
  readonly #responses: ByteBudget;
  readonly #maxBytes: number;
  /** Where the next request begins among its partitions, so that none of them is served last for ever. */
  #rotation = 0;

  /** `maxBytes`: the broker's `fetch.max.bytes`. */
  constructor(
    find: (address: PartitionAddress) => Partition | Failure,
    purgatory: FetchPurgatory,
    responses: ByteBudget,
    maxBytes: number,
  ) {
    this.#find = find;
    this.#purgatory = purgatory;
    this.#responses = responses;
    this.#maxBytes = maxBytes;
  }

  /**
   * The bytes of the answer stay taken from the response budget; the caller gives back `sizeOf(answer)` once they are sent or
   * the client is gone.
   */
  fetch(request: FetchRequest): Fetching {
    let cancelled = false;
    let cancelWait = (): void => undefined;
    const answer = this.#fetch(request, (cancel) => {
      if (cancelled) cancel();
      else cancelWait = cancel;
    });
    return {
      answer,
      cancel: () => {
        cancelled = true;
        cancelWait();
      },
    };
  }

  async #fetch(request: FetchRequest, onWait: (cancel: () => void) => void): Promise<FetchAnswer | Failure> {
    const targets = request.partitions.map((each): Target => ({
      request: each,
      partition: this.#find(each.address),
    }));
    const partitions = targets.flatMap(({ partition }) => (isFailure(partition) ? [] : [partition]));
    const rotation = this.#rotation++;
    const seen = readableBytes(partitions);
    const seenDisturbances = disturbances(partitions);
    const first = await this.#read(targets, request, rotation);
    if (isFailure(first)) return first;
    const missing = Math.max(1, request.minBytes) - sizeOf(first);
    const failed = first.some((outcome) => outcome.failure !== undefined);
    if (missing <= 0 || failed || request.maxWaitMs <= 0) return { outcomes: first, throttleMs: 0 };
    // What became readable, or changed, while the first read was under way counts, or a wake-up could be missed.
    const since = readableBytes(partitions) - seen;
    const isDisturbed = disturbances(partitions) !== seenDisturbances;
    this.#responses.giveBack(sizeOf(first));
    if (since < missing && !isDisturbed) {
      const waiting = this.#purgatory.wait(partitions, missing - since, request.maxWaitMs);
      onWait(() => waiting.cancel());
      const reason = await waiting.woken;
      if (reason === 'cancelled') return { outcomes: [], throttleMs: 0 };
      if (reason === 'full') {
        const again = await this.#read(targets, request, rotation);
        return isFailure(again) ? again : { outcomes: again, throttleMs: FULL_THROTTLE_MS };
      }
    }
    const second = await this.#read(targets, request, rotation);
    return isFailure(second) ? second : { outcomes: second, throttleMs: 0 };
  }

  /** Reads the partitions from the rotated start on; the outcomes come in the order of the request. */
  async #read(
    targets: readonly Target[],
    request: FetchRequest,
    rotation: number,
  ): Promise<readonly FetchOutcome[] | Failure> {
    const limit = Math.min(request.maxBytes, this.#maxBytes);
    const wanted = targets.reduce((sum, { request: each }) => sum + each.maxBytes, 0);
    const taken = Math.min(limit, wanted);
    if (!(await this.#responses.take(taken))) {
      return failure('THROTTLING_QUOTA_EXCEEDED', 'too many fetches wait for memory: try again later');
    }
    const outcomes = new Array<FetchOutcome>(targets.length);
    let left = limit;
    let anything = false;
    for (let turn = 0; turn < targets.length; turn++) {
      const at = (rotation + turn) % targets.length;
      const { request: each, partition } = targets[at]!;
      if (isFailure(partition)) {
        outcomes[at] = fetchFailure(each.address, partition);
        continue;
      }
      const outcome = await readPartition(partition, {
        offset: each.fetchOffset,
        currentLeaderEpoch: each.currentLeaderEpoch,
        maxBytes: Math.min(each.maxBytes, left),
        atLeastOne: !anything,
      });
      outcomes[at] = outcome;
      left = Math.max(0, left - outcome.sizeBytes);
      anything ||= outcome.sizeBytes > 0;
    }
    // A first batch may be larger than what was taken: then the rest is taken late, and the next fetch waits for it.
    this.#responses.giveBack(taken - sizeOf(outcomes));
    return outcomes;
  }
}

function readableBytes(partitions: readonly Partition[]): number {
  return partitions.reduce((sum, each) => sum + each.readableBytes, 0);
}

function disturbances(partitions: readonly Partition[]): number {
  return partitions.reduce((sum, each) => sum + each.disturbances, 0);
}

/** Bytes of batches in the outcomes. */
export function sizeOf(outcomes: readonly FetchOutcome[]): number {
  let bytes = 0;
  for (const outcome of outcomes) bytes += outcome.sizeBytes;
  return bytes;
}
