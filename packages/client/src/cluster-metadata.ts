// What the client knows of the cluster: brokers, topics, leaders. Refreshed when an answer proved it stale, when it is older
// than metadata.max.age.ms, and when a topic is asked for that is not known. One refresh runs at a time; who asks meanwhile
// gets the next one. While leaders are in doubt a broker is watched, too, and others are asked now and then; one that gave no answer
// is asked last. A partition's leader never goes back to an older leader epoch (KIP-320).
import { TidemarkError } from '@tidemark/core';
import type { Clock, Timer } from '@tidemark/core';
import { clusterService, errorFromDetail } from '@tidemark/rpc';
import type { RequestOf, ResponseOf } from '@tidemark/rpc';
import { backoffMs } from './backoff.ts';
import type { BackoffRange } from './backoff.ts';
import type { Connections } from './connections.ts';
import { MetadataWatch } from './metadata-watch.ts';
import { TrackedTopics } from './tracked-topics.ts';

type MetadataAnswer = ResponseOf<typeof clusterService.GetMetadata>;
type TopicAnswer = MetadataAnswer['topics'][number];

export interface BrokerInfo {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string;
  readonly fenced: boolean;
}

export interface PartitionInfo {
  readonly partition: number;
  /** -1 when there is none. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly inSyncReplicas: readonly number[];
}

export interface TopicInfo {
  readonly name: string;
  readonly id: string;
  /** By partition index, without holes. */
  readonly partitions: readonly PartitionInfo[];
  /** The cluster's own; a pattern does not match it. */
  readonly internal: boolean;
}

export interface MetadataOptions {
  readonly connections: Connections;
  /** `host:port`, tried in turn. */
  readonly bootstrap: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly maxAgeMs: number;
  readonly requestTimeoutMs: number;
  readonly retryBackoff: BackoffRange;
}

/** Which partition an answer is about; `topicId` is empty where it does not say. */
export interface AnsweredPartition {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
}

export interface LeaderHint {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

interface Waiter {
  readonly topic: string;
  readonly resolve: (info: TopicInfo) => void;
  readonly reject: (error: Error) => void;
  readonly timer: Timer;
}

/** A broker that has not answered for so long is waited for no longer before another one is asked, too. */
const ANSWER_MS = 1_500;
/** While leaders are in doubt and one broker is watched, another one is asked so often. */
const WATCHED_POLL_MS = 1_500;
/** How long a broker that gave no answer is asked after all others. */
const DOUBTED_MS = 10_000;

export class ClusterMetadata {
  readonly #options: MetadataOptions;
  readonly #tracked = new TrackedTopics();
  #tracksAll = false;
  /** Settled by the next refresh that begins and succeeds after they asked. */
  #fresh: (() => void)[] = [];
  readonly #topics = new Map<string, TopicInfo>();
  readonly #errors = new Map<string, TidemarkError>();
  readonly #brokers = new Map<number, BrokerInfo>();
  readonly #listeners = new Set<() => void>();
  readonly #waiters = new Set<Waiter>();
  readonly #watch: MetadataWatch;
  /** By topic and partition: `leadersLearned` when its present leader became known. */
  readonly #learnedAt = new Map<string, number[]>();
  #leadersLearned = 0;
  #clusterId = '';
  #controllerId = -1;
  #refreshing = false;
  #wanted = false;
  #failures = 0;
  /** Refreshes in a row that brought no leader although leaders are in doubt. */
  #vain = 0;
  #timer: Timer | undefined;
  #timerDueMs = Infinity;
  #refreshedMs = -Infinity;
  #nextAddress = 0;
  /** By address: until when others are asked first. */
  readonly #doubted = new Map<string, number>();
  #lastError: TidemarkError | undefined;
  #closed = false;

  constructor(options: MetadataOptions) {
    this.#options = options;
    const { connections, clock, random } = options;
    this.#watch = new MetadataWatch({
      connections,
      clock,
      random,
      nextAddress: () => this.anyAddress(),
      addressCount: () => this.#trustedAddresses().length,
      topics: () => this.#tracked.names,
      onMetadata: (metadata, all) => this.#learn(metadata, all),
    });
    this.#tracked.keep(() => [...this.#waiters].map(({ topic }) => topic));
  }

  get clusterId(): string {
    return this.#clusterId;
  }

  get controllerId(): number {
    return this.#controllerId;
  }

  get brokers(): readonly BrokerInfo[] {
    return [...this.#brokers.values()];
  }

  topic(name: string): TopicInfo | undefined {
    return this.#topics.get(name);
  }

  partition(topic: string, partition: number): PartitionInfo | undefined {
    return this.#topics.get(topic)?.partitions[partition];
  }

  /** Grows with each leader that becomes known, of whatever partition. */
  get leadersLearned(): number {
    return this.#leadersLearned;
  }

  /** What `leadersLearned` became when the partition's present leader was learned; 0 when none is known. */
  learnedAt(topic: string, partition: number): number {
    return this.#learnedAt.get(topic)?.[partition] ?? 0;
  }

  /** Where a broker listens; `undefined` when the metadata does not have it. */
  address(brokerId: number): string | undefined {
    const broker = this.#brokers.get(brokerId);
    return broker === undefined ? undefined : `${broker.host}:${broker.port}`;
  }

  /** Every topic the cluster told of. */
  get topics(): Iterable<TopicInfo> {
    return this.#topics.values();
  }

  /**
   * These are part of every refresh from now on, for as long as they are needed; 'all': whatever topics there are. Answers whether that
   * is news.
   */
  track(names: readonly string[] | 'all'): boolean {
    if (names === 'all') {
      const isNews = !this.#tracksAll;
      this.#tracksAll = true;
      return isNews;
    }
    const isNews = this.#tracked.use(names, this.#options.clock.monotonicMs());
    if (isNews) this.#watch.topicsChanged();
    return isNews && !this.#tracksAll;
  }

  /** What `topics` answers is needed, also where it is not used for a while. Answers how to end that. */
  keepTopics(topics: () => Iterable<string>): () => void {
    return this.#tracked.keep(topics);
  }

  /** Something is about to go to the topic. One that was forgotten meanwhile is asked for again. */
  use(topic: string): void {
    if (this.track([topic])) this.#askSoon();
  }

  /**
   * What changes of the topics tracked, or of 'all', is known here as soon as some broker knows it, and not only with the next refresh.
   * Answers how to end that.
   */
  watchTopics(which: 'tracked' | 'all'): () => void {
    return this.#watch.hold(which === 'all');
  }

  /** Rejects when there is no answer in time; what was known before stays. */
  refreshed(timeoutMs: number): Promise<void> {
    if (this.#closed) return Promise.reject(new TidemarkError('NETWORK_EXCEPTION', 'the client is closed'));
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.setTimer(timeoutMs, () => {
        this.#fresh = this.#fresh.filter((each) => each !== settle);
        const cause = this.#lastError;
        const why = cause === undefined ? '' : `: ${cause.message}`;
        reject(new TidemarkError('REQUEST_TIMED_OUT', `no metadata in ${timeoutMs} ms${why}`, { cause }));
      });
      const settle = (): void => {
        timer.cancel();
        resolve();
      };
      this.#fresh.push(settle);
      // No leader is in doubt: nobody needs to be watched for it.
      this.#askSoon();
    });
  }

  /** The topic's partitions, now or as soon as a broker tells them. REQUEST_TIMED_OUT or UNKNOWN_TOPIC_OR_PARTITION after `timeoutMs`. */
  waitForTopic(name: string, timeoutMs: number): Promise<TopicInfo> {
    const known = this.#topics.get(name);
    if (known !== undefined) {
      if (this.#tracked.has(name)) this.track([name]);
      return Promise.resolve(known);
    }
    if (this.#closed) return Promise.reject(new TidemarkError('NETWORK_EXCEPTION', 'the client is closed'));
    this.track([name]);
    return new Promise((resolve, reject) => {
      const timer = this.#options.clock.setTimer(timeoutMs, () => {
        this.#waiters.delete(waiter);
        reject(this.#waitError(name, timeoutMs));
      });
      const waiter: Waiter = { topic: name, resolve, reject, timer };
      this.#waiters.add(waiter);
      this.#askSoon();
    });
  }

  /** What an answer told about a partition's leader. True when it is newer than what is known, and the leader too is known. */
  learnLeader(
    { topic, topicId, partition }: AnsweredPartition,
    { leaderId, leaderEpoch }: LeaderHint,
  ): boolean {
    const info = this.#topics.get(topic);
    const known = info?.partitions[partition];
    if (info === undefined || known === undefined || leaderEpoch <= known.leaderEpoch) return false;
    // Epochs of one that was deleted say nothing about another of its name: a higher one would shut out all that is told of this one.
    if (topicId !== '' && topicId !== info.id) return false;
    const partitions = [...info.partitions];
    partitions[partition] = { ...known, leaderId, leaderEpoch };
    this.#topics.set(topic, { ...info, partitions });
    this.#noteLeader(topic, partition, leaderId);
    this.#notify();
    return this.#brokers.has(leaderId);
  }

  /** A leader is missing, or turned out to be none. Returns at once; listeners hear when there is news. */
  refreshSoon(): void {
    if (this.#closed) return;
    this.#watch.keep();
    this.#askSoon();
  }

  #askSoon(): void {
    if (this.#refreshing) {
      this.#wanted = true;
      return;
    }
    // While the last attempts failed their back-off is kept: the timer is already set.
    if (this.#failures > 0 && this.#timer !== undefined) return;
    const { clock, retryBackoff } = this.#options;
    // A partition without a leader is still without one right after an answer that said so; and what changes, a watch tells.
    const { isLive, isWanted } = this.#watch;
    const leastMs = isLive && isWanted ? WATCHED_POLL_MS : retryBackoff.firstMs;
    const waitMs = this.#refreshedMs + leastMs - clock.monotonicMs();
    if (waitMs > 0) this.#refreshIn(waitMs);
    else void this.#refresh();
  }

  /** The broker gives no answer: others are asked who leads, and whether anything has changed. */
  doubt(brokerId: number): void {
    const address = this.address(brokerId);
    if (address !== undefined) {
      this.#doubted.set(address, this.#options.clock.monotonicMs() + DOUBTED_MS);
      if (!this.#closed && this.#trustedAddresses().length > 0) this.#watch.leave(address);
    }
    this.refreshSoon();
  }

  /** Called after every refresh that succeeded and every leader learned. Returns how to stop listening. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Some broker, for calls that any broker answers: another one with each call, and none that gives no answer if others are left. */
  anyAddress(): string {
    const trusted = this.#trustedAddresses();
    const addresses = trusted.length > 0 ? trusted : this.#addresses();
    return addresses[this.#nextAddress++ % addresses.length]!;
  }

  close(): void {
    this.#closed = true;
    this.#watch.close();
    this.#timer?.cancel();
    for (const waiter of this.#waiters) {
      waiter.timer.cancel();
      waiter.reject(new TidemarkError('NETWORK_EXCEPTION', 'the client was closed'));
    }
    this.#waiters.clear();
    this.#listeners.clear();
    for (const settle of this.#fresh.splice(0)) settle();
  }

  #addresses(): string[] {
    const known = [...this.#brokers.values()].filter((broker) => !broker.fenced);
    return [
      ...new Set([...known.map((broker) => `${broker.host}:${broker.port}`), ...this.#options.bootstrap]),
    ];
  }

  #trustedAddresses(): string[] {
    const nowMs = this.#options.clock.monotonicMs();
    return this.#addresses().filter((address) => (this.#doubted.get(address) ?? -Infinity) <= nowMs);
  }

  /** One attempt: every address once, until one answers. It never rejects. */
  async #refresh(): Promise<void> {
    const { clock, maxAgeMs, retryBackoff, random } = this.#options;
    this.#refreshing = true;
    this.#wanted = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    const all = this.#tracksAll;
    for (const name of this.#tracked.sweep(clock.monotonicMs())) this.#forget(name, all);
    const request = all ? { allTopics: true } : { topics: this.#tracked.names.map((name) => ({ name })) };
    const asked = this.#fresh.splice(0);
    const answer = await this.#ask(request);
    this.#refreshing = false;
    if (this.#isClosed()) return;
    const before = this.#leadersLearned;
    if (answer !== undefined) this.#learn(answer, all);
    if (answer === undefined) this.#fresh.push(...asked);
    else for (const settle of asked) settle();
    this.#refreshedMs = clock.monotonicMs();
    const settled = answer !== undefined && this.#waiters.size === 0 && this.#fresh.length === 0;
    this.#failures = settled ? 0 : this.#failures + 1;
    // Leaders are in doubt. Who watches is told when that is over, unless the broker that is watched does not hear of it either.
    const inVain = this.#watch.isWanted && this.#leadersLearned === before;
    this.#vain = inVain ? this.#vain + 1 : 0;
    // Asked for while this one was under way, which may have been answered from before the change.
    const soon = !settled || (inVain && !this.#watch.isLive) || this.#wantsMore();
    const attempts = Math.max(this.#failures, this.#vain);
    const nextMs = soon ? backoffMs(retryBackoff, attempts, random) : inVain ? WATCHED_POLL_MS : maxAgeMs;
    this.#refreshIn(nextMs);
  }

  /** One address after another until one answers. One that is late goes on being waited for, while the next is asked, too. */
  #ask(request: RequestOf<typeof clusterService.GetMetadata>): Promise<MetadataAnswer | undefined> {
    const { connections, clock, requestTimeoutMs } = this.#options;
    const trusted = this.#trustedAddresses();
    const first = this.#nextAddress++ % Math.max(1, trusted.length);
    const doubted = this.#addresses().filter((address) => !trusted.includes(address));
    const addresses = [...trusted.slice(first), ...trusted.slice(0, first), ...doubted];
    const rest = new AbortController();
    return new Promise((resolve) => {
      let open = 0;
      let late: Timer | undefined;
      const done = (answer: MetadataAnswer | undefined): void => {
        late?.cancel();
        resolve(answer);
        rest.abort();
      };
      const next = (): void => {
        late?.cancel();
        if (rest.signal.aborted) return;
        const address = this.#closed ? undefined : addresses.shift();
        if (address === undefined) {
          if (open === 0) done(undefined);
          return;
        }
        open += 1;
        if (addresses.length > 0) late = clock.setTimer(ANSWER_MS, next);
        connections
          .channel(address)
          .unary(clusterService.GetMetadata, request, { timeoutMs: requestTimeoutMs, signal: rest.signal })
          .then(done, (error: unknown) => {
            open -= 1;
            // Kept for whoever runs out of time; the next address is tried.
            if (!rest.signal.aborted) {
              this.#lastError =
                error instanceof TidemarkError ? error : new TidemarkError('UNKNOWN_SERVER_ERROR');
            }
            next();
          });
      };
      next();
    });
  }

  #refreshIn(delayMs: number): void {
    const dueMs = this.#options.clock.monotonicMs() + delayMs;
    if (this.#timer !== undefined && this.#timerDueMs <= dueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#options.clock.setTimer(Math.ceil(delayMs), () => void this.#refresh());
  }

  #wantsMore(): boolean {
    return this.#wanted;
  }

  /** A method, so that the compiler does not take the value from before an `await`. */
  #isClosed(): boolean {
    return this.#closed;
  }

  #learn(answer: MetadataAnswer, all: boolean): void {
    this.#clusterId = answer.clusterId;
    this.#controllerId = answer.controllerId;
    this.#brokers.clear();
    for (const broker of answer.brokers) this.#brokers.set(broker.id, broker);
    for (const topic of answer.topics) {
      // Somebody is told of a topic that was forgotten while the answer was under way: nobody would hear of its next leader.
      if (all || this.#tracked.has(topic.name)) this.#learnTopic(topic);
    }
    if (all) this.#forgetOthers(answer);
    this.#settleWaiters();
    this.#notify();
  }

  /** Nobody needs it. Where all are asked for it stays known. */
  #forget(name: string, all: boolean): void {
    this.#errors.delete(name);
    if (all) return;
    this.#topics.delete(name);
    this.#learnedAt.delete(name);
  }

  /** The answer has every topic there is. */
  #forgetOthers(answer: MetadataAnswer): void {
    const there = new Set(answer.topics.map(({ name }) => name));
    for (const name of this.#topics.keys()) {
      if (there.has(name)) continue;
      this.#topics.delete(name);
      this.#learnedAt.delete(name);
    }
    for (const { topic } of this.#waiters) {
      if (!there.has(topic)) this.#errors.set(topic, new TidemarkError('UNKNOWN_TOPIC_OR_PARTITION'));
    }
  }

  #learnTopic(topic: TopicAnswer): void {
    const error = errorFromDetail(topic.error);
    if (error !== undefined) {
      this.#errors.set(topic.name, error);
      if (error.error === 'UNKNOWN_TOPIC_OR_PARTITION' || error.error === 'UNKNOWN_TOPIC_ID') {
        this.#topics.delete(topic.name);
        this.#learnedAt.delete(topic.name);
      }
      return;
    }
    this.#errors.delete(topic.name);
    const known = this.#topics.get(topic.name);
    // Partitions are only ever added: a broker that tells of fewer is behind.
    const partitions = known?.id === topic.topicId ? [...known.partitions] : [];
    for (const heard of topic.partitions) {
      const before = known?.id === topic.topicId ? known.partitions[heard.partition] : undefined;
      const isOld = before !== undefined && before.leaderEpoch > heard.leaderEpoch;
      partitions[heard.partition] = isOld ? before : heard;
      if (before === undefined || before.leaderEpoch < heard.leaderEpoch) {
        this.#noteLeader(topic.name, heard.partition, heard.leaderId);
      }
    }
    const { name, topicId: id, internal } = topic;
    this.#topics.set(name, { name, id, internal, partitions });
  }

  #noteLeader(topic: string, partition: number, leaderId: number): void {
    if (leaderId < 0) return;
    const learnedAt = this.#learnedAt.get(topic) ?? [];
    this.#leadersLearned += 1;
    learnedAt[partition] = this.#leadersLearned;
    this.#learnedAt.set(topic, learnedAt);
  }

  #settleWaiters(): void {
    for (const waiter of this.#waiters) {
      const info = this.#topics.get(waiter.topic);
      const error = this.#errors.get(waiter.topic);
      if (info === undefined && (error === undefined || error.retriable)) continue;
      this.#waiters.delete(waiter);
      waiter.timer.cancel();
      if (info !== undefined) waiter.resolve(info);
      else waiter.reject(error!);
    }
  }

  #waitError(name: string, timeoutMs: number): TidemarkError {
    const error = this.#errors.get(name);
    if (error?.error === 'UNKNOWN_TOPIC_OR_PARTITION') {
      const text = `topic "${name}" does not exist (waited ${timeoutMs} ms); create it with: tidemark topic create ${name}`;
      return new TidemarkError('UNKNOWN_TOPIC_OR_PARTITION', text, { cause: error });
    }
    const cause = error ?? this.#lastError;
    const asked = this.#addresses().join(', ');
    const text = `no metadata for topic "${name}" in ${timeoutMs} ms from ${asked}${cause === undefined ? '' : `: ${cause.message}`}`;
    return new TidemarkError('REQUEST_TIMED_OUT', text, { cause });
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
