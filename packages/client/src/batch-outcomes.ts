// What becomes of the batches of a request that was answered, or never will be: stored, given up, or back in their queue for another
// attempt, under the sequences they had or others. Synchronous; sends nothing.
import { TidemarkError, invariant } from '@tidemark/core';
import type { Clock, ErrorName } from '@tidemark/core';
import { failureFromDetail } from '@tidemark/rpc';
import { backoffMs } from './backoff.ts';
import type { ClusterMetadata } from './cluster-metadata.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { ProduceAnswer } from './produce-connection.ts';
import { judgeProduceError } from './produce-errors.ts';
import type { ProduceVerdict } from './produce-errors.ts';
import type { ProducerBatch } from './producer-batch.ts';
import type { ProducerIdentity } from './producer-identity.ts';
import type { ProducerMetrics } from './producer-metrics.ts';
import type { ProducerSettings } from './producer-settings.ts';
import type { BatchReceipt } from './receipt.ts';
import { provesMetadataStale } from './stale-metadata.ts';

export interface BatchOutcomesOptions {
  readonly settings: ProducerSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metadata: ClusterMetadata;
  /** Undefined without idempotence. */
  readonly identity: ProducerIdentity | undefined;
  readonly metrics: ProducerMetrics;
  /** The batch is done with; its memory is free again. Exactly one of receipt and error is given. */
  readonly onSettled: (
    batch: ProducerBatch,
    receipt: BatchReceipt | undefined,
    error: TidemarkError | undefined,
  ) => void;
  /** The batch left the queue's window; its memory may be used again. */
  readonly onReleased: (batch: ProducerBatch) => void;
  /** Makes batches out of the halves of one that is too large. */
  readonly split: (batch: ProducerBatch) => readonly ProducerBatch[];
  /** The queue has something to send again. */
  readonly onGivenBack: (queue: PartitionQueue) => void;
}

/** The batches of one partition in one request: appended together, answered together. */
export interface SentBatches {
  readonly queue: PartitionQueue;
  /** More than one only when none of them was sent before. */
  readonly batches: readonly ProducerBatch[];
}

interface SentBatch {
  readonly queue: PartitionQueue;
  readonly batch: ProducerBatch;
}

type PartitionAnswer = ProduceAnswer['results'][number];

const WRITTEN: BatchReceipt = {
  topicId: '',
  baseOffset: -1,
  logAppendTimeMs: -1,
  leaderEpoch: -1,
  inSyncReplicas: [],
  onDisk: false,
  duplicate: false,
};

export class BatchOutcomes {
  readonly #options: BatchOutcomesOptions;

  constructor(options: BatchOutcomesOptions) {
    this.#options = options;
  }

  /** `answer` is undefined where none was asked for (acks=0). */
  answered(sent: readonly SentBatches[], answer: ProduceAnswer | undefined): void {
    sent.forEach((entry, index) => {
      if (answer === undefined) this.#succeedAll(entry, WRITTEN);
      else this.#judge(entry, resultFor(entry.batches[0]!, answer, index));
    });
  }

  /** Nobody knows what became of them. */
  lost(sent: readonly SentBatches[], error: TidemarkError): void {
    for (const entry of sent) this.#failedAll(entry, error, true);
  }

  /** The leader became known while the batch was still with the one before. */
  leadsElsewhere(queue: PartitionQueue): boolean {
    const leaderId = this.#options.metadata.partition(queue.topic, queue.partition)?.leaderId ?? -1;
    return leaderId >= 0 && leaderId !== queue.leaderId;
  }

  #judge(entry: SentBatches, result: PartitionAnswer | undefined): void {
    const { metadata } = this.#options;
    const { topic, partition } = entry.queue;
    if (result === undefined) {
      const text = `the answer says nothing about ${topic}-${partition}`;
      this.#failedAll(entry, new TidemarkError('UNKNOWN_SERVER_ERROR', text), false);
      return;
    }
    const failed = failureFromDetail(result.error);
    if (failed === undefined) {
      this.#succeedAll(entry, result);
      return;
    }
    const hint = result.currentLeader;
    const learned = hint !== null && metadata.learnLeader(result, hint);
    this.#failedAll(entry, TidemarkError.from(failed), result.error?.retriable === true, learned);
  }

  /** They have been appended one right behind the other. */
  #succeedAll({ queue, batches }: SentBatches, receipt: BatchReceipt): void {
    let { baseOffset } = receipt;
    for (const batch of batches) {
      // Not known any more once the batch is settled.
      const { recordCount } = batch;
      this.#succeed({ queue, batch }, { ...receipt, baseOffset });
      if (baseOffset >= 0) baseOffset += recordCount;
    }
  }

  #failedAll(
    { queue, batches }: SentBatches,
    error: TidemarkError,
    retriable: boolean,
    atOnce = false,
  ): void {
    if (batches.length > 1 && !retriable) {
      // Which of them it is about shows when each goes alone.
      for (const batch of batches) {
        batch.lastError = error;
        queue.giveBack(batch);
      }
      this.#options.onGivenBack(queue);
      return;
    }
    for (const batch of batches) this.#failed({ queue, batch }, error, retriable, atOnce);
  }

  #succeed({ queue, batch }: SentBatch, receipt: BatchReceipt): void {
    if (receipt.duplicate) this.#options.metrics.duplicatesAnswered += 1;
    queue.failures = 0;
    queue.stored(batch);
    // Late: its time had run out and its records were told so.
    if (!batch.settled) this.#options.onSettled(batch, receipt, undefined);
    this.#options.onReleased(batch);
  }

  /** With `atOnce` there is no pause before the next attempt: it goes to another broker. */
  #failed(entry: SentBatch, error: TidemarkError, retriable: boolean, atOnce = false): void {
    const { queue, batch } = entry;
    const { metadata, identity, metrics } = this.#options;
    if (provesMetadataStale(error.error)) metadata.refreshSoon();
    batch.lastError = error;
    const verdict = this.#verdict(entry, error.error, retriable);
    if (verdict === 'stored') {
      this.#succeed(entry, { ...WRITTEN, duplicate: true });
      return;
    }
    if (identity !== undefined && verdict !== 'retry') {
      if (leaveSequence(entry, verdict)) metrics.epochBumps += 1;
    }
    if (verdict === 'split') {
      metrics.batchesSplit += 1;
      queue.replace(batch, this.#options.split(batch));
      this.#options.onReleased(batch);
      this.#options.onGivenBack(queue);
    } else if (verdict === 'fail') {
      queue.discard(batch);
      if (!batch.settled) this.#options.onSettled(batch, undefined, error);
      this.#options.onReleased(batch);
    } else {
      this.#pause(queue, atOnce || this.leadsElsewhere(queue));
      queue.giveBack(batch);
      this.#options.onGivenBack(queue);
    }
  }

  #pause(queue: PartitionQueue, atOnce: boolean): void {
    const { settings, metadata, clock, random } = this.#options;
    if (atOnce) {
      // Failures of the leader before say nothing about this one. It may have yet to hear that it was elected.
      queue.failures = 0;
      queue.pause.end();
      return;
    }
    if (queue.pause.isOvertaken(metadata.learnedAt(queue.topic, queue.partition))) queue.failures = 0;
    queue.failures += 1;
    const pauseMs = backoffMs(settings.retryBackoff, queue.failures, random);
    queue.pause.begin(clock.monotonicMs() + pauseMs, metadata.leadersLearned);
  }

  #verdict({ queue, batch }: SentBatch, error: ErrorName, retriable: boolean): ProduceVerdict {
    const { settings, clock, identity } = this.#options;
    const verdict = judgeProduceError(error, {
      idempotent: identity !== undefined,
      isFirst: queue.isFirstUnsettled(batch),
      recordCount: batch.recordCount,
      retriable,
    });
    if (verdict === 'stored' || verdict === 'fail') return verdict;
    const spent = clock.monotonicMs() - batch.createdAtMs >= settings.deliveryTimeoutMs;
    return batch.settled || spent || batch.attempts > settings.retries ? 'fail' : verdict;
  }
}

/** Also when the batch is given up: those behind it would wait for its sequence for ever. Answers whether the epoch is raised. */
function leaveSequence({ queue, batch }: SentBatch, verdict: ProduceVerdict): boolean {
  if (verdict === 'retry-new-id') return queue.forgetProducerId();
  return verdict === 'fail' ? queue.giveUpSequence(batch) : queue.resetSequence(batch);
}

/** Servers answer in the order asked; a search covers one that does not. */
function resultFor(batch: ProducerBatch, answer: ProduceAnswer, index: number): PartitionAnswer | undefined {
  const isFor = (result: PartitionAnswer | undefined): boolean =>
    result?.topic === batch.topic && result.partition === batch.partition;
  const expected = answer.results[index];
  invariant(batch.attempts > 0, 'an answered batch was sent');
  return isFor(expected) ? expected : answer.results.find(isFor);
}
