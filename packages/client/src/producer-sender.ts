// Drains the partition queues into requests, one stream per leader; what comes back goes to `BatchOutcomes`. Driven by events alone: a batch
// became ready, an answer came, metadata changed, a pause ended. Each sets `wake`, and one pass then sends all that may be sent.
// A newer leader, learned from whatever source, ends the back-off of its partition, and of the broker that now leads.
import { TidemarkError } from '@tidemark/core';
import type { Timer } from '@tidemark/core';
import { encodeProduceStreamRequest } from '@tidemark/rpc';
import type { ProduceEntry } from '@tidemark/rpc';
import type { Codecs } from '@tidemark/record';
import { backoffMs } from './backoff.ts';
import { BatchOutcomes } from './batch-outcomes.ts';
import type { BatchOutcomesOptions, SentBatches } from './batch-outcomes.ts';
import type { Connections } from './connections.ts';
import { LeaderPause } from './leader-pause.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { EarliestTimer } from './earliest-timer.ts';
import { ProduceConnection } from './produce-connection.ts';
import type { ProduceAnswer } from './produce-connection.ts';
import type { ProducerBatch } from './producer-batch.ts';

export interface SenderOptions extends Omit<BatchOutcomesOptions, 'onGivenBack'> {
  readonly codecs: Codecs;
  readonly connections: Connections;
}

interface Broker {
  readonly id: number;
  readonly address: string;
  readonly connection: ProduceConnection<readonly SentBatches[]>;
  /** It asked for quiet. */
  throttledUntilMs: number;
  /** After its connection broke. */
  readonly pause: LeaderPause;
  failures: number;
  /** On the monotonic clock, since when it takes nothing of what is there for it; undefined: it does. */
  stuckSinceMs: number | undefined;
  /** When that last showed. */
  stuckAtMs: number;
  /** What it takes in a request, as far as is known: `max.request.size`, or less once it has refused one. */
  maxRequestBytes: number;
  /** Runs while it has batches in flight of a partition that has another leader. */
  deposedTimer: Timer | undefined;
}

/**
 * How long a broker that is known not to lead any more may take to answer for what it has of a partition. One that is alive says
 * so as soon as it hears of the election; one that is frozen or cut off would keep the batches until request.timeout.ms.
 */
const DEPOSED_ANSWER_MS = 500;
/** The same for one whose answer was late before another leader was known. */
const SLOW_DEPOSED_ANSWER_MS = 100;

/** Bytes of a request around the batches of one partition, names apart; generous. */
const ENTRY_OVERHEAD_BYTES = 96;

export class ProducerSender {
  readonly #options: SenderOptions;
  readonly #outcomes: BatchOutcomes;
  readonly #ready = new Set<PartitionQueue>();
  readonly #brokers = new Map<number, Broker>();
  #nextCorrelationId = 1;
  #scheduled = false;
  readonly #timer: EarliestTimer;
  #closed = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#outcomes = new BatchOutcomes({ ...options, onGivenBack: (queue) => this.markReady(queue) });
    this.#timer = new EarliestTimer(options.clock, () => this.wake());
  }

  /** The queue has a batch to send. */
  markReady(queue: PartitionQueue): void {
    this.#ready.add(queue);
    this.wake();
  }

  /** Something changed that may let a batch go. Coalesced into one pass after the present task. */
  wake(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#drain();
    });
  }

  /**
   * It has taken nothing for partitioner.availability.timeout.ms although there was something for it (KIP-794). Where nothing is left
   * for it, that is believed for as long again, and then it gets a chance.
   */
  isUnavailable(brokerId: number): boolean {
    const { settings, clock } = this.#options;
    const { availabilityTimeoutMs } = settings;
    const broker = this.#brokers.get(brokerId);
    if (availabilityTimeoutMs === 0 || broker?.stuckSinceMs === undefined) return false;
    const now = clock.monotonicMs();
    // While something is left for it, it is tried at least this often.
    const triedMs = 2 * Math.max(settings.reconnectBackoff.maxMs, settings.retryBackoff.maxMs);
    const believedMs = Math.max(availabilityTimeoutMs, triedMs);
    return now - broker.stuckSinceMs >= availabilityTimeoutMs && now - broker.stuckAtMs <= believedMs;
  }

  /** Leaders may have changed. */
  leadersChanged(): void {
    for (const broker of this.#brokers.values()) this.#watchDeposed(broker);
    this.wake();
  }

  /** Resolves once what was written without an answer has arrived, or its connection is gone. */
  async finish(): Promise<void> {
    if (this.#options.settings.acks !== 0) return;
    await Promise.all([...this.#brokers.values()].map(({ connection }) => connection.finish()));
  }

  /** What is in flight is not told about any more. */
  close(): void {
    this.#closed = true;
    this.#timer.cancel();
    for (const broker of this.#brokers.values()) {
      broker.deposedTimer?.cancel();
      broker.connection.close();
    }
    this.#brokers.clear();
  }

  #drain(): void {
    const { settings, clock, identity, metadata } = this.#options;
    if (this.#ready.size === 0) return;
    const id = identity?.current();
    // `wake` follows as soon as there is one.
    if (identity !== undefined && id === undefined) return;
    const now = clock.monotonicMs();
    let progress = true;
    while (progress) {
      progress = false;
      const requests = new Map<Broker, { sent: SentBatches[]; entries: ProduceEntry[]; bytes: number }>();
      for (const queue of [...this.#ready]) {
        const topicId = metadata.topic(queue.topic)?.id;
        if (topicId !== undefined) queue.goesTo(topicId);
        const batch = queue.next;
        if (batch === undefined) {
          if (queue.waiting === 0) this.#ready.delete(queue);
          continue;
        }
        const broker = this.#route(queue, now);
        if (broker === undefined || queue.inFlight >= settings.maxInFlight) continue;
        if (id !== undefined && queue.refuses(id.producerId)) {
          identity?.replace(id);
          this.wake();
          continue;
        }
        let request = requests.get(broker);
        if (request === undefined) requests.set(broker, (request = { sent: [], entries: [], bytes: 0 }));
        const size = batch.builder.sizeBytes + ENTRY_OVERHEAD_BYTES + queue.topic.length;
        if (request.bytes > 0 && request.bytes + size > broker.maxRequestBytes) {
          // What did not fit goes with the next request, ahead of those that did.
          progress = true;
          continue;
        }
        const batches = this.#take(queue, id, broker.maxRequestBytes - request.bytes);
        for (const taken of batches) request.bytes += taken.bytes.length;
        request.bytes += ENTRY_OVERHEAD_BYTES + queue.topic.length;
        request.entries.push(this.#entry(queue, batches, broker));
        request.sent.push({ queue, batches });
        // The others first, next time.
        this.#ready.delete(queue);
        if (queue.waiting > 0) this.#ready.add(queue);
      }
      for (const [broker, { sent, entries }] of requests) {
        if (sent.length === 0) continue;
        this.#send(broker, sent, entries);
        progress = true;
      }
    }
  }

  /** The broker to send to, or undefined while it is not known, has no room, or the queue pauses. */
  #route(queue: PartitionQueue, now: number): Broker | undefined {
    const { metadata } = this.#options;
    const learnedAt = metadata.learnedAt(queue.topic, queue.partition);
    const pausedUntilMs = queue.pause.endsAt(now, learnedAt);
    if (pausedUntilMs !== undefined) {
      this.#timer.wakeAt(pausedUntilMs, now);
      return undefined;
    }
    const leaderId = metadata.partition(queue.topic, queue.partition)?.leaderId ?? -1;
    const address = leaderId < 0 ? undefined : metadata.address(leaderId);
    if (address === undefined) {
      metadata.refreshSoon();
      return undefined;
    }
    // The old leader's answers come first: else a batch it still appends could land behind a later one.
    if (queue.inFlight > 0 && queue.leaderId !== leaderId) return undefined;
    const broker = this.#broker(leaderId, address);
    if (broker.pause.isOvertaken(learnedAt)) broker.failures = 0;
    const notBeforeMs = Math.max(broker.pause.endsAt(now, learnedAt) ?? 0, broker.throttledUntilMs);
    if (notBeforeMs <= now && broker.connection.hasRoom) return broker;
    if (notBeforeMs > now) this.#timer.wakeAt(notBeforeMs, now);
    stuck(broker, now);
    return undefined;
  }

  #broker(id: number, address: string): Broker {
    const known = this.#brokers.get(id);
    if (known?.address === address) return known;
    if (known !== undefined && known.connection.inFlight > 0) return known;
    known?.connection.close();
    const { settings, clock, connections } = this.#options;
    const broker: Broker = {
      id,
      address,
      throttledUntilMs: 0,
      pause: new LeaderPause(),
      failures: 0,
      stuckSinceMs: undefined,
      stuckAtMs: 0,
      maxRequestBytes: settings.maxRequestBytes,
      deposedTimer: undefined,
      connection: new ProduceConnection({
        channel: connections.channel(address),
        clock,
        requestTimeoutMs: settings.requestTimeoutMs,
        window: settings.maxInFlight,
        onAnswer: (sent, answer) => this.#answered(broker, sent, answer),
        onBroken: (requests, error) => this.#broken(broker, requests, error),
        onSlow: () => this.#options.metadata.doubt(id),
      }),
    };
    this.#brokers.set(id, broker);
    return broker;
  }

  /**
   * The next batch, and those behind it that may go along: what waits is appended, copied to followers and synced at once. One that
   * was sent before goes alone, because a leader that has it already answers for it and nothing behind it.
   */
  #take(
    queue: PartitionQueue,
    id: { readonly producerId: number; readonly producerEpoch: number } | undefined,
    roomBytes: number,
  ): readonly ProducerBatch[] {
    const { settings, codecs, metrics } = this.#options;
    const taken: ProducerBatch[] = [];
    let bytes = 0;
    for (;;) {
      const { batch, identity } = queue.take(id);
      batch.seal(identity, { compression: settings.compression, codecs });
      metrics.batchesSent += 1;
      if (batch.attempts > 1) metrics.batchesRetried += 1;
      taken.push(batch);
      bytes += batch.bytes.length;
      const { next } = queue;
      if (next === undefined || batch.attempts > 1 || next.attempts > 0 || settings.retries === 0) break;
      if (queue.inFlight >= settings.maxInFlight || bytes + next.builder.sizeBytes > roomBytes) break;
    }
    return taken;
  }

  #entry(queue: PartitionQueue, batches: readonly ProducerBatch[], broker: Broker): ProduceEntry {
    const { metadata } = this.#options;
    queue.leaderId = broker.id;
    return {
      topic: queue.topic,
      topicId: metadata.topic(queue.topic)?.id ?? '',
      partition: queue.partition,
      currentLeaderEpoch: metadata.partition(queue.topic, queue.partition)?.leaderEpoch ?? -1,
      batches: batches.map(({ bytes }) => bytes),
    };
  }

  #send(broker: Broker, sent: readonly SentBatches[], entries: readonly ProduceEntry[]): void {
    const { settings, metrics } = this.#options;
    const correlationId = this.#nextCorrelationId++;
    for (const { batches } of sent) for (const batch of batches) batch.uncopied += 1;
    const message = encodeProduceStreamRequest(
      correlationId,
      settings.acks,
      settings.requestTimeoutMs,
      entries,
      () => {
        for (const { batches } of sent) for (const batch of batches) batch.uncopied -= 1;
      },
      traceParentOf(sent),
    );
    metrics.requestsSent += 1;
    metrics.requestsInFlight += 1;
    metrics.bytesSent += message.length;
    broker.connection.send(correlationId, message, sent, settings.acks !== 0);
  }

  #answered(broker: Broker, sent: readonly SentBatches[], answer: ProduceAnswer | undefined): void {
    const { metrics, clock } = this.#options;
    metrics.requestsInFlight -= 1;
    broker.failures = 0;
    broker.stuckSinceMs = undefined;
    if (answer !== undefined && answer.throttleMs > 0) {
      broker.throttledUntilMs = clock.monotonicMs() + answer.throttleMs;
    }
    this.#outcomes.answered(sent, answer);
    this.wake();
  }

  /**
   * A broker that leads a partition no more must answer soon for what it has of it. Only with idempotence: what the old leader still
   * appended the new one has, or cuts, and it knows the sequences either way; and a request names its leader epoch, so that the
   * old leader refuses one that reaches it late.
   */
  #watchDeposed(broker: Broker): void {
    const { clock, identity } = this.#options;
    if (identity === undefined || broker.deposedTimer !== undefined) return;
    const isForeign = (sent: readonly SentBatches[]): boolean =>
      sent.some(({ queue }) => this.#outcomes.leadsElsewhere(queue));
    const foreign = [...broker.connection.requests].filter(isForeign);
    if (foreign.length === 0) return;
    const graceMs = broker.connection.isSlow ? SLOW_DEPOSED_ANSWER_MS : DEPOSED_ANSWER_MS;
    broker.deposedTimer = clock.setTimer(graceMs, () => {
      broker.deposedTimer = undefined;
      const left = new Set(broker.connection.requests);
      if (foreign.some((sent) => left.has(sent))) {
        const text = `${broker.address} did not answer for a partition that it leads no more in ${graceMs} ms`;
        broker.connection.giveUp(new TidemarkError('REQUEST_TIMED_OUT', text));
      }
      this.#watchDeposed(broker);
    });
  }

  #broken(broker: Broker, requests: readonly (readonly SentBatches[])[], error: TidemarkError): void {
    const { metrics, clock, settings, random, metadata } = this.#options;
    metrics.connectionsLost += 1;
    metrics.requestsInFlight -= requests.length;
    broker.failures += 1;
    stuck(broker, clock.monotonicMs());
    const pauseMs = backoffMs(settings.reconnectBackoff, broker.failures, random);
    broker.pause.begin(clock.monotonicMs() + pauseMs, metadata.leadersLearned);
    metadata.doubt(broker.id);
    const refused = error.error === 'MESSAGE_TOO_LARGE' ? largestOf(requests) : undefined;
    if (refused !== undefined) {
      broker.maxRequestBytes = Math.min(broker.maxRequestBytes, Math.floor(bytesOf(refused) / 2));
    }
    const unknown = new TidemarkError('NETWORK_EXCEPTION', error.detail, { cause: error });
    for (const sent of requests) {
      // The largest was refused, for sure; it is too large itself if it is a single batch. The others may be stored.
      const isIt = sent === refused && sent.length === 1 && sent[0]!.batches.length === 1;
      this.#outcomes.lost(sent, refused === undefined || isIt ? error : unknown);
    }
    this.wake();
  }
}

function bytesOf(sent: readonly SentBatches[]): number {
  let bytes = 0;
  for (const { batches } of sent) for (const batch of batches) bytes += batch.bytes.length;
  return bytes;
}

function largestOf(requests: readonly (readonly SentBatches[])[]): readonly SentBatches[] | undefined {
  const [largest] = [...requests].sort((a, b) => bytesOf(b) - bytesOf(a));
  return largest;
}

function stuck(broker: Broker, nowMs: number): void {
  broker.stuckSinceMs ??= nowMs;
  broker.stuckAtMs = nowMs;
}

/** A request is one span at the broker: in the trace of the first record that has one. */
function traceParentOf(sent: readonly SentBatches[]): string {
  for (const { batches } of sent)
    for (const { traceParent } of batches) if (traceParent !== '') return traceParent;
  return '';
}
