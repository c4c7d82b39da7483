// The groups of one partition of `__consumer_offsets` during one leadership of this broker: it gives the pure shard its inputs one
// after the other, carries out what comes of each, and keeps the answers back until the high watermark has passed what they rest on.
//
// The order that everything depends on: an output's records are appended and replayed inside the turn of its input, so the next input
// finds them; whether they are committed is told by the watermark alone. An input that comes inside another (a watermark that
// moves while something is appended) waits for its turn. Nothing is appended in another leader epoch, nor where the log does not
// end as this coordinator left it.

import {
  failure,
  invariant,
  type Clock,
  type ErrorName,
  type Failure,
  type LeaderEpoch,
} from '@tidemark/core';
import {
  failedReplies,
  GroupShard,
  type FetchedOffsets,
  type GroupDescription,
  type GroupId,
  type GroupOutput,
  type GroupReply,
  type GroupRequest,
  type GroupSettings,
  type GroupTime,
  type GroupSummary,
  type RequestId,
  type TopicPartition,
} from '@tidemark/group';
import type { Codecs } from '@tidemark/record';
import type { PartitionWatcher } from '../fetch-purgatory.ts';
import { endOf, type Partition } from '../partition.ts';
import { Pauses } from '../pauses.ts';
import { DeadlineTimer } from '../replica/deadline-timer.ts';
import type { LeadingReplica } from '../replica/leading-replica.ts';
import { loadGroups } from './group-loader.ts';
import { appendGroupRecords, groupWriteError, type PendingWrite } from './group-writes.ts';
import type { CoordinatorLimits } from './coordinator-limits.ts';
import { ParkedRequests, type Response } from './parked-requests.ts';

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

/** A request without the number it waits under. */
export type Unnumbered<R> = R extends GroupRequest ? Omit<R, 'requestId'> : never;

export interface Asking {
  readonly answer: Promise<Response>;
  /** Whoever asked is gone: what is answered goes nowhere. Harmless afterwards. */
  cancel(): void;
}

interface WaitingWrite extends PendingWrite {
  /** With the replies that nobody got yet. */
  output: GroupOutput;
  readonly replyDeadlineMs: number;
}

export type CoordinatorState = 'loading' | 'active' | 'failed' | 'over';

type Outcome = 'nothing' | 'written' | 'failed';

const ABANDONED = failure('REQUEST_TIMED_OUT', 'whoever asked has gone');

export class CoordinatedPartition implements PartitionWatcher {
  readonly #options: CoordinatedPartitionOptions;
  readonly #shard: GroupShard;
  readonly #epoch: LeaderEpoch;
  readonly #parked = new ParkedRequests();
  readonly #pauses: Pauses;
  readonly #ticks: DeadlineTimer;
  readonly #replyDeadlines: DeadlineTimer;
  /** In the order of their offsets. */
  #writes: WaitingWrite[] = [];
  #uncommittedBytes = 0;
  /** Where the log ends if nobody but this coordinator writes; everything below is replayed, once it is loaded. */
  #endOffset: number;
  #committedTo = -1;
  #isLoaded = false;
  #state: CoordinatorState = 'loading';
  #failure: Failure | undefined;
  readonly #inputs: (() => void)[] = [];
  #isBusy = false;
  /** Topics in the partition when it was loaded: those that are gone by then are forgotten. */
  #loadedTopics = new Set<string>();
  readonly #deletedTopics = new Set<string>();
  #forgetting: Promise<void> | undefined;

  constructor(options: CoordinatedPartitionOptions) {
    const { leading, settings, clock } = options;
    this.#options = options;
    this.#shard = new GroupShard(settings);
    this.#epoch = leading.leaderEpoch;
    this.#endOffset = leading.epochStartOffset;
    this.#pauses = new Pauses(clock);
    this.#ticks = new DeadlineTimer(clock, () => this.#input((time) => this.#shard.tick(time)));
    this.#replyDeadlines = new DeadlineTimer(clock, () => this.#failLateReplies());
  }

  get state(): CoordinatorState {
    return this.#state;
  }

  get waitingRequests(): number {
    return this.#parked.count;
  }

  get uncommittedBytes(): number {
    return this.#uncommittedBytes;
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
    this.#ticks.cancel();
    this.#replyDeadlines.cancel();
    this.#pauses.close();
    this.#input((time) => {
      const resigned = this.#shard.resign(time);
      for (const { output } of this.#writes.splice(0)) this.#answerFailed(output, 'NOT_LEADER_OR_FOLLOWER');
      return resigned;
    });
  }

  ask(request: Unnumbered<GroupRequest>): Asking {
    const refused = this.#refusal() ?? this.#overload(request);
    if (refused !== undefined) return answered(refusalOf(request, refused));
    const { requestId, answer } = this.#parked.park(payloadBytes(request));
    this.#input((time) => this.#shard.handle({ ...request, requestId }, time));
    return { answer, cancel: () => this.#cancel(requestId) };
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
    await this.#whileWritten((time) => this.#shard.expireOffsets(time));
  }

  /** The topic is gone; what groups have read of it is forgotten, however often that has to be tried. */
  topicDeleted(topic: string): void {
    this.#deletedTopics.add(topic);
    if (this.#state === 'active') this.#forgetTopics();
  }

  progressed(): void {
    this.#watermarkMoved();
  }

  disturbed(): void {
    this.#watermarkMoved();
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
      onPiece: () => this.#watermarkMoved(),
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
    this.#input((time) => this.#shard.committed(highWatermark, time));
    this.#input((time) => this.#shard.activate(time));
    // The metadata here is not older than this leadership, and so than any commit before it: what it lacks was deleted since.
    for (const topic of this.#loadedTopics) if (!hasTopic(topic)) this.#deletedTopics.add(topic);
    this.#loadedTopics = new Set();
    this.#forgetTopics();
  }

  #fail(failed: Failure): void {
    this.#state = 'failed';
    this.#failure = failure(
      'COORDINATOR_NOT_AVAILABLE',
      `the groups of ${this.#name} are not served until another broker leads it or this one is started again: ${failed.message}`,
    );
    this.#ticks.cancel();
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
        return failure('COORDINATOR_NOT_AVAILABLE', 'the coordinator has lost the controllers');
    }
  }

  #overload(request: Unnumbered<GroupRequest>): Failure | undefined {
    const { limits, partition } = this.#options;
    if (this.#parked.count >= limits.maxWaitingRequests) {
      const message = `${this.#parked.count} requests wait at the coordinator already: try again a little later`;
      return failure('COORDINATOR_LOAD_IN_PROGRESS', message);
    }
    // Heartbeats write nothing, and without them the group would fall apart.
    if (request.type === 'heartbeat') return undefined;
    if (this.#parked.bytes > 0 && this.#parked.bytes + payloadBytes(request) > limits.maxWaitingBytes) {
      const message = `requests of ${this.#parked.bytes} bytes wait at the coordinator already: try again a little later`;
      return failure('COORDINATOR_LOAD_IN_PROGRESS', message);
    }
    if (this.#uncommittedBytes >= limits.maxUncommittedBytes) {
      const message = `${this.#uncommittedBytes} bytes wait to be committed in ${this.#name} already: try again a little later`;
      return failure('COORDINATOR_LOAD_IN_PROGRESS', message);
    }
    if (request.type !== 'commitOffsets') return undefined;
    const { maxBatchBytes } = partition.settings;
    let sizeBytes = 0;
    for (const { topic, metadata } of request.offsets) {
      if (this.#deletedTopics.has(topic)) {
        const message = `topic ${topic} was deleted, and its offsets are being removed: try again a little later`;
        return failure('COORDINATOR_LOAD_IN_PROGRESS', message);
      }
      sizeBytes += request.groupId.length + topic.length + metadata.length + OFFSET_RECORD_BYTES;
    }
    if (sizeBytes <= maxBatchBytes) return undefined;
    const message = `${request.offsets.length} offsets of this group are some ${sizeBytes} bytes, and ${partition.topic} takes ${maxBatchBytes} at once: commit fewer`;
    return failure('INVALID_REQUEST', message);
  }

  #cancel(requestId: RequestId): void {
    this.#parked.abandon(requestId, ABANDONED);
  }

  /** Runs now, or after the input that is under way. */
  #input(run: (time: GroupTime) => GroupOutput, onOutcome?: (outcome: Outcome) => void): void {
    this.#inputs.push(() => {
      this.#lookAtLog();
      const outcome = this.#carryOut(run(this.#time()));
      onOutcome?.(outcome);
    });
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) next();
    } catch (cause) {
      this.#options.onFatal(cause);
    } finally {
      this.#isBusy = false;
    }
  }

  #time(): GroupTime {
    const { clock } = this.#options;
    return { nowMs: clock.monotonicMs(), timestampMs: clock.wallMs() };
  }

  /** A full disk takes appends back. Anything else that moves the end is somebody else's, and then this state is not the log's. */
  #lookAtLog(): void {
    if (this.#state !== 'active') return;
    const { nextOffset } = this.#options.partition.log;
    if (nextOffset < this.#endOffset) this.#cutOff(nextOffset);
    else if (nextOffset > this.#endOffset) this.#foreignWrite(nextOffset);
  }

  #foreignWrite(nextOffset: number): void {
    const message = `${this.#name} ends at ${nextOffset} and not at ${this.#endOffset}: something other than its coordinator has written to it`;
    this.#fail(failure('INVALID_RECORD', message));
    // The shard is left as it is; whoever waits looks for the coordinator again.
    for (const { output } of this.#writes.splice(0)) this.#answerFailed(output, 'NOT_COORDINATOR');
    this.#parked.answer(this.#shard.resign(this.#time()).replies);
  }

  #cutOff(endOffset: number): void {
    this.#shard.revertTo(endOffset);
    this.#endOffset = endOffset;
    const at = this.#writes.findIndex((write) => write.endOffset > endOffset);
    const cut = at < 0 ? [] : this.#writes.splice(at);
    for (const { sizeBytes } of cut) this.#uncommittedBytes -= sizeBytes;
    for (const { output } of cut) {
      this.#carryOut(this.#shard.writeFailed(output, 'KAFKA_STORAGE_ERROR', this.#time()));
    }
  }

  #carryOut(output: GroupOutput): Outcome {
    this.#ticks.setAt(this.#state === 'active' ? output.nextDeadlineMs : Infinity);
    if (output.records.length === 0) {
      this.#parked.answer(output.replies);
      return 'nothing';
    }
    const { partition, codecs, settings, onError } = this.#options;
    const time = this.#time();
    const appended =
      this.#state === 'active'
        ? appendGroupRecords(partition, this.#epoch, output.records, time.timestampMs, codecs)
        : failure('NOT_COORDINATOR');
    if (!appended.ok) {
      if (appended.error === 'MESSAGE_TOO_LARGE') onError(appended, 'storing a group');
      const next = this.#shard.writeFailed(output, groupWriteError(appended), time);
      this.#carryOut(next);
      return 'failed';
    }
    const { baseOffset, lastOffset, sizeBytes, written } = appended;
    // It was looked at before the input, and nothing has run in between.
    invariant(baseOffset === this.#endOffset, 'a group’s records go to where its coordinator expects them');
    output.records.forEach((record, at) => this.#shard.replay(record, baseOffset + at));
    this.#endOffset = endOf(lastOffset);
    this.#uncommittedBytes += sizeBytes;
    const replyDeadlineMs = time.nowMs + settings.commitTimeoutMs;
    this.#writes.push({ baseOffset, endOffset: endOf(lastOffset), sizeBytes, output, replyDeadlineMs });
    if (output.replies.length > 0) this.#replyDeadlines.setAt(replyDeadlineMs);
    // The log has gone back by then; looking at it is enough.
    written.catch(() => this.#input(nothing));
    return 'written';
  }

  #watermarkMoved(): void {
    const { highWatermark } = this.#options.partition;
    if (this.#state === 'loading') {
      if (highWatermark > this.#committedTo) {
        this.#committedTo = highWatermark;
        this.#input((time) => this.#shard.committed(highWatermark, time));
      }
      this.#activate();
      return;
    }
    if (this.#state !== 'active' || highWatermark <= this.#committedTo) return;
    this.#committedTo = highWatermark;
    this.#input((time) => {
      const output = this.#shard.committed(highWatermark, time);
      let count = 0;
      for (const write of this.#writes) {
        if (write.endOffset > highWatermark) break;
        count += 1;
        this.#uncommittedBytes -= write.sizeBytes;
        this.#parked.answer(write.output.replies);
      }
      this.#writes.splice(0, count);
      return output;
    });
  }

  /** They may be committed yet: that is all that can be said. */
  #failLateReplies(): void {
    this.#input(() => {
      const { nowMs } = this.#time();
      for (const write of this.#writes) {
        if (write.output.replies.length === 0) continue;
        if (write.replyDeadlineMs > nowMs) {
          this.#replyDeadlines.setAt(write.replyDeadlineMs);
          break;
        }
        const message = `not committed within offsets.commit.timeout.ms (${this.#options.settings.commitTimeoutMs} ms); it may be yet`;
        this.#answerFailed(write.output, 'REQUEST_TIMED_OUT', message);
        write.output = { ...write.output, replies: NO_REPLIES };
      }
      return NOTHING;
    });
  }

  #answerFailed({ replies }: GroupOutput, error: ErrorName, message?: string): void {
    this.#parked.answer(failedReplies(replies, error, message));
  }

  /** Again while it answers records; true when there are none left. */
  async #whileWritten(run: (time: GroupTime) => GroupOutput): Promise<boolean> {
    for (;;) {
      if (this.#refusal() !== undefined) return false;
      let outcome: Outcome = 'failed';
      this.#input(run, (came) => {
        outcome = came;
      });
      if ((outcome as Outcome) !== 'written') return (outcome as Outcome) === 'nothing';
      await this.#pauses.wait(0);
    }
  }

  #forgetTopics(): void {
    if (this.#forgetting !== undefined || this.#deletedTopics.size === 0) return;
    this.#forgetting = this.#forgetThem()
      .catch(this.#options.onFatal)
      .finally(() => {
        this.#forgetting = undefined;
      });
  }

  async #forgetThem(): Promise<void> {
    while (this.#state === 'active' && this.#deletedTopics.size > 0) {
      const [topic] = this.#deletedTopics;
      if (await this.#whileWritten((time) => this.#shard.topicDeleted(topic!, time))) {
        this.#deletedTopics.delete(topic!);
      } else await this.#pauses.wait(this.#options.limits.retryMs);
    }
  }
}

/** Of an offset in the log besides its texts, with the frame of its record. */
const OFFSET_RECORD_BYTES = 64;
const NO_REPLIES: readonly GroupReply[] = [];
/** `setAt` ignores the deadline. */
const NOTHING: GroupOutput = { records: [], replies: NO_REPLIES, nextDeadlineMs: Infinity };
const nothing = (): GroupOutput => NOTHING;

/** What a request makes the coordinator keep while it waits, besides its names. */
function payloadBytes(request: Unnumbered<GroupRequest>): number {
  let bytes = 0;
  if (request.type === 'join') for (const { metadata } of request.protocols) bytes += metadata.length;
  else if (request.type === 'sync') for (const each of request.assignments.values()) bytes += each.length;
  return bytes;
}

export function answered(response: Response): Asking {
  return { answer: Promise.resolve(response), cancel: () => undefined };
}

export function refusalOf({ type, ...request }: Unnumbered<GroupRequest>, refused: Failure): Response {
  return type === 'join' && 'memberId' in request ? { ...refused, memberId: request.memberId } : refused;
}
