// The groups of one partition of `__consumer_offsets` during one leadership of this broker: reads the partition, serves its groups, and
// ends. Whether a request is taken is decided here; what becomes of it in `coordinator-turns.ts`.
//
// Contract: made when the leadership begins, `end` is its last call. Nothing is served before all that was read is committed, and nothing
// while the controllers are lost; whatever was asked is answered.

import { failure, type Clock, type Failure } from '@tidemark/core';
import {
  GroupShard,
  type FetchedOffsets,
  type GroupDescription,
  type GroupId,
  type GroupOutput,
  type GroupRequest,
  type GroupSettings,
  type GroupTime,
  type GroupSummary,
  type TopicPartition,
} from '@tidemark/group';
import type { Codecs } from '@tidemark/record';
import type { PartitionWatcher } from '../fetch-purgatory.ts';
import type { Partition } from '../partition.ts';
import { Pauses } from '../pauses.ts';
import type { LeadingReplica } from '../replica/leading-replica.ts';
import type { CoordinatorLimits } from './coordinator-limits.ts';
import { CoordinatorTurns, type Outcome } from './coordinator-turns.ts';
import { DeletedTopics } from './deleted-topics.ts';
import { loadGroups } from './group-loader.ts';
import { ParkedRequests, type Response } from './parked-requests.ts';
import { overload, payloadBytes, type Unnumbered } from './request-admission.ts';

export interface CoordinatedPartitionOptions {
  readonly partition: Partition;
  readonly leading: LeadingReplica;
  readonly clock: Clock;
  readonly codecs: Codecs;
  readonly settings: GroupSettings;
  readonly limits: CoordinatorLimits;
  readonly hasTopic: (topic: string) => boolean;
  readonly onError: (cause: unknown, doing: string) => void;
  /** A bug: the process ends. */
  readonly onFatal: (cause: unknown) => void;
}

export interface Asking {
  readonly answer: Promise<Response>;
  /** Whoever asked is gone: what is answered goes nowhere. Harmless afterwards. */
  cancel(): void;
}

export type CoordinatorState = 'loading' | 'active' | 'failed' | 'over';

const ISOLATED = failure('COORDINATOR_NOT_AVAILABLE', 'the coordinator has lost the controllers');
const ABANDONED = failure('REQUEST_TIMED_OUT', 'whoever asked has gone');

export class CoordinatedPartition implements PartitionWatcher {
  readonly #options: CoordinatedPartitionOptions;
  readonly #shard: GroupShard;
  readonly #parked = new ParkedRequests();
  readonly #turns: CoordinatorTurns;
  readonly #pauses: Pauses;
  #committedTo = -1;
  #isLoaded = false;
  #state: CoordinatorState = 'loading';
  /** Since the last tick requests were refused because the controllers were lost. */
  #wasIsolated = false;
  #failure: Failure | undefined;
  /** Topics in the partition when it was loaded: those that are gone by then are forgotten. */
  #loadedTopics = new Set<string>();
  readonly #deletedTopics: DeletedTopics;

  constructor(options: CoordinatedPartitionOptions) {
    const { partition, leading, settings, clock, codecs, limits, onError, onFatal } = options;
    this.#options = options;
    this.#shard = new GroupShard(settings);
    this.#pauses = new Pauses(clock);
    this.#turns = new CoordinatorTurns({
      ...{ partition, leading, clock, codecs, settings, onError, onFatal },
      shard: this.#shard,
      parked: this.#parked,
      appendLingerMs: limits.appendLingerMs,
      isActive: () => this.#state === 'active',
      tick: (time) => this.#tick(time),
      onForeignWrite: (why) => this.#fail(why),
      onCutOff: (endOffset) => this.#deletedTopics.cutOff(endOffset),
    });
    this.#deletedTopics = new DeletedTopics({
      pauses: this.#pauses,
      retryMs: limits.retryMs,
      isActive: () => this.#state === 'active',
      forget: (topic) =>
        this.#whileWritten((time, maxRecords) => this.#shard.topicDeleted(topic, time, maxRecords)),
      endOffset: () => this.#turns.endOffset,
      onFatal,
    });
  }

  get state(): CoordinatorState {
    return this.#state;
  }

  get waitingRequests(): number {
    return this.#parked.count;
  }

  get uncommittedBytes(): number {
    return this.#turns.uncommittedBytes;
  }

  begin(): void {
    this.#options.partition.watch(this);
    this.#load().catch(this.#options.onFatal);
  }

  /** This broker leads it no more, or is going. */
  end(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#options.partition.unwatch(this);
    this.#pauses.close();
    this.#turns.resign('NOT_LEADER_OR_FOLLOWER');
  }

  ask(request: Unnumbered<GroupRequest>): Asking {
    const refused = this.#refusal() ?? this.#overload(request);
    if (refused !== undefined) return answered(refusalOf(request, refused));
    const { requestId, answer } = this.#parked.park(payloadBytes(request));
    this.#turns.input((time) => this.#shard.handle({ ...request, requestId }, time));
    return { answer, cancel: () => this.#parked.abandon(requestId, ABANDONED) };
  }

  fetchOffsets(groupId: GroupId, partitions: readonly TopicPartition[] | undefined): FetchedOffsets {
    return this.#refusal() ?? this.#shard.fetchOffsets(groupId, partitions);
  }

  describe(groupId: GroupId): { readonly ok: true; readonly group: GroupDescription } | Failure {
    return this.#refusal() ?? this.#shard.describe(groupId);
  }

  list(): { readonly ok: true; readonly groups: readonly GroupSummary[] } | Failure {
    return this.#refusal() ?? this.#shard.list();
  }

  /** What retention removes. */
  async expireOffsets(): Promise<void> {
    await this.#whileWritten((time, maxRecords) => this.#shard.expireOffsets(time, maxRecords));
  }

  /** The topic is gone; what groups have read of it is forgotten, however often that has to be tried. */
  topicDeleted(topic: string): void {
    this.#deletedTopics.add(topic);
  }

  progressed(): void {
    this.#watermarkMoved();
  }

  disturbed(): void {
    this.#watermarkMoved();
    if (!this.#options.leading.isIsolated) return;
    this.#wasIsolated = true;
    // Nobody can come to what they wait for; they look for the coordinator again.
    if (this.#state === 'active') this.#turns.input((time) => this.#shard.answerParked(ISOLATED, time));
  }

  fellShort(why: Failure): void {
    this.#turns.fellShort(why);
  }

  async #load(): Promise<void> {
    const { partition, leading, limits, codecs } = this.#options;
    const failed = await loadGroups({
      partition,
      codecs,
      endOffset: leading.epochStartOffset,
      chunkBytes: limits.loadChunkBytes,
      maxInflatedBytes: limits.maxInflatedBatchBytes,
      retryMs: limits.retryMs,
      pauses: this.#pauses,
      isOver: () => this.#state === 'over',
      replay: (record, offset) => {
        if (record.type === 'offset') this.#loadedTopics.add(record.topic);
        this.#shard.replay(record, offset);
      },
      // However long the high watermark has stood where it is: what was read below it is kept once, not twice.
      onPiece: () => this.#turns.committed(partition.highWatermark),
      onRetry: (cause) => this.#options.onError(cause, `reading the groups of ${this.#name}`),
    });
    if (this.#state === 'over') return;
    if (failed !== undefined) {
      this.#fail(failed);
      return;
    }
    this.#isLoaded = true;
    this.#activate();
  }

  /** Once all that was replayed is committed. */
  #activate(): void {
    const { partition, leading, hasTopic } = this.#options;
    const highWatermark = partition.highWatermark;
    if (!this.#isLoaded || this.#state !== 'loading' || highWatermark < leading.epochStartOffset) return;
    this.#state = 'active';
    this.#committedTo = highWatermark;
    this.#turns.committed(highWatermark);
    this.#turns.input((time) => this.#shard.activate(time));
    // The metadata here is not older than this leadership, and so than any commit before it: what it lacks was deleted since.
    for (const topic of this.#loadedTopics) if (!hasTopic(topic)) this.#deletedTopics.add(topic);
    this.#loadedTopics = new Set();
    this.#deletedTopics.start();
  }

  /** While nobody is heard no time-out is over, and then each begins anew: it is not the members that were silent. */
  #tick(time: GroupTime): GroupOutput {
    const { leading, limits } = this.#options;
    if (leading.isIsolated) {
      this.#wasIsolated = true;
      return { records: [], replies: [], nextDeadlineMs: time.nowMs + limits.retryMs };
    }
    if (!this.#wasIsolated) return this.#shard.tick(time);
    this.#wasIsolated = false;
    return this.#shard.renewDeadlines(time);
  }

  #watermarkMoved(): void {
    const { highWatermark } = this.#options.partition;
    const isServed = this.#state === 'loading' || this.#state === 'active';
    if (isServed && highWatermark > this.#committedTo) {
      this.#committedTo = highWatermark;
      this.#turns.committed(highWatermark);
      this.#deletedTopics.committed(highWatermark);
    }
    this.#activate();
  }

  #fail(failed: Failure): void {
    this.#state = 'failed';
    this.#failure = failure(
      'COORDINATOR_NOT_AVAILABLE',
      `the groups of ${this.#name} are not served until another broker leads it or this one is started again: ${failed.message}`,
    );
    this.#options.onError(failed, `the groups of ${this.#name} are not served`);
  }

  get #name(): string {
    const { topic, index } = this.#options.partition;
    return `${topic}-${index}`;
  }

  /** Why nothing is answered from here at the moment. */
  #refusal(): Failure | undefined {
    switch (this.#state) {
      case 'over':
        return failure('NOT_COORDINATOR');
      case 'failed':
        return this.#failure;
      case 'loading':
        return failure(
          'COORDINATOR_LOAD_IN_PROGRESS',
          this.#isLoaded
            ? `what is in ${this.#name} is not committed yet: too few of its in-sync replicas are here`
            : `this broker reads ${this.#name} before it serves the groups in it`,
        );
      case 'active':
        // Another broker may coordinate by now: what is known here may be old.
        if (!this.#options.leading.isIsolated) return undefined;
        return ISOLATED;
    }
  }

  #overload(request: Unnumbered<GroupRequest>): Failure | undefined {
    const { limits, partition } = this.#options;
    const { count: waitingRequests, bytes: waitingBytes } = this.#parked;
    const load = { waitingRequests, waitingBytes, uncommittedBytes: this.uncommittedBytes };
    const refused = overload(request, load, limits, partition);
    if (refused !== undefined || request.type !== 'commitOffsets') return refused;
    return this.#deletedTopics.refusal(request.offsets);
  }

  /** Again while it answers records, of which fewer where a batch cannot take that many; true when there are none left. */
  async #whileWritten(run: (time: GroupTime, maxRecords: number) => GroupOutput): Promise<boolean> {
    let maxRecords = this.#options.settings.maxRecordsPerWrite;
    for (;;) {
      if (this.#refusal() !== undefined) return false;
      let outcome = 'failed' as Outcome;
      this.#turns.input(
        (time) => run(time, maxRecords),
        (came) => {
          outcome = came;
        },
      );
      if (outcome === 'tooLarge' && maxRecords > 1) maxRecords = Math.floor(maxRecords / 2);
      else if (outcome === 'tooLarge') {
        const cause = failure('MESSAGE_TOO_LARGE', 'not even one record goes into a batch');
        this.#options.onError(cause, `removing offsets from ${this.#name}`);
        return false;
      } else if (outcome !== 'written') return outcome === 'nothing';
      await this.#pauses.wait(0);
    }
  }
}

export function answered(response: Response): Asking {
  return { answer: Promise.resolve(response), cancel: () => undefined };
}

export function refusalOf({ type, ...request }: Unnumbered<GroupRequest>, refused: Failure): Response {
  return type === 'join' && 'memberId' in request ? { ...refused, memberId: request.memberId } : refused;
}
