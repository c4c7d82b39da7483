// Which topics a member wants, by name or by pattern, and, if it leads, how many partitions the topics of the whole group have. Both are
// looked at whenever the metadata changes; what the present assignment was not made for is reported, and the member joins again.
//
// The leader watches: it hears of a change when a broker does. The others need not, because when it has them join again they look anew.
import type { Clock, Timer } from '@tidemark/core';
import type { TopicInfo } from '../cluster-metadata.ts';
import { topicPattern, topicsLike } from '../topic-pattern.ts';

/** What is asked of the cluster's metadata. */
export interface TopicDirectory {
  readonly topics: Iterable<Pick<TopicInfo, 'name' | 'internal' | 'partitions'>>;
  topic(name: string): Pick<TopicInfo, 'partitions'> | undefined;
  track(names: readonly string[] | 'all'): boolean;
  keepTopics(topics: () => Iterable<string>): () => void;
  refreshed(timeoutMs: number): Promise<void>;
  onChange(listener: () => void): () => void;
  watchTopics(which: 'tracked' | 'all'): () => void;
}

/** A change is left to settle so long: who creates many topics makes one rebalance, or a few. */
const SETTLE_MS = 1_000;

export interface SubscriptionOptions {
  readonly wanted: readonly string[] | RegExp;
  readonly directory: TopicDirectory;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The group has to rebalance: why. */
  readonly onChange: (reason: string) => void;
}

export class Subscription {
  readonly #options: SubscriptionOptions;
  readonly #pattern: RegExp | undefined;
  /** As it was told to the coordinator; undefined: it was not yet. */
  #told: readonly string[] | undefined;
  /** What the assignment was made for; undefined: somebody else leads. */
  #assignedFor: ReadonlyMap<string, number> | undefined;
  #watched: readonly string[] = [];
  readonly #stops: readonly (() => void)[];
  #stopWatching: (() => void) | undefined;
  #settling: Timer | undefined;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    const { wanted, directory } = options;
    this.#pattern = topicPattern(wanted);
    directory.track(wanted instanceof RegExp ? 'all' : wanted);
    this.#stops = [
      directory.onChange(() => this.#look()),
      directory.keepTopics(() => (wanted instanceof RegExp ? this.#watched : [...wanted, ...this.#watched])),
    ];
  }

  /** In order. */
  topics(): readonly string[] {
    const { wanted, directory } = this.#options;
    if (!(wanted instanceof RegExp)) return [...new Set(wanted)].sort();
    return topicsLike(this.#pattern!, directory.topics)
      .map(({ name }) => name)
      .sort();
  }

  /** A pattern needs to know what there is, at every join: the leader may have heard of a topic first. Rejects when no broker tells. */
  async ready(): Promise<void> {
    const { directory, timeoutMs } = this.#options;
    if (this.#pattern !== undefined) await directory.refreshed(timeoutMs);
  }

  /** These topics are told to the coordinator. */
  tell(): readonly string[] {
    this.#told = this.topics();
    this.#assignedFor = undefined;
    this.#settling?.cancel();
    this.#settling = undefined;
    return this.#told;
  }

  /**
   * This member leads: how many partitions the topics of the group have, as fresh as can be had. One that does not exist is left out.
   * `standing`: how many of each somebody has, where the assignment is not made anew; what differs is a change.
   */
  async lead(
    topics: readonly string[],
    standing?: ReadonlyMap<string, number>,
  ): Promise<ReadonlyMap<string, number>> {
    const { directory, timeoutMs } = this.#options;
    directory.track(topics);
    await directory.refreshed(timeoutMs);
    this.#watched = topics;
    const counts = this.#counts();
    this.#assignedFor = standing ?? counts;
    this.#stopWatching ??= directory.watchTopics(this.#pattern === undefined ? 'tracked' : 'all');
    this.#look();
    return counts;
  }

  /** Somebody else leads, and watches. */
  follow(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.follow();
    this.#settling?.cancel();
  }

  #counts(): ReadonlyMap<string, number> {
    const { directory } = this.#options;
    const counts = new Map<string, number>();
    for (const name of this.#watched) {
      const topic = directory.topic(name);
      if (topic !== undefined) counts.set(name, topic.partitions.length);
    }
    return counts;
  }

  #look(): void {
    if (this.#settling !== undefined || this.#change() === undefined) return;
    this.#settling = this.#options.clock.setTimer(SETTLE_MS, () => {
      this.#settling = undefined;
      const change = this.#change();
      if (change !== undefined) this.#options.onChange(change);
    });
  }

  /** What the present assignment was not made for. */
  #change(): string | undefined {
    return this.#otherMatches() ?? this.#otherCounts();
  }

  #otherMatches(): string | undefined {
    const told = this.#told;
    if (this.#pattern === undefined || told === undefined) return undefined;
    const now = this.topics();
    const come = now.filter((name) => !told.includes(name)).map((name) => `+${name}`);
    const gone = told.filter((name) => !now.includes(name)).map((name) => `-${name}`);
    if (come.length + gone.length === 0) return undefined;
    return `the pattern matches other topics: ${[...come, ...gone].join(' ')}`;
  }

  #otherCounts(): string | undefined {
    const before = this.#assignedFor;
    if (before === undefined) return undefined;
    const after = this.#counts();
    const changed = this.#watched.filter((name) => before.get(name) !== after.get(name));
    if (changed.length === 0) return undefined;
    const count = (counts: ReadonlyMap<string, number>, name: string): string =>
      String(counts.get(name) ?? 'no');
    return changed
      .map((name) => `${name} has ${count(after, name)} partitions, had ${count(before, name)}`)
      .join('; ');
  }
}
