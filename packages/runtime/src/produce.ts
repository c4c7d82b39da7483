// The write path of a leader: check, append, wait for what `acks` asks. All appends of a request happen in the same turn, inside
// the call, so that requests are appended in the order of the calls; only the waiting is asynchronous.

import { type Clock, failure, type Failure, isFailure, isInternalTopic, TidemarkError } from '@tidemark/core';
import { validateBatches, type Codecs } from '@tidemark/record';
import type { ReplicaObserver } from './replica-observer.ts';
import { endOf, type Appended, type Partition } from './partition.ts';
import type {
  AcksLevel,
  PartitionAddress,
  ProduceOutcome,
  ProducePartition,
  ProduceRequest,
} from './requests.ts';

export interface ProduceLimits {
  /** Largest batch once inflated, in bytes; what a compressed batch may cost to check. */
  readonly maxInflatedBatchBytes: number;
  /** Most batches in one partition of one request. */
  readonly maxBatchesPerPartition: number;
}

export interface Production {
  /** One outcome for each partition, in order, when `acks` is satisfied or will not be. */
  readonly outcomes: Promise<readonly ProduceOutcome[]>;
  /** When the log is done with the request's bytes. Never rejects. */
  readonly released: Promise<void>;
}

interface Attempt {
  readonly partition: Partition;
  readonly appended: Appended;
  /** Undefined once acknowledged, or why it never will be. */
  readonly acknowledged: Promise<Failure | undefined>;
}

const NOTHING = Promise.resolve();

export class ProducePath {
  readonly #find: (address: PartitionAddress) => Partition | Failure;
  readonly #clock: Clock;
  readonly #codecs: Codecs;
  readonly #limits: ProduceLimits;
  readonly #observer: ReplicaObserver | undefined;

  constructor(
    find: (address: PartitionAddress) => Partition | Failure,
    clock: Clock,
    codecs: Codecs,
    limits: ProduceLimits,
    observer?: ReplicaObserver,
  ) {
    this.#find = find;
    this.#clock = clock;
    this.#codecs = codecs;
    this.#limits = limits;
    this.#observer = observer;
  }

  produce(request: ProduceRequest): Production {
    const nowMs = this.#clock.wallMs();
    const attempts = request.partitions.map((each) => this.#attempt(each, request.acks, nowMs));
    const writes: Promise<unknown>[] = [];
    for (const attempt of attempts) {
      // A failed write is reported through `acknowledged`; here it only matters that it is over.
      if ('appended' in attempt) writes.push(attempt.appended.written.catch(() => undefined));
    }
    const released = writes.length === 0 ? NOTHING : Promise.all(writes).then(() => undefined);
    return { outcomes: this.#settle(request, attempts), released };
  }

  #attempt(request: ProducePartition, acks: AcksLevel, nowMs: number): Attempt | ProduceOutcome {
    const partition = this.#find(request.address);
    if (isFailure(partition)) return { ...request.address, failure: partition };
    if (isInternalTopic(partition.topic)) {
      const message = `${partition.topic} is written by brokers alone; commit offsets to write to it`;
      return outcomeOf(partition, failure('INVALID_TOPIC_EXCEPTION', message));
    }
    const refused = partition.checkLeader(request.currentLeaderEpoch) ?? partition.checkAppend(acks);
    if (refused !== undefined) return outcomeOf(partition, refused);
    const { settings } = partition;
    const createTime = settings.timestampType === 'CreateTime';
    const valid = validateBatches(request.bytes, {
      maxBatchBytes: settings.maxBatchBytes,
      maxInflatedBytes: this.#limits.maxInflatedBatchBytes,
      maxBatches: this.#limits.maxBatchesPerPartition,
      codecs: this.#codecs,
      requireKeys: settings.requiresKeys,
      earliestTimestampMs: createTime ? nowMs - settings.timestampBeforeMaxMs : undefined,
      latestTimestampMs: createTime ? nowMs + settings.timestampAfterMaxMs : undefined,
    });
    if (!valid.ok) return outcomeOf(partition, valid);
    if (valid.batches.some((batch) => batch.isTransactional)) {
      return outcomeOf(
        partition,
        failure('INVALID_RECORD', 'transactional batches are not taken by this version'),
      );
    }
    const startedMs = this.#clock.monotonicMs();
    const appended = partition.append(request.bytes, valid.batches);
    if (!appended.ok) return outcomeOf(partition, appended);
    const attempt = { partition, appended, acknowledged: acknowledgement(partition, appended, acks) };
    if (!appended.duplicate) this.#observe(attempt, acks, startedMs);
    return attempt;
  }

  /** What fails or is given up is not measured: it took no time that would mean anything. */
  #observe({ appended, acknowledged }: Attempt, acks: AcksLevel, startedMs: number): void {
    const observer = this.#observer;
    if (observer === undefined) return;
    let writtenMs = startedMs;
    appended.written.then(
      () => {
        writtenMs = this.#clock.monotonicMs();
        observer.staged('append', writtenMs - startedMs);
      },
      () => undefined,
    );
    if (acks !== 'all') return;
    void acknowledged.then((failed) => {
      if (failed !== undefined) return;
      const nowMs = this.#clock.monotonicMs();
      observer.staged('replicate', nowMs - writtenMs);
      observer.staged('high_watermark', nowMs - startedMs);
    });
  }

  async #settle(
    request: ProduceRequest,
    attempts: readonly (Attempt | ProduceOutcome)[],
  ): Promise<readonly ProduceOutcome[]> {
    const pending = attempts.filter((each) => 'acknowledged' in each);
    const failures = pending.length === 0 ? [] : await this.#acknowledgements(request, pending);
    let next = 0;
    return attempts.map((attempt) => {
      if (!('acknowledged' in attempt)) return attempt;
      const failed = failures[next++];
      return failed === undefined ? receiptOf(attempt) : outcomeOf(attempt.partition, failed);
    });
  }

  async #acknowledgements(
    request: ProduceRequest,
    pending: readonly Attempt[],
  ): Promise<readonly (Failure | undefined)[]> {
    const late = failure(
      'REQUEST_TIMED_OUT',
      `acks=${request.acks} was not satisfied within ${request.timeoutMs} ms; the batch may still be committed`,
    );
    let expire: (value: Failure) => void = () => undefined;
    const expired = new Promise<Failure>((resolve) => {
      expire = resolve;
    });
    const timer = this.#clock.setTimer(request.timeoutMs, () => expire(late));
    const failures = await Promise.all(
      pending.map((attempt) => Promise.race([attempt.acknowledged, expired])),
    );
    timer.cancel();
    return failures;
  }
}

function acknowledgement(
  partition: Partition,
  appended: Appended,
  acks: AcksLevel,
): Promise<Failure | undefined> {
  const written = appended.written.then(
    () => undefined,
    (cause: unknown) => unwritten(partition, cause),
  );
  switch (acks) {
    case 'none':
      return Promise.resolve(undefined);
    case 'leader':
      return written.then((failed) => failed ?? partition.isolation);
    case 'all':
      // Whichever comes first: committed, or a write that failed and so never will be.
      return Promise.race([
        partition.whenCommitted(endOf(appended.lastOffset)),
        new Promise<Failure>((resolve) => {
          void written.then((failed) => {
            if (failed !== undefined) resolve(failed);
          });
        }),
      ]);
  }
}

/** A full disk, a failed one, a log that was closed or cut meanwhile: the log has said which. */
function unwritten(partition: Partition, cause: unknown): Failure {
  const name = `${partition.topic}-${partition.index}`;
  if (cause instanceof TidemarkError) return failure(cause.error, `${name} was not written. ${cause.detail}`);
  return failure('KAFKA_STORAGE_ERROR', `${name} was not written: ${String(cause)}`);
}

function outcomeOf(partition: Partition, failed: Failure): ProduceOutcome {
  const { topic, topicId, index } = partition;
  const moved = failed.error === 'NOT_LEADER_OR_FOLLOWER' || failed.error === 'FENCED_LEADER_EPOCH';
  const outcome = { topic, topicId, partition: index, failure: failed };
  const { leaderHint } = partition;
  return moved && leaderHint !== undefined ? { ...outcome, leaderHint } : outcome;
}

function receiptOf({ partition, appended }: Attempt): ProduceOutcome {
  const { topic, topicId, index, log } = partition;
  return {
    topic,
    topicId,
    partition: index,
    receipt: {
      baseOffset: appended.baseOffset,
      logAppendTimeMs: appended.logAppendTimeMs,
      logStartOffset: log.logStartOffset,
      leaderEpoch: partition.leaderEpoch,
      inSyncReplicas: partition.inSyncReplicas,
      onDisk: log.flushedOffset > appended.lastOffset,
      duplicate: appended.duplicate,
    },
  };
}
