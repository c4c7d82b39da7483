// A consumer as a member of its group: which of its partitions come from the group, what of them is committed and when, and what the
// application is told. The membership says when; this is what is done then.
//
// Contract: nothing of a partition is handed out from the moment it is to be revoked; nothing of it is committed after `onRevoked`. What
// is committed without the application's word is what it has come back from.
import { TidemarkError } from '@tidemark/core';
import type { ConsumerSettings, GroupSettings } from '../consumer-settings.ts';
import { ConsumerPartition } from '../consumer-partition.ts';
import type { Wiring } from '../client-settings.ts';
import type { Fetcher } from '../fetcher.ts';
import type { TopicPartition } from '../leader-calls.ts';
import { unlessAborted } from '../pause.ts';
import { nameOf } from './assignment.ts';
import { AutoCommit } from './auto-commit.ts';
import { CommittedOffsets } from './committed-offsets.ts';
import type { CommittedOffset } from './committed-offsets.ts';
import { CoordinatorCalls, transportOf } from './coordinator-calls.ts';
import type { GroupTransport } from './coordinator-calls.ts';
import type { GroupEvent, GroupEventListener } from './group-events.ts';
import { HandOuts } from './hand-outs.ts';
import { NOBODY } from './member-identity.ts';
import type { MemberIdentity } from './member-identity.ts';
import { Membership } from './membership.ts';
import type { PartitionHolder } from './membership.ts';
import { OffsetCommits } from './offset-commits.ts';
import type { CommitOptions, Committer, OffsetToCommit } from './offset-commits.ts';
import { PollInterval } from './poll-interval.ts';
import { callBack } from './rebalance-listener.ts';
import type { RebalanceCallback, RebalanceListener } from './rebalance-listener.ts';
import { Subscription } from './subscription.ts';

/** What is left of a batch that is read record by record. */
export interface PartitionReader {
  /** Offset of the next record the application gets; -1: not known. */
  position(partition: ConsumerPartition): number;
  putBack(partition: ConsumerPartition): void;
}

export interface ConsumerGroupOptions {
  readonly settings: ConsumerSettings & { readonly group: GroupSettings };
  readonly wiring: Wiring;
  readonly fetcher: Fetcher;
  readonly reader: PartitionReader;
  readonly transport?: GroupTransport | undefined;
  readonly onEvent: GroupEventListener;
  /** What went wrong while nobody waited for it. */
  readonly onError: (error: unknown) => void;
  /** There is something to hand out, or to throw. */
  readonly onNews: () => void;
}

export class ConsumerGroup implements PartitionHolder, Committer {
  readonly handOuts = new HandOuts();
  readonly #options: ConsumerGroupOptions;
  readonly #settings: GroupSettings;
  readonly #calls: CoordinatorCalls;
  readonly #commits: OffsetCommits;
  readonly #committed: CommittedOffsets;
  readonly #pollInterval: PollInterval;
  readonly #closing = new AbortController();
  readonly #stopListening: () => void;
  #autoCommit: AutoCommit | undefined;
  #membership: Membership | undefined;
  #listener: RebalanceListener = {};
  /** Thrown by the next call that hands out records: the first for ever, the others once. */
  #failure: TidemarkError | undefined;
  #thrown: unknown[] = [];

  constructor(options: ConsumerGroupOptions) {
    this.#options = options;
    this.#settings = options.settings.group;
    const { clock, random } = options.wiring;
    const { groupId, requestTimeoutMs, retryBackoff } = this.#settings;
    this.#calls = new CoordinatorCalls({
      groupId,
      transport: options.transport ?? transportOf(options.wiring),
      clock,
      random,
      requestTimeoutMs,
      retryBackoff,
      onTrouble: (error) => this.#tell({ type: 'retrying', error }),
      onFound: (coordinator) => this.#tell({ type: 'coordinator-found', ...coordinator }),
    });
    this.#commits = new OffsetCommits({
      settings: this.#settings,
      clock,
      random,
      calls: this.#calls,
      committer: this,
      onCommitted: (offsets) => this.#tell({ type: 'committed', offsets }),
    });
    this.#committed = new CommittedOffsets(this.#calls, groupId, () => ({
      deadlineMs: clock.monotonicMs() + this.#settings.apiTimeoutMs,
      signal: this.#closing.signal,
    }));
    this.#pollInterval = new PollInterval({
      clock,
      intervalMs: this.#settings.maxPollIntervalMs,
      handOuts: this.handOuts,
      onExpired: () => this.#membership?.applicationIsLate(),
    });
    this.#stopListening = options.wiring.metadata.onChange(() => this.#lookForOtherTopics());
  }

  get isSubscribed(): boolean {
    return this.#membership !== undefined;
  }

  get identity(): MemberIdentity {
    return this.#membership?.identity ?? NOBODY;
  }

  get isMember(): boolean {
    return this.#membership !== undefined;
  }

  get isInRound(): boolean {
    return this.#membership?.isInRound ?? false;
  }

  get isClosing(): boolean {
    return this.#membership?.isClosing ?? false;
  }

  refused(error: TidemarkError, identity: MemberIdentity): void {
    this.#membership?.refused(error, identity);
  }

  tenure(at: TopicPartition): ConsumerPartition | undefined {
    return this.#options.fetcher.partition(at);
  }

  subscribe(wanted: readonly string[] | RegExp, listener: RebalanceListener): void {
    const { wiring, fetcher } = this.#options;
    this.#listener = listener;
    const subscription = new Subscription({
      wanted,
      directory: wiring.metadata,
      clock: wiring.clock,
      timeoutMs: this.#settings.requestTimeoutMs,
      onChange: (reason) => this.#membership?.requestRejoin(reason),
    });
    if (this.#membership !== undefined) {
      this.#membership.resubscribe(subscription);
      return;
    }
    for (const partition of [...fetcher.partitions]) fetcher.drop(partition);
    this.#failure = undefined;
    this.#pollInterval.start();
    this.#startAutoCommit();
    this.#membership = new Membership({
      settings: this.#settings,
      clock: wiring.clock,
      random: wiring.random,
      calls: this.#calls,
      subscription,
      holder: this,
      onEvent: (event) => this.#tell(event),
      onFailed: (error) => {
        this.#failure = error;
        this.#options.onNews();
      },
    });
  }

  /** The consumer reads what it was told to, and only its offsets are the group's. */
  assignedByHand(): void {
    this.#startAutoCommit();
  }

  /** The application comes for more: it is done with what it had. */
  enter(): void {
    this.handOuts.releaseAll();
    this.#pollInterval.enter();
  }

  leave(): void {
    this.#pollInterval.leave();
  }

  gave(partition: ConsumerPartition, offset: number): void {
    const now = this.#options.wiring.clock.monotonicMs();
    this.handOuts.give(partition, offset, now);
    this.#pollInterval.handedOut(now);
  }

  /** It is done with what is below `offset`, and has the next one in its hands. */
  advanced(partition: ConsumerPartition, offset: number): void {
    this.handOuts.advance(partition, offset, this.#options.wiring.clock.monotonicMs());
  }

  /** Throws what the application has to hear of. */
  check(): void {
    if (this.#thrown.length > 0) throw this.#thrown.shift();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Where the group is, for the partition's position. */
  async find(at: TopicPartition): Promise<CommittedOffset | undefined> {
    const found = await this.#committed.find(at);
    if (found !== undefined) this.#commits.learn(at, found.offset);
    return found;
  }

  /** In the order asked; undefined: the group has committed nothing there. */
  async committed(partitions: readonly TopicPartition[]): Promise<(CommittedOffset | undefined)[]> {
    const found = await this.#committed.fetch(partitions);
    return partitions.map((each) => found.get(nameOf(each)));
  }

  /** Without offsets: everything that was handed out, but for what `run` is at work on. */
  async commit(offsets: readonly OffsetToCommit[] | undefined, options: CommitOptions): Promise<void> {
    const asked = offsets ?? this.#positions((partition) => partition.inProcess);
    await this.#commits.commit(asked, options);
    // What is committed by itself goes on from there, and not back to where the records in hand begin.
    for (const { offset, leaderEpoch = -1, ...at } of asked) {
      const partition = this.#options.fetcher.partition(at);
      if (partition !== undefined) this.handOuts.place(partition, { offset, leaderEpoch });
    }
  }

  /** Gives up everything and leaves the group. */
  async unsubscribe(reason: string, timeoutMs: number): Promise<void> {
    const membership = this.#membership;
    if (membership === undefined) return;
    await membership.close(reason, timeoutMs);
    if (this.#membership !== membership) return;
    this.#pollInterval.stop();
    this.#autoCommit?.stop();
    this.#autoCommit = undefined;
    this.#membership = undefined;
  }

  async close(timeoutMs: number): Promise<void> {
    this.#pollInterval.stop();
    this.#stopListening();
    const isByHand = this.#membership === undefined && this.#autoCommit !== undefined;
    this.#autoCommit?.stop();
    if (isByHand) await this.#commitDone([...this.#options.fetcher.partitions], timeoutMs);
    await this.unsubscribe('the consumer is closed', timeoutMs);
    await this.#commits.settled();
    this.#closing.abort(new TidemarkError('NETWORK_EXCEPTION', 'the consumer is closed'));
  }

  owned(): readonly TopicPartition[] {
    return [...this.#options.fetcher.partitions].map(({ topic, partition }) => ({ topic, partition }));
  }

  async revoke(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    const given = this.#withhold(partitions);
    await this.handOuts.whenReleased(given, signal);
    await this.#giveUp(given, signal);
  }

  async surrender(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    await this.#giveUp(this.#withhold(partitions), signal);
  }

  async lose(reason: string): Promise<void> {
    const partitions = this.owned();
    const lost = this.#withhold(partitions);
    if (lost.length === 0) return;
    await this.#callBack('onLost', partitions);
    this.#drop(lost);
    this.#tell({ type: 'lost', partitions, reason });
  }

  async assign(added: readonly TopicPartition[], generation: number): Promise<void> {
    const { fetcher, onNews } = this.#options;
    const news = added.map(({ topic, partition }) => {
      const taken = this.#taken({ topic, partition });
      taken.withheld = true;
      fetcher.add(taken);
      return taken;
    });
    await this.#callBack('onAssigned', added);
    for (const partition of news) {
      partition.withheld = false;
      fetcher.refresh(partition);
    }
    this.#lookForOtherTopics();
    this.#tell({ type: 'assigned', generation, assigned: this.owned(), added });
    onNews();
  }

  async whenReleased(signal: AbortSignal): Promise<void> {
    await this.handOuts.whenReleased(undefined, signal);
  }

  async whenHere(signal: AbortSignal): Promise<void> {
    await unlessAborted(this.#pollInterval.arrival(), signal);
  }

  #taken({ topic, partition }: TopicPartition): ConsumerPartition {
    const taken = new ConsumerPartition(topic, partition);
    taken.goesWithTopic = true;
    taken.topicId = this.#topicId(taken) ?? '';
    return taken;
  }

  #topicId({ topic }: ConsumerPartition): string | undefined {
    return this.#options.wiring.metadata.topic(topic)?.id;
  }

  /** Its topic was deleted, and there is another of the same name. */
  #isOfOtherTopic(partition: ConsumerPartition): boolean {
    const id = this.#topicId(partition);
    return partition.topicId !== '' && id !== undefined && partition.topicId !== id;
  }

  /** A position in a topic that is gone says nothing of another of its name: there the partition begins as one that is new. */
  #lookForOtherTopics(): void {
    const { fetcher, reader } = this.#options;
    for (const partition of [...fetcher.partitions]) {
      if (!partition.goesWithTopic || partition.withheld) continue;
      if (partition.topicId === '') partition.topicId = this.#topicId(partition) ?? '';
      if (!this.#isOfOtherTopic(partition)) continue;
      reader.putBack(partition);
      partition.interrupt?.();
      this.#drop([partition]);
      const anew = this.#taken(partition);
      anew.paused = partition.paused;
      fetcher.add(anew);
    }
  }

  /** From here on nothing of them is handed out. */
  #withhold(partitions: readonly TopicPartition[]): ConsumerPartition[] {
    const { fetcher, reader } = this.#options;
    const found = partitions.map((each) => fetcher.partition(each)).filter((each) => each !== undefined);
    for (const partition of found) {
      reader.putBack(partition);
      partition.withheld = true;
      partition.interrupt?.();
    }
    return found;
  }

  async #giveUp(given: readonly ConsumerPartition[], signal: AbortSignal): Promise<void> {
    if (this.#settings.autoCommit) await this.#commitDone(given, this.#settings.apiTimeoutMs, signal);
    await unlessAborted(this.#commits.settled(), signal);
    const partitions = given.map(({ topic, partition }) => ({ topic, partition }));
    await this.#callBack('onRevoked', partitions);
    this.#drop(given);
    this.#tell({ type: 'revoked', partitions });
  }

  /** A commit that fails is no reason to keep a partition: others read what was not committed once more. */
  async #commitDone(
    partitions: readonly ConsumerPartition[],
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const mine = new Set(partitions);
    const offsets = this.#due().filter((each) => mine.has(this.#options.fetcher.partition(each)!));
    try {
      await this.#commits.commit(offsets, { timeoutMs, signal });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      this.#options.onError(error);
    }
  }

  #drop(partitions: readonly ConsumerPartition[]): void {
    for (const partition of partitions) {
      this.#commits.forget(partition);
      this.#options.fetcher.drop(partition);
    }
  }

  /** What the application is done with and has not been committed. */
  #due(): OffsetToCommit[] {
    return this.#positions(() => true).filter((each) => this.#commits.last(each) !== each.offset);
  }

  /** Where the application is; where `isCareful`, and it has records in its hands, before those. */
  #positions(isCareful: (partition: ConsumerPartition) => boolean): OffsetToCommit[] {
    const { fetcher, reader } = this.#options;
    const offsets: OffsetToCommit[] = [];
    for (const partition of fetcher.partitions) {
      if (this.#isOfOtherTopic(partition)) continue;
      const held = isCareful(partition) ? this.handOuts.of(partition) : undefined;
      const offset = held?.offset ?? reader.position(partition);
      if (offset < 0) continue;
      const { topic, partition: index, takenEpoch } = partition;
      offsets.push({ topic, partition: index, offset, leaderEpoch: held?.leaderEpoch ?? takenEpoch });
    }
    return offsets;
  }

  async #callBack(name: RebalanceCallback, partitions: readonly TopicPartition[]): Promise<void> {
    const { wiring, onError, onNews } = this.#options;
    await callBack(this.#listener, name, partitions, {
      clock: wiring.clock,
      timeoutMs: this.#settings.maxPollIntervalMs,
      onError: (error) => {
        onError(error);
        this.#thrown.push(error);
        onNews();
      },
    });
  }

  #startAutoCommit(): void {
    if (!this.#settings.autoCommit || this.#autoCommit !== undefined) return;
    this.#autoCommit = new AutoCommit({
      clock: this.#options.wiring.clock,
      intervalMs: this.#settings.autoCommitIntervalMs,
      // Between two generations there is nothing to commit under.
      due: () => (this.isMember && this.identity.generation < 0 ? [] : this.#due()),
      commit: (offsets) =>
        this.#commits.commit(offsets, {
          timeoutMs: this.#settings.requestTimeoutMs,
          signal: this.#closing.signal,
        }),
      onError: this.#options.onError,
    });
  }

  #tell(event: GroupEvent): void {
    try {
      this.#options.onEvent(event);
    } catch (error) {
      // A listener only looks on.
      this.#options.onError(error);
    }
  }
}
