// The groups of one partition of `__consumer_offsets`, while this broker leads it: the front of this package. Requests go in, each with the
// time; records, replies and the next deadline come out (`group-output.ts` has the contract).
//
// Contract: a new shard is given every record of the partition by `replay`, and `activate` once all of it is committed; before that it
// answers COORDINATOR_LOAD_IN_PROGRESS. Reads answer what is committed. After `resign` it answers NOT_COORDINATOR and is thrown away.

import { failure, invariant, type ErrorName, type Failure } from '@tidemark/core';
import { ClassicGroup } from './classic-group.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import { describeGroup, listedGroup, type GroupDescription, type GroupSummary } from './group-description.ts';
import { NO_MEMBER_ID, type GroupId } from './group-ids.ts';
import { coordinatorError, failedReplies, type GroupContext, type GroupOutput } from './group-output.ts';
import type { CommittedOffset, GroupRecord, StoredGroup } from './group-record.ts';
import type { GroupReply, GroupRequest, TopicPartition } from './group-request.ts';
import type { GroupSettings, GroupTime } from './group-settings.ts';
import { heartbeat } from './handlers/heartbeat.ts';
import { join } from './handlers/join.ts';
import { leave } from './handlers/leave.ts';
import {
  commitOffsets,
  deleteOffsets,
  expiredRecords,
  groupTombstones,
  offsetTombstones,
} from './handlers/offsets.ts';
import { sync } from './handlers/sync.ts';
import { offsetKey, parseOffsetKey } from './offset-key.ts';
import { checkRequest } from './request-check.ts';
import {
  assignmentCommitted,
  assignmentNotStored,
  failParked,
  renewDeadlines,
  resignGroup,
  tickGroup,
} from './rebalance.ts';
import { Timeline } from './timeline.ts';

export type FetchedOffset = TopicPartition & { readonly committed: CommittedOffset | undefined };

export type FetchedOffsets = { readonly ok: true; readonly offsets: readonly FetchedOffset[] } | Failure;

/** The one key of a group's metadata in its timeline. */
const METADATA = '';

type Serving = 'loading' | 'active' | 'resigned';

export class GroupShard {
  readonly #settings: GroupSettings;
  readonly #offsets = new Timeline<CommittedOffset>();
  readonly #metadata = new Timeline<StoredGroup>();
  /** Those that have members or a past to tell; any other is made from what is stored when it is asked for. */
  readonly #groups = new Map<GroupId, ClassicGroup>();
  readonly #deadlines = new DeadlineQueue();
  /** Assignments on their way, in the order of their offsets. */
  #pendingAssignments: { readonly groupId: GroupId; readonly offset: number }[] = [];
  #serving: Serving = 'loading';

  constructor(settings: GroupSettings) {
    this.#settings = settings;
  }

  /** Every record of the partition, in order, of this broker's own writes and of others before it. */
  replay(record: GroupRecord, offset: number): void {
    const { groupId } = record;
    if (record.type === 'offset') {
      this.#offsets.set(offset, groupId, offsetKey(record), record.value);
      return;
    }
    this.#metadata.set(offset, groupId, METADATA, record.value);
    const group = this.#groups.get(groupId);
    if (group === undefined) return;
    if (record.value === undefined) {
      invariant(group.members.size === 0, 'a group with members was deleted', { groupId });
      this.#forget(group);
    } else if (group.pendingAssignment !== undefined && group.pendingAssignment.offset === undefined) {
      group.pendingAssignment.offset = offset;
      this.#pendingAssignments.push({ groupId, offset });
    }
  }

  /** Begins to serve: all that was replayed is committed, and every member begins a session. */
  activate(time: GroupTime): GroupOutput {
    invariant(this.#serving === 'loading', 'a shard is activated twice');
    invariant(
      !this.#offsets.hasPending && !this.#metadata.hasPending,
      'a shard is activated before what it replayed is committed',
    );
    this.#serving = 'active';
    for (const groupId of this.#metadata.latestGroups()) {
      const stored = this.#stored(groupId as GroupId);
      if (stored !== undefined && stored.members.length > 0) {
        this.#keep(ClassicGroup.fromStore(groupId as GroupId, stored, time.nowMs));
      }
    }
    return this.#output(this.#context(time));
  }

  handle(request: GroupRequest, time: GroupTime): GroupOutput {
    const context = this.#context(time);
    const refused = this.#notServing() ?? checkRequest(request, this.#settings);
    if (refused !== undefined) {
      context.replies.push(refusal(request, refused));
      return this.#output(context);
    }
    const group = this.#find(request.groupId, time) ?? this.#created(request);
    if (group === undefined) this.#handleWithout(request, context);
    else this.#handleIn(group, request, context);
    return this.#output(context);
  }

  #handleIn(group: ClassicGroup, request: GroupRequest, context: GroupContext): void {
    switch (request.type) {
      case 'join':
        join(group, request, context);
        break;
      case 'sync':
        sync(group, request, context);
        break;
      case 'heartbeat':
        // It can only make the deadline later, and there are many of them: no walk over the members.
        heartbeat(group, request, context);
        return;
      case 'leave':
        leave(group, request, context);
        break;
      case 'commitOffsets':
        commitOffsets(group, request, context);
        return;
      case 'deleteOffsets':
        deleteOffsets(group, request, this.#offsets.latest(group.groupId), context);
        return;
      case 'deleteGroup':
        this.#delete(group, request, context);
        return;
    }
    this.#keepOrForget(group, context);
  }

  /** The group does not exist. */
  #handleWithout(request: GroupRequest, context: GroupContext): void {
    const { groupId } = request;
    if (request.type === 'commitOffsets') {
      commitOffsets(undefined, request, context);
      return;
    }
    const isAdmin = request.type === 'deleteOffsets' || request.type === 'deleteGroup';
    const failed = isAdmin
      ? failure('GROUP_ID_NOT_FOUND', `There is no group ${groupId}.`)
      : failure('UNKNOWN_MEMBER_ID', `There is no group ${groupId}.`);
    context.replies.push(refusal(request, failed));
  }

  #created(request: GroupRequest): ClassicGroup | undefined {
    const isNew = request.type === 'join' && request.memberId === NO_MEMBER_ID;
    return isNew ? new ClassicGroup(request.groupId) : undefined;
  }

  #delete(group: ClassicGroup, request: GroupRequest, context: GroupContext): void {
    const { groupId } = group;
    if (group.state !== 'Empty' || group.pendingMembers.size > 0) {
      context.replies.push(
        refusal(request, failure('NON_EMPTY_GROUP', `Group ${groupId} is ${group.state}.`)),
      );
      return;
    }
    context.records.push(...groupTombstones(groupId, this.#offsets.latest(groupId)));
    context.replies.push({ type: 'deleteGroup', requestId: request.requestId, response: { ok: true } });
  }

  /** At `nextDeadlineMs`: sessions and phases that are over. */
  tick(time: GroupTime): GroupOutput {
    const context = this.#context(time);
    if (this.#serving !== 'active') return this.#output(context);
    while (context.records.length < this.#settings.maxRecordsPerWrite) {
      const groupId = this.#deadlines.takeDue(time.nowMs);
      if (groupId === undefined) break;
      const group = this.#groups.get(groupId as GroupId);
      if (group === undefined) continue;
      tickGroup(group, context);
      this.#keepOrForget(group, context);
    }
    return this.#output(context);
  }

  /** Whoever is parked is told `failed`, and may ask again; nothing changes for the groups. */
  answerParked(failed: Failure, time: GroupTime): GroupOutput {
    const context = this.#context(time);
    for (const group of this.#groups.values()) {
      failParked(group, failed, context);
      this.#keep(group);
    }
    return this.#output(context);
  }

  /** Requests could not be taken for a while: every time-out begins anew. */
  renewDeadlines(time: GroupTime): GroupOutput {
    for (const group of this.#groups.values()) {
      renewDeadlines(group, time, this.#settings);
      this.#keep(group);
    }
    return this.#output(this.#context(time));
  }

  /** The high watermark of the partition: everything below it is committed. Also while loading. */
  committed(highWatermark: number, time: GroupTime): GroupOutput {
    this.#offsets.commit(highWatermark);
    this.#metadata.commit(highWatermark);
    const context = this.#context(time);
    const pending = this.#pendingAssignments;
    let count = 0;
    for (const { groupId, offset } of pending) {
      if (offset >= highWatermark) break;
      count++;
      const group = this.#groups.get(groupId);
      if (group?.pendingAssignment?.offset !== offset) continue;
      assignmentCommitted(group, context);
      this.#keep(group);
    }
    if (count > 0) this.#pendingAssignments = pending.slice(count);
    return this.#output(context);
  }

  /** Records at `endOffset` and above are not in the log any more, and never were committed. `writeFailed` follows for each output. */
  revertTo(endOffset: number): void {
    this.#offsets.revertTo(endOffset);
    for (const groupId of this.#metadata.revertTo(endOffset)) {
      const group = this.#groups.get(groupId as GroupId);
      const stored = this.#stored(groupId as GroupId);
      // A group that was deleted and made again in what is taken back goes on from where it was.
      if (group !== undefined && stored !== undefined && group.generation < stored.generation) {
        group.generation = stored.generation;
      }
    }
    this.#pendingAssignments = this.#pendingAssignments.filter(({ offset }) => offset < endOffset);
  }

  /** The records of an output are not in the log: who waited for them is told, and a generation that was to begin with them does not. */
  writeFailed(output: GroupOutput, error: ErrorName, time: GroupTime): GroupOutput {
    const context = this.#context(time);
    const failed = failure(coordinatorError(error));
    context.replies.push(...failedReplies(output.replies, error));
    for (const record of output.records) {
      if (record.type !== 'group') continue;
      const group = this.#groups.get(record.groupId);
      if (group === undefined) this.#membersAreBack(record.groupId, time);
      if (record.value === undefined || group === undefined) continue;
      if (group.generation !== record.value.generation) continue;
      assignmentNotStored(group, failed, context);
      this.#keep(group);
    }
    return this.#output(context);
  }

  /** Of a group whose end is not in the log: what is stored has members again, and they begin a session. */
  #membersAreBack(groupId: GroupId, { nowMs }: GroupTime): void {
    const stored = this.#stored(groupId);
    if (this.#serving !== 'active' || stored === undefined || stored.members.length === 0) return;
    this.#keep(ClassicGroup.fromStore(groupId, stored, nowMs));
  }

  /** Another broker coordinates now. Whoever is parked is answered; replies that wait for the high watermark are the caller's. */
  resign(time: GroupTime): GroupOutput {
    const context = this.#context(time);
    for (const group of this.#groups.values()) resignGroup(group, failure('NOT_COORDINATOR'), context);
    this.#groups.clear();
    this.#pendingAssignments = [];
    this.#serving = 'resigned';
    return { records: [], replies: context.replies, nextDeadlineMs: Infinity };
  }

  /** What is committed, of the partitions or (undefined) of all there are. */
  fetchOffsets(groupId: GroupId, partitions: readonly TopicPartition[] | undefined): FetchedOffsets {
    const refused = this.#notServing();
    if (refused !== undefined) return refused;
    const committed = this.#offsets.committed(groupId);
    if (partitions === undefined) {
      const offsets = [...committed].map(([key, value]) => ({ ...parseOffsetKey(key), committed: value }));
      return { ok: true, offsets };
    }
    const offsets = partitions.map(({ topic, partition }) => ({
      topic,
      partition,
      committed: committed.get(offsetKey({ topic, partition })),
    }));
    return { ok: true, offsets };
  }

  describe(groupId: GroupId): { readonly ok: true; readonly group: GroupDescription } | Failure {
    const refused = this.#notServing();
    if (refused !== undefined) return refused;
    const group = this.#find(groupId, { nowMs: 0, timestampMs: 0 });
    return group === undefined
      ? failure('GROUP_ID_NOT_FOUND', `There is no group ${groupId}.`)
      : { ok: true, group: describeGroup(group) };
  }

  list(): { readonly ok: true; readonly groups: readonly GroupSummary[] } | Failure {
    const refused = this.#notServing();
    if (refused !== undefined) return refused;
    const groups = this.#groupIds().map((groupId) => {
      const group = this.#find(groupId, { nowMs: 0, timestampMs: 0 })!;
      return { ...listedGroup(group), offsetCount: this.#offsets.committed(groupId).size };
    });
    return { ok: true, groups };
  }

  /**
   * What retention removes; to be called every `offsets.retention.check.interval.ms`, again at once while it answers records. With a
   * smaller `maxRecords` where those did not go into one batch.
   */
  expireOffsets(time: GroupTime, maxRecords = this.#settings.maxRecordsPerWrite): GroupOutput {
    const context = this.#context(time);
    if (this.#serving !== 'active') return this.#output(context);
    for (const groupId of this.#groupIds()) {
      const left = maxRecords - context.records.length;
      if (left <= 0) break;
      if (!this.#isStored(groupId)) continue;
      const group = this.#find(groupId, time)!;
      const offsets = this.#offsets.latest(groupId);
      context.records.push(...expiredRecords(group, offsets, time, this.#settings, left));
    }
    return this.#output(context);
  }

  /** A topic is gone, and so is what groups have read of it; again while it answers records, as with `expireOffsets`. */
  topicDeleted(topic: string, time: GroupTime, maxRecords = this.#settings.maxRecordsPerWrite): GroupOutput {
    const context = this.#context(time);
    if (this.#serving !== 'active') return this.#output(context);
    for (const groupId of this.#offsets.latestGroups()) {
      const left = maxRecords - context.records.length;
      if (left <= 0) break;
      const offsets = this.#offsets.latest(groupId);
      const removed = offsetTombstones(groupId as GroupId, offsets, (place) => place.topic === topic);
      context.records.push(...removed.slice(0, left));
    }
    return this.#output(context);
  }

  #stored(groupId: GroupId): StoredGroup | undefined {
    return this.#metadata.latest(groupId).get(METADATA);
  }

  #isStored(groupId: GroupId): boolean {
    return this.#stored(groupId) !== undefined || this.#offsets.latest(groupId).size > 0;
  }

  #find(groupId: GroupId, time: GroupTime): ClassicGroup | undefined {
    const group = this.#groups.get(groupId);
    if (group !== undefined || !this.#isStored(groupId)) return group;
    return ClassicGroup.fromStore(groupId, this.#stored(groupId), time.nowMs);
  }

  #groupIds(): readonly GroupId[] {
    const ids = [...this.#groups.keys(), ...this.#metadata.latestGroups(), ...this.#offsets.latestGroups()];
    return [...new Set(ids)] as GroupId[];
  }

  #keep(group: ClassicGroup): void {
    this.#groups.set(group.groupId, group);
    group.refreshDeadline();
    this.#deadlines.set(group.groupId, group.earliestDeadlineMs);
  }

  /** A group that nobody joined in the end, and of which nothing is stored, was never there. */
  #keepOrForget(group: ClassicGroup, context: GroupContext): void {
    const { groupId } = group;
    const hasNobody = group.state === 'Empty' && group.pendingMembers.size === 0;
    const isWritten = context.records.some((record) => record.groupId === groupId);
    if (hasNobody && !isWritten && !this.#isStored(groupId)) this.#forget(group);
    else this.#keep(group);
  }

  #forget(group: ClassicGroup): void {
    this.#groups.delete(group.groupId);
    this.#deadlines.set(group.groupId, Infinity);
  }

  #notServing(): Failure | undefined {
    if (this.#serving === 'active') return undefined;
    return failure(this.#serving === 'loading' ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'NOT_COORDINATOR');
  }

  #context(time: GroupTime): GroupContext {
    return { time, settings: this.#settings, records: [], replies: [] };
  }

  #output({ records, replies }: GroupContext): GroupOutput {
    return { records, replies, nextDeadlineMs: this.#deadlines.nextDeadlineMs };
  }
}

function refusal(request: GroupRequest, failed: Failure): GroupReply {
  const { type, requestId } = request;
  if (type !== 'join') return { type, requestId, response: failed };
  return { type, requestId, response: { ...failed, memberId: request.memberId } };
}
