// One partition this node hosts: its log, the role the metadata gives this replica in it (leader, follower, or for a moment neither),
// and everybody who waits for the high watermark to move.
//
// A new leader epoch ends the role of the old one at once and begins a new one as soon as the log is quiet: what is queued to be
// written may fail, and a cut under way goes on, and either would move the end a role begins at.
//
// A leader whose session is over (the controller has not answered its broker for broker.session.timeout.ms) may have been replaced
// without hearing of it. It goes on to serve what is below its high watermark: that is committed, and the next leader has it. It
// does nothing else: it takes no records under any acks, answers those who wait for a commit that nobody here can tell the outcome,
// acknowledges no record under acks=1 that was written meanwhile, deletes none, does not say where the log ends, and keeps no
// reader waiting for more. All get NOT_LEADER_OR_FOLLOWER, which sends clients to look for the leader. Nothing of this is needed
// for what acks=all promises, since an isolated leader cannot raise its high watermark (rule 10); it makes clients leave early, and
// acks=1 lose less.

import {
  failure,
  invariant,
  isThrottledReplica,
  type BrokerId,
  type Failure,
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
  type TopicId,
  type TopicName,
} from '@tidemark/core';
import type { PartitionImage } from '@tidemark/controller';
import type { AppendResult, PartitionLog } from '@tidemark/log';
import type { Codecs, ValidatedBatch } from '@tidemark/record';
import type { LeaderSettings } from '@tidemark/replication';
import { CommitWaiters } from './commit-waiters.ts';
import type { PartitionWatcher, Watchable } from './fetch-purgatory.ts';
import { FollowingReplica } from './replica/following-replica.ts';
import { LeadingReplica } from './replica/leading-replica.ts';
import type { ReplicaContext } from './replica/replica-context.ts';
import type { AcksLevel, ReplicaDescription } from './requests.ts';
import type { TopicSettings } from './topic-settings.ts';

export interface LeaderHint {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

export type Appended = Exclude<AppendResult, Failure>;

export interface PartitionOptions {
  readonly context: ReplicaContext;
  readonly codecs: Codecs;
  readonly topic: { readonly name: TopicName; readonly id: TopicId };
  readonly image: PartitionImage;
  readonly log: PartitionLog;
  readonly settings: TopicSettings;
  /** As it was written down last; undefined: nothing was. */
  readonly savedHighWatermark: Offset | undefined;
}

export class Partition implements Watchable {
  readonly topic: TopicName;
  readonly topicId: TopicId;
  readonly index: PartitionIndex;
  readonly log: PartitionLog;
  readonly #context: ReplicaContext;
  readonly #codecs: Codecs;
  readonly #waiters = new CommitWaiters();
  readonly #watchers = new Set<PartitionWatcher>();
  #image: PartitionImage;
  #settings: TopicSettings;
  #role: LeadingReplica | FollowingReplica | undefined;
  /** Between two roles. */
  #keptHighWatermark: Offset;
  #closedBy: Failure | undefined;
  /** Bytes of batches that became readable since the partition was opened; only ever grows. */
  #readableBytes = 0;
  #disturbances = 0;

  constructor(options: PartitionOptions) {
    const { context, topic, image, log, settings, savedHighWatermark } = options;
    this.#context = context;
    this.#codecs = options.codecs;
    this.topic = topic.name;
    this.topicId = topic.id;
    this.index = image.partition;
    this.#image = image;
    this.log = log;
    this.#settings = settings;
    this.#keptHighWatermark = savedHighWatermark ?? log.logStartOffset;
    this.#change();
  }

  get settings(): TopicSettings {
    return this.#settings;
  }

  get highWatermark(): Offset {
    return this.#role?.highWatermark ?? this.#keptHighWatermark;
  }

  get readableBytes(): number {
    return this.#readableBytes;
  }

  /** How often those who watch were told that what was read before may not hold any more. */
  get disturbances(): number {
    return this.#disturbances;
  }

  get leaderEpoch(): LeaderEpoch {
    return this.#image.leaderEpoch;
  }

  get isLeader(): boolean {
    return this.leading !== undefined;
  }

  /** This replica as the leader; undefined while it does not lead. */
  get leading(): LeadingReplica | undefined {
    return this.#role?.role === 'leader' ? this.#role : undefined;
  }

  /** The metadata says that this broker leads; it may not have begun yet. */
  get isToLead(): boolean {
    return this.#closedBy === undefined && this.#image.leader === this.#context.self;
  }

  get inSyncReplicas(): readonly BrokerId[] {
    return this.leading?.inSyncReplicas ?? this.#image.isr;
  }

  /** Who leads, and since when; undefined while that is this broker as far as it knows, and it cannot know. */
  get leaderHint(): LeaderHint | undefined {
    if (this.isolation !== undefined) return undefined;
    return { leaderId: this.#image.leader, leaderEpoch: this.#image.leaderEpoch };
  }

  /** Why nothing new comes of this leader: it has lost the controller for as long as a session. */
  get isolation(): Failure | undefined {
    if (this.leading?.isIsolated !== true) return undefined;
    return failure(
      'NOT_LEADER_OR_FOLLOWER',
      `the controller has not answered broker ${this.#context.self} for as long as a session: another may lead ${this.topic}-${this.index} by now`,
    );
  }

  /** Leadership and epoch as a client believes them, checked against what the metadata says (KIP-320). */
  checkLeader(currentLeaderEpoch: LeaderEpoch | undefined): Failure | undefined {
    if (this.#closedBy !== undefined) return this.#closedBy;
    const { leader, leaderEpoch } = this.#image;
    const name = `${this.topic}-${this.index}`;
    if (currentLeaderEpoch !== undefined && currentLeaderEpoch < leaderEpoch) {
      return failure(
        'FENCED_LEADER_EPOCH',
        `leader epoch ${currentLeaderEpoch} is over; ${name} is in epoch ${leaderEpoch}: refresh the metadata`,
      );
    }
    if (currentLeaderEpoch !== undefined && currentLeaderEpoch > leaderEpoch) {
      return failure(
        'UNKNOWN_LEADER_EPOCH',
        `this broker knows ${name} in leader epoch ${leaderEpoch}, not yet in ${currentLeaderEpoch}: try again`,
      );
    }
    if (leader === this.#context.self) {
      if (this.isLeader) return undefined;
      return failure('LEADER_NOT_AVAILABLE', `this broker is taking over ${name}: try again`);
    }
    return leader === -1
      ? failure('LEADER_NOT_AVAILABLE', `${name} has no leader at the moment`)
      : failure('NOT_LEADER_OR_FOLLOWER', `${name} is led by broker ${leader}`);
  }

  /** Why nothing can be appended with these acks. The caller has checked leadership in the same turn. */
  checkAppend(acks: AcksLevel): Failure | undefined {
    const refused = this.leading?.checkAppend(acks);
    return refused === undefined ? undefined : this.#withName(refused);
  }

  /** Appends as leader. The caller has checked leadership in the same turn. */
  append(bytes: Uint8Array, batches: readonly ValidatedBatch[]): Appended | Failure {
    invariant(this.isLeader, 'only the leader appends', { topic: this.topic, partition: this.index });
    const appended = this.log.append(bytes, batches, {
      leaderEpoch: this.#image.leaderEpoch,
      origin: 'leader',
      // The request is done with its bytes. Where they are a small part of a message, the tail had better keep a copy of them
      // than the whole message alive.
      handOver: bytes.byteLength * 2 >= bytes.buffer.byteLength,
    });
    if (appended.ok && !appended.duplicate) {
      this.#waiters.appended(endOf(appended.lastOffset), bytes.length, appended.written);
    }
    return appended;
  }

  /** Resolves when everything below `endOffset` is committed, or with why that will not be told. */
  whenCommitted(endOffset: Offset): Promise<Failure | undefined> {
    if (this.#closedBy !== undefined) return Promise.resolve(this.#closedBy);
    if (this.highWatermark >= endOffset) return Promise.resolve(this.#afterAppend());
    const { isolation } = this;
    return isolation === undefined ? this.#waiters.wait(endOffset) : Promise.resolve(isolation);
  }

  watch(watcher: PartitionWatcher): void {
    this.#watchers.add(watcher);
  }

  unwatch(watcher: PartitionWatcher): void {
    this.#watchers.delete(watcher);
  }

  /** Takes over what the metadata says now. */
  update(image: PartitionImage, settings: TopicSettings): void {
    if (this.#closedBy !== undefined) return;
    const before = this.#image;
    if (settings !== this.#settings) {
      this.#settings = settings;
      this.log.updateConfig(settings.log);
    }
    this.#image = image;
    if (before.leader === image.leader && before.leaderEpoch === image.leaderEpoch) {
      if (image.leader === this.#context.self) this.#observeIsr(before.isr, image.isr);
      this.leading?.metadataChanged(image, this.#leaderSettings);
      return;
    }
    const gone = failure(
      'NOT_LEADER_OR_FOLLOWER',
      `the leader of ${this.topic}-${this.index} changed before the batch was committed`,
    );
    this.#leaveRole(failure('FENCED_LEADER_EPOCH', `leader epoch ${before.leaderEpoch} is over`));
    this.#waiters.fail(gone);
    this.#change();
    this.#disturb();
  }

  #observeIsr(before: readonly BrokerId[], now: readonly BrokerId[]): void {
    const { observer } = this.#context;
    if (observer === undefined || before === now) return;
    if (before.some((id) => !now.includes(id))) observer.isrChanged('shrunk');
    if (now.some((id) => !before.includes(id))) observer.isrChanged('expanded');
  }

  /** A broker was registered, fenced, unfenced or began to shut down. */
  brokersChanged(): void {
    this.leading?.metadataChanged(this.#image, this.#leaderSettings);
  }

  /** The log start moved: readers below it must be told, and followers delete what is gone. */
  logStartMoved(): void {
    this.#role?.logStartMoved();
    this.#disturb();
  }

  /** Nothing is served any more: the topic is deleted or the node is closing. Everybody who waits gets `why`. */
  close(why: Failure): void {
    if (this.#closedBy !== undefined) return;
    this.#closedBy = why;
    this.#leaveRole(why);
    this.#waiters.fail(why);
    this.#disturb();
  }

  describe(): ReplicaDescription {
    const { log, topic, topicId, index } = this;
    return {
      topic,
      topicId,
      partition: index,
      isLeader: this.isLeader,
      inSync: this.inSyncReplicas.includes(this.#context.self),
      leaderEpoch: this.leaderEpoch,
      leaderEpochs: log.leaderEpochs,
      standing: this.#standing(),
      logStartOffset: log.logStartOffset,
      highWatermark: this.highWatermark,
      logEndOffset: log.logEndOffset,
      flushedOffset: log.flushedOffset,
      sizeBytes: log.sizeBytes,
      segmentCount: log.segmentCount,
    };
  }

  #standing(): ReplicaDescription['standing'] {
    const role = this.#role;
    switch (role?.role) {
      case undefined:
        return { role: 'changing' };
      case 'leader':
        return {
          role: 'leader',
          epochStartOffset: role.epochStartOffset,
          isIsolated: role.isIsolated,
          followers: role.followers(),
          refusal: this.checkAppend('all'),
        };
      case 'follower':
        return { role: 'follower', leader: role.leader, state: role.state, refusal: role.refusal };
    }
  }

  get #leaderSettings(): LeaderSettings {
    return {
      minInsyncReplicas: this.#settings.minInsyncReplicas(this.#image.replicas.length),
      replicaLagTimeMaxMs: this.#context.settings.lagTimeMaxMs,
    };
  }

  #leaveRole(why: Failure): void {
    const role = this.#role;
    if (role === undefined) return;
    this.#keptHighWatermark = role.highWatermark;
    this.#role = undefined;
    if (role.role === 'leader') {
      role.end(why);
      this.#context.leaderships.ended(this, role);
    } else role.end();
  }

  /** The log comes to rest, then the role of the present epoch begins. */
  #change(): void {
    if (this.log.isQuiet) {
      this.#takeRole();
      return;
    }
    const { leaderEpoch } = this.#image;
    this.log.quiet().then(
      () => {
        if (this.#image.leaderEpoch === leaderEpoch && this.#role === undefined) this.#takeRole();
      },
      // Its folder is offline by then, and the process ends.
      (cause: unknown) => this.#context.onError(cause, `taking a role in ${this.log.name}`),
    );
  }

  #takeRole(): void {
    const { leader, leaderEpoch } = this.#image;
    const { self } = this.#context;
    if (this.#closedBy !== undefined || leader === -1) return;
    const { log, topicId, index } = this;
    const shared = { context: this.#context, topicId, index, log, highWatermark: this.#boundHighWatermark() };
    if (leader === self) {
      const role = new LeadingReplica({
        ...shared,
        image: this.#image,
        settings: this.#leaderSettings,
        isThrottled: () => isThrottledReplica(this.#settings.leaderThrottled, index, self),
        onHighWatermark: (from) => this.#highWatermarkMoved(role, from),
        onShortfall: (why) => this.#fellShort(this.#withName(why)),
        onIsolation: () => this.#isolationChanged(role),
      });
      this.#role = role;
      role.begin();
      this.#context.exchange.rolesChanged();
      this.#context.leaderships.began(this, role);
    } else {
      const onLogStart = (): void => this.#disturb();
      const role = new FollowingReplica({
        ...shared,
        leader,
        leaderEpoch,
        codecs: this.#codecs,
        isThrottled: () =>
          isThrottledReplica(this.#settings.followerThrottled, index, self) &&
          !this.#image.isr.includes(self),
        onLogStart,
      });
      this.#role = role;
      role.begin();
    }
  }

  /** What was known to be committed, as far as this log has it. */
  #boundHighWatermark(): Offset {
    const { logStartOffset, nextOffset } = this.log;
    const bounded = Math.min(Math.max(this.#keptHighWatermark, logStartOffset), nextOffset);
    return bounded as Offset;
  }

  #highWatermarkMoved(role: LeadingReplica, from: Offset): void {
    if (this.#role !== role) return;
    const bytes = this.#waiters.passed(role.highWatermark, () => this.#afterAppend());
    this.#readableBytes += bytes;
    // What earlier leaders appended was counted by nobody.
    if (from < role.epochStartOffset) this.#disturb();
    else for (const watcher of [...this.#watchers]) watcher.progressed(bytes);
  }

  #isolationChanged(role: LeadingReplica): void {
    const { isolation } = this;
    if (this.#role !== role || isolation === undefined) return;
    this.#fellShort(isolation);
    this.#disturb();
  }

  #fellShort(why: Failure): void {
    this.#waiters.refuse(why);
    for (const watcher of [...this.#watchers]) watcher.fellShort?.(why);
  }

  /** The in-sync replicas may have become too few between append and commit: then the outcome is unknown (KIP-966 §minISR). */
  #afterAppend(): Failure | undefined {
    const failed = this.leading?.checkCommitted();
    return failed === undefined ? undefined : this.#withName(failed);
  }

  #withName(failed: Failure): Failure {
    return { ...failed, message: `${this.topic}-${this.index}: ${failed.message}` };
  }

  #disturb(): void {
    this.#disturbances += 1;
    for (const watcher of [...this.#watchers]) watcher.disturbed();
  }
}

export const endOf = (lastOffset: Offset): Offset => (lastOffset + 1) as Offset;
