// Drives one replica of the quorum: messages and time in, and what the machine wants written, sent and applied done in the order
// its `Ready` demands (raft/src/ready.ts). Entries are handed to the log as they come, so that those of several `Ready`s share a
// sync; what waits for the disk waits in a line of its own, and a slow disk does not silence the replica.
//
// A failed write ends it: nothing is retried, nothing is sent any more, and `onFatal` is told.

import {
  failure,
  invariant,
  TidemarkError,
  type Clock,
  type Failure,
  type LeaderEpoch,
  type NodeId,
  type Offset,
  type Term,
  type Timer,
} from '@tidemark/core';
import type { PartitionLog } from '@tidemark/log';
import {
  decodeMessage,
  encodeMessage,
  Raft,
  type Entry,
  type EntryRead,
  type PeerEndpoint,
  type RaftMessage,
  type RaftOptions,
  type RaftProposed,
  type RaftStatus,
  type Ready,
  type ReplicaKey,
  type SnapshotPiece,
  type SnapshotRead,
  type VoterChange,
  type VoterSet,
} from '@tidemark/raft';
import type { PeerChannel } from '../peer-router.ts';
import { entriesOf, entryBatch, entryFault } from './entry-batches.ts';
import type { MetadataStore } from './metadata-store.ts';

/** What the quorum needs of a `PartitionLog` opened with `metadataLogConfig`. */
export type MetadataLog = Pick<
  PartitionLog,
  | 'append'
  | 'read'
  | 'flush'
  | 'truncateTo'
  | 'truncateFullyAndStartAt'
  | 'nextOffset'
  | 'logStartOffset'
  | 'logEndOffset'
  | 'sizeBytes'
  | 'runRetention'
  | 'checkpoint'
>;

/** Who gives the committed entries a meaning. */
export interface QuorumListener {
  /** In the order of the offsets, each offset once, entries of Raft itself included. Synchronous. */
  committed(entries: readonly Entry[]): void;
  /** A snapshot takes the place of everything applied. It is stored when this resolves. */
  install(snapshot: NonNullable<Ready['install']>): Promise<void>;
  readSnapshot(read: SnapshotRead): Promise<SnapshotPiece | undefined>;
  /** Role, term or leader changed, or the leader began to serve. Nothing this node proposed before counts on it any more. */
  roleChanged(): void;
}

export interface RaftQuorumOptions {
  readonly raft: Omit<RaftOptions, 'observer'> & Pick<RaftOptions, 'observer'>;
  readonly log: MetadataLog;
  readonly store: MetadataStore;
  readonly channel: PeerChannel;
  readonly clock: Clock;
  readonly listener: QuorumListener;
  /** An observer said where it can be reached. */
  readonly onPeer: (node: NodeId, endpoint: PeerEndpoint) => void;
  readonly onFatal: (cause: unknown) => void;
}

interface WaitingRead {
  readonly settle: (answer: { readonly ok: true; readonly offset: Offset } | Failure) => void;
}

export class RaftQuorum {
  readonly #options: RaftQuorumOptions;
  readonly #raft: Raft;
  readonly #reads = new Map<number, WaitingRead>();
  #nextRead = 0;
  /** A `Ready` is being taken; a term or vote may be on its way to the disk. */
  #isRunning = false;
  #run: Promise<void> = Promise.resolve();
  /** What waits for the disk, in the order it was taken. */
  #line: Promise<void> = Promise.resolve();
  /** Writes that began, or begin, in the line: the next one must not overtake them. */
  #waitingWrites = 0;
  /** `Ready`s in the line whose committed entries are to be applied there. */
  #unapplied = 0;
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined;
  /** What is being read for others. */
  readonly #asides = new Set<Promise<void>>();
  #isClosed = false;
  #hasFailed = false;
  #roleText = '';
  #rejected = 0;

  constructor(options: RaftQuorumOptions) {
    this.#options = options;
    this.#raft = new Raft(options.raft, options.clock.monotonicMs());
    options.channel.onMessage(({ from, payload }) => this.#receive(from, payload));
  }

  /** Begins to take part. */
  start(campaignNow: boolean): void {
    if (campaignNow) this.#raft.campaignNow(this.#now());
    this.#kick();
  }

  get status(): RaftStatus {
    return this.#raft.status(this.#now());
  }

  /** Messages that could not be read, held an entry that is damaged, or were another node's than they said. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Whether this node leads and its commit offset is the cluster's; not once it takes part no longer. */
  get isServing(): boolean {
    return !this.#isClosed && this.#raft.isServing;
  }

  get isLeader(): boolean {
    return !this.#isClosed && this.#raft.role === 'leader';
  }

  get term(): Term {
    return this.#raft.term;
  }

  get leader(): ReplicaKey | undefined {
    return this.#raft.leader;
  }

  /** Whom this node has replaced as the leader, and when that was heard last. */
  get predecessor(): Raft['predecessor'] {
    return this.#raft.predecessor;
  }

  /** Those in force. */
  get voters(): VoterSet {
    return this.#raft.voters;
  }

  get logEndOffset(): Offset {
    return this.#raft.logEndOffset;
  }

  votersAsOf(offset: Offset): VoterSet {
    return this.#raft.votersAsOf(offset);
  }

  /** `batch` is one record batch, `count` records wide; it is this quorum's from now on. */
  propose(batch: Uint8Array, count: number): RaftProposed | Failure {
    if (this.#isClosed) return stopped();
    const proposed = this.#raft.propose(batch, count, this.#now());
    this.#kick();
    return proposed;
  }

  proposeVoters(change: VoterChange): RaftProposed | Failure {
    if (this.#isClosed) return stopped();
    const proposed = this.#raft.proposeVoters(change, this.#now());
    this.#kick();
    return proposed;
  }

  transferLeadership(to: NodeId | undefined): { readonly ok: true } | Failure {
    if (this.#isClosed) return stopped();
    const begun = this.#raft.transferLeadership(to, this.#now());
    this.#kick();
    return begun;
  }

  /** Nobody listens where `peer` should be. */
  peerRefused(peer: NodeId): void {
    if (this.#isClosed) return;
    this.#raft.refused(peer, this.#now());
    this.#kick();
  }

  /** The commit offset of the cluster at some moment between the call and the answer. Failures: NOT_CONTROLLER, THROTTLING_QUOTA_EXCEEDED. */
  readIndex(): Promise<{ readonly ok: true; readonly offset: Offset } | Failure> {
    if (this.#isClosed) return Promise.resolve(stopped());
    const id = this.#nextRead++;
    return new Promise((settle) => {
      this.#reads.set(id, { settle });
      this.#raft.readIndex(id);
      this.#kick();
    });
  }

  /** What is below is in a snapshot on this disk, and older log is removed as the log's configuration says. */
  async removeOldLog(savedOffset: Offset): Promise<void> {
    const { log, clock } = this.#options;
    await log.runRetention(clock.wallMs(), savedOffset);
    this.#raft.logRemovedBefore(log.logStartOffset);
    this.#raft.snapshotTaken(savedOffset);
  }

  /** Takes part no longer. Resolves when what is being written is written. */
  async close(): Promise<void> {
    this.#stop();
    await this.#run;
    await this.#line;
    await Promise.all(this.#asides);
  }

  /** This replica has no say any more: it says nothing, what waits for it is given up, and `onFatal` is told. Once. */
  fail(cause: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#stop();
    this.#options.listener.roleChanged();
    this.#options.onFatal(cause);
  }

  #stop(): void {
    this.#isClosed = true;
    this.#timer?.timer.cancel();
    for (const { settle } of this.#reads.values()) settle(stopped());
    this.#reads.clear();
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  #receive(from: NodeId, payload: Uint8Array): void {
    if (this.#isClosed) return;
    const decoded = decodeMessage(payload);
    if (!decoded.ok) {
      this.#rejected += 1;
      return;
    }
    const { message } = decoded;
    if (message.from.nodeId !== from) {
      this.#rejected += 1;
      return;
    }
    if (message.type === 'append' && message.entries.some((entry) => entryFault(entry) !== undefined)) {
      this.#rejected += 1;
      return;
    }
    if (message.type === 'join') this.#options.onPeer(message.from.nodeId, message.endpoint);
    this.#raft.step(message, this.#now());
    this.#kick();
  }

  /** There may be something to do. Never inside a step of the machine. */
  #kick(): void {
    if (this.#isClosed || this.#isRunning) return;
    this.#isRunning = true;
    // Not at once: what is asked for in the same turn goes out together.
    this.#run = Promise.resolve().then(() => this.#takeAll());
  }

  async #takeAll(): Promise<void> {
    try {
      while (!this.#isClosed && this.#raft.hasReady) await this.#serve(this.#raft.takeReady(this.#now()));
      this.#isRunning = false;
      this.#arm();
    } catch (cause) {
      this.fail(cause);
    }
  }

  async #serve(ready: Ready): Promise<void> {
    if (ready.hardState !== undefined) await this.#options.store.saveHardState(ready.hardState);
    if (this.#isClosed) return;
    this.#send(ready.messages);
    this.#tellRole();
    this.#settleReads(ready);
    const { committed } = ready;
    // What is committed is on this disk already: it is applied at once, unless something before it is not applied yet.
    const isNext = this.#waitingWrites === 0 && this.#unapplied === 0;
    if (committed.length > 0) {
      if (isNext) this.#options.listener.committed(committed);
      else this.#unapplied += 1;
    }
    const written = this.#write(ready);
    this.#line = this.#line
      .then(() => written)
      .then(() => this.#written(ready, isNext))
      .catch((cause: unknown) => this.fail(cause));
    for (const read of ready.reads) this.#readEntries(read);
    for (const read of ready.snapshotReads) this.#readSnapshot(read);
  }

  /** Step 4, and step 5 if that is to be done yet. */
  #written(ready: Ready, isApplied: boolean): void {
    if (this.#isClosed) return;
    this.#raft.persisted(ready);
    this.#send(ready.messagesAfterPersist);
    if (ready.committed.length > 0 && !isApplied) {
      this.#unapplied -= 1;
      this.#options.listener.committed(ready.committed);
    }
    this.#tellRole();
    this.#kick();
  }

  /** Step 3. Entries need not wait for those before to be synced, only for what cuts the log, and for what waits for that. */
  #write(ready: Ready): Promise<void> | undefined {
    const { install, truncateTo, entries } = ready;
    const isCut = install !== undefined || truncateTo !== undefined;
    if (!isCut && entries.length === 0) return undefined;
    let work: Promise<void>;
    if (isCut || this.#waitingWrites > 0) {
      this.#waitingWrites += 1;
      work = this.#line.then(() => (isCut ? this.#cut(ready) : this.#append(entries)));
      const over = (): void => {
        this.#waitingWrites -= 1;
      };
      work.then(over, over);
    } else work = this.#append(entries);
    // Told in its turn.
    work.catch(() => undefined);
    return work;
  }

  async #cut({ install, truncateTo, entries }: Ready): Promise<void> {
    const { log, listener } = this.#options;
    if (this.#isClosed) return;
    if (install !== undefined) {
      // The image first: a log that is behind its image is begun anew at the next start, an image behind its log never is.
      await listener.install(install);
      await log.truncateFullyAndStartAt(install.snapshot.endOffset);
    }
    if (truncateTo !== undefined && truncateTo < log.nextOffset) await log.truncateTo(truncateTo);
    if (entries.length > 0) await this.#append(entries);
  }

  async #append(entries: readonly Entry[]): Promise<void> {
    const { log } = this.#options;
    if (this.#isClosed) return;
    const written = entries.map((entry) => {
      const { bytes, batches } = entryBatch(entry);
      const leaderEpoch = entry.term as number as LeaderEpoch;
      // What waits is bounded by `RaftLimits`; a refusal, because the partitions of the folder have filled it, would end the replica.
      const options = { leaderEpoch, origin: 'follower', handOver: true, isUrgent: true } as const;
      const appended = gapBefore(entry, log) ?? log.append(bytes, batches, options);
      // Not thrown: those before it are on their way, and somebody must hear what becomes of them.
      return appended.ok ? appended.written : Promise.reject(TidemarkError.from(appended));
    });
    await Promise.all([...written, log.flush()]);
  }

  #send(messages: readonly RaftMessage[]): void {
    for (const message of messages) {
      this.#options.channel.sendPrefixed(message.to.nodeId, encodeMessage(message, 1));
    }
  }

  #tellRole(): void {
    const { role, term, leader, isServing } = this.#raft;
    const text = `${role} ${term} ${leader?.nodeId ?? ''} ${isServing}`;
    if (text === this.#roleText) return;
    this.#roleText = text;
    this.#options.listener.roleChanged();
  }

  #settleReads({ confirmedReads, failedReads }: Ready): void {
    for (const { id, offset } of confirmedReads) this.#settleRead(id, { ok: true, offset });
    for (const { id, cause } of failedReads) this.#settleRead(id, cause);
  }

  #settleRead(id: number, answer: { readonly ok: true; readonly offset: Offset } | Failure): void {
    const read = this.#reads.get(id);
    this.#reads.delete(id);
    read?.settle(answer);
  }

  /** Old entries for a replica that is behind; beside everything else. What cannot be read is tried again later. */
  #readEntries({ to, from, upTo, maxBytes }: EntryRead): void {
    this.#aside(async () => {
      const found = await readEntries(this.#options.log, from, upTo, maxBytes);
      this.#raft.entriesRead(to, from, found.ok ? found.entries : []);
    });
  }

  #readSnapshot(read: SnapshotRead): void {
    this.#aside(async () => {
      const piece = await this.#options.listener.readSnapshot(read);
      this.#raft.snapshotPiece(read.to, piece, this.#now());
    });
  }

  #aside(work: () => Promise<void>): void {
    const done = work().then(
      () => this.#kick(),
      (cause: unknown) => this.fail(cause),
    );
    this.#asides.add(done);
    void done.then(() => this.#asides.delete(done));
  }

  /** One timer, for the machine's next deadline; one that is set too early only asks in vain. */
  #arm(): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    const atMs = this.#raft.deadlineMs;
    if (this.#timer !== undefined && this.#timer.atMs <= atMs) return;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    if (atMs === Infinity) return;
    const delayMs = Math.max(0, Math.ceil(atMs - this.#now()));
    const timer = clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      this.#raft.tick(this.#now());
      this.#kick();
      this.#arm();
    });
    this.#timer = { atMs, timer };
  }
}

/** Whole entries of the log on disk. */
export async function readEntries(
  log: Pick<MetadataLog, 'read'>,
  from: Offset,
  upTo: Offset,
  maxBytes: number,
): Promise<{ readonly ok: true; readonly entries: readonly Entry[] } | Failure> {
  const read = await log.read(from, { maxBytes, upTo, atLeastOne: true });
  if (!read.ok) return read;
  const entries: Entry[] = [];
  for (const part of read.parts) {
    const decoded = entriesOf(part);
    if (!decoded.ok) return decoded;
    entries.push(...decoded.entries);
  }
  invariant(
    entries.every(({ endOffset }) => endOffset <= upTo),
    'nothing is read past the end',
  );
  return { ok: true, entries };
}

/**
 * A full disk takes back what waits to be written, and whoever wrote it hears of it a moment later. A log that takes the gaps of
 * compaction would take the next entries meanwhile, and the replica could never be opened again.
 */
function gapBefore(
  { baseOffset }: Entry,
  { nextOffset }: Pick<MetadataLog, 'nextOffset'>,
): Failure | undefined {
  if (baseOffset === nextOffset) return undefined;
  return failure('KAFKA_STORAGE_ERROR', `An entry at offset ${baseOffset} does not follow on ${nextOffset}.`);
}

const stopped = (): Failure => failure('NOT_CONTROLLER', 'The quorum on this node is shutting down.');
