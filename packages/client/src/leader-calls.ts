// Calls that only a partition's leader answers: where offsets are, where an epoch ended, deleting what is below an offset. Grouped
// by leader, repeated with back-off while the error may pass (a moved leader, a lost connection), until the time is up. A newer
// leader of one that is still open ends the back-off, and the wait for an answer of the one before, which may be frozen.
import { TidemarkError } from '@tidemark/core';
import type { Clock } from '@tidemark/core';
import { errorFromDetail } from '@tidemark/rpc';
import type { Channel, ErrorDetailOutput } from '@tidemark/rpc';
import { backoffMs } from './backoff.ts';
import type { BackoffRange } from './backoff.ts';
import type { ClusterMetadata } from './cluster-metadata.ts';
import type { Connections } from './connections.ts';
import { checkedPartition } from './partitioner.ts';
import { SLOW_ANSWER_MS } from './produce-connection.ts';
import { provesMetadataStale } from './stale-metadata.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

interface PartitionAnswer extends TopicPartition {
  readonly error: ErrorDetailOutput | null;
}

/** Sends one request for some of the partitions, all led by the broker behind the channel. */
export type LeaderRequest<T, A> = (
  channel: Channel,
  targets: readonly T[],
  timeoutMs: number,
) => Promise<{ readonly results: readonly A[] }>;

export interface LeaderCallsOptions {
  readonly connections: Connections;
  readonly metadata: ClusterMetadata;
  readonly clock: Clock;
  readonly random: () => number;
  readonly requestTimeoutMs: number;
  readonly retryBackoff: BackoffRange;
}

export class LeaderCalls {
  readonly #options: LeaderCallsOptions;

  constructor(options: LeaderCallsOptions) {
    this.#options = options;
  }

  /** What a request says it goes by, so that a leader of another epoch refuses it (KIP-320); -1 when not known. */
  leaderEpoch({ topic, partition }: TopicPartition): number {
    return this.#options.metadata.partition(topic, partition)?.leaderEpoch ?? -1;
  }

  /** The answers in the order of `targets`. Rejects with the first error that does not pass, or when `timeoutMs` is over. */
  async call<T extends TopicPartition, A extends PartitionAnswer>(
    targets: readonly T[],
    request: LeaderRequest<T, A>,
    timeoutMs: number,
  ): Promise<A[]> {
    const { clock, metadata, connections, retryBackoff, random } = this.#options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    const answers = new Map<T, A>();
    let lastError: TidemarkError | undefined;
    for (const target of targets) {
      const info = await metadata.waitForTopic(target.topic, deadlineMs - clock.monotonicMs());
      checkedPartition(info, target.partition);
    }
    for (let failures = 1; ; failures++) {
      const open = targets.filter((target) => !answers.has(target));
      const { leadersLearned } = metadata;
      lastError = (await this.#round(open, request, answers, deadlineMs)) ?? lastError;
      if (answers.size === targets.length) return targets.map((target) => answers.get(target)!);
      const pauseMs = backoffMs(retryBackoff, failures, random);
      if (connections.closed || clock.monotonicMs() + pauseMs >= deadlineMs) {
        const names = targets
          .filter((target) => !answers.has(target))
          .map(({ topic, partition }) => `${topic}-${partition}`);
        const why = lastError === undefined ? 'they have no leader' : lastError.message;
        throw new TidemarkError('REQUEST_TIMED_OUT', `${names.join(', ')}: ${why}`, { cause: lastError });
      }
      await this.#pause(pauseMs, targets, answers, leadersLearned);
    }
  }

  /** Over early once there is a leader to ask that was not known when the round began. */
  #pause<T extends TopicPartition, A>(
    pauseMs: number,
    targets: readonly T[],
    answers: ReadonlyMap<T, A>,
    leadersLearned: number,
  ): Promise<void> {
    const { clock, metadata } = this.#options;
    const hasNews = (): boolean =>
      targets.some(
        (target) =>
          !answers.has(target) && metadata.learnedAt(target.topic, target.partition) > leadersLearned,
      );
    if (hasNews()) return Promise.resolve();
    return new Promise((resolve) => {
      const over = (): void => {
        timer.cancel();
        stop();
        resolve();
      };
      const timer = clock.setTimer(pauseMs, over);
      const stop = metadata.onChange(() => {
        if (hasNews()) over();
      });
    });
  }

  /** One request to each leader, at once. Answers an error that may pass, if there was one. */
  async #round<T extends TopicPartition, A extends PartitionAnswer>(
    targets: readonly T[],
    request: LeaderRequest<T, A>,
    answers: Map<T, A>,
    deadlineMs: number,
  ): Promise<TidemarkError | undefined> {
    const { metadata, connections, clock, requestTimeoutMs } = this.#options;
    const byLeader = new Map<number, { readonly address: string; readonly group: T[] }>();
    for (const target of targets) {
      const leaderId = metadata.partition(target.topic, target.partition)?.leaderId ?? -1;
      const address = leaderId < 0 ? undefined : metadata.address(leaderId);
      if (address === undefined) metadata.refreshSoon();
      else {
        const led = byLeader.get(leaderId) ?? { address, group: [] };
        led.group.push(target);
        byLeader.set(leaderId, led);
      }
    }
    const timeoutMs = Math.max(1, Math.min(requestTimeoutMs, deadlineMs - clock.monotonicMs()));
    let passing: TidemarkError | undefined;
    const settle = (error: TidemarkError): void => {
      if (!error.retriable) throw error;
      if (provesMetadataStale(error.error)) metadata.refreshSoon();
      passing = error;
    };
    await Promise.all(
      [...byLeader].map(async ([leaderId, { address, group }]) => {
        try {
          const asked = request(connections.channel(address), group, timeoutMs);
          const { results } = await this.#whileLed(leaderId, group, asked);
          for (const target of group) {
            const answer = results.find(
              ({ topic, partition }) => topic === target.topic && partition === target.partition,
            );
            const error = errorFromDetail(answer?.error);
            if (error !== undefined) settle(error);
            else if (answer !== undefined) answers.set(target, answer);
          }
        } catch (error) {
          if (!(error instanceof TidemarkError)) throw error;
          settle(error);
        }
      }),
    );
    return passing;
  }

  /** The answer, unless it is late and every partition has another leader by then. */
  #whileLed<A>(leaderId: number, group: readonly TopicPartition[], asked: Promise<A>): Promise<A> {
    const { metadata, clock } = this.#options;
    return new Promise((resolve, reject) => {
      let isLate = false;
      const look = (): void => {
        const isLed = group.some(
          ({ topic, partition }) => metadata.partition(topic, partition)?.leaderId === leaderId,
        );
        if (!isLate || isLed) return;
        stop();
        const text = `broker ${leaderId} did not answer in ${SLOW_ANSWER_MS} ms and leads no more`;
        reject(new TidemarkError('REQUEST_TIMED_OUT', text));
      };
      const late = (): void => {
        isLate = true;
        timer = clock.setTimer(SLOW_ANSWER_MS, late);
        metadata.doubt(leaderId);
        look();
      };
      let timer = clock.setTimer(SLOW_ANSWER_MS, late);
      const stopListening = metadata.onChange(look);
      const stop = (): void => {
        timer.cancel();
        stopListening();
      };
      asked.finally(stop).then(resolve, reject);
    });
  }
}
