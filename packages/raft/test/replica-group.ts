// A group of replicas without a network, a clock or a disk: messages lie in a soup until the test delivers, loses or repeats them,
// time is a number, and a disk writes when it is told to (or at once). Keeps the order of `ready.ts` as a driver must, and
// checks Raft's safety properties as it goes.

import { invariant, type NodeId, type Offset, type Prng, type Term } from '@tidemark/core';
import {
  decodeMessage,
  defaultRaftLimits,
  encodeMessage,
  findVoter,
  isSameReplica,
  Raft,
  replicaName,
  type EntryRead,
  type RaftLimits,
  type RaftMessage,
  type RaftTiming,
  type Ready,
  type ReplicaKey,
  type Role,
  type SnapshotPiece,
  type SnapshotRead,
  type Voter,
  type VoterSet,
} from '@tidemark/raft';
import { applied, diskSteps, FakeDisk, imageBytes, type DiskStep, type Image } from './fake-disk.ts';
import { LogMirror, SafetyChecker } from './safety-checker.ts';

export const timing: RaftTiming = {
  electionTimeoutMs: 1000,
  heartbeatIntervalMs: 200,
  checkQuorumMs: 1500,
  lingerMs: 0,
};

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** The directory id of a node's n-th disk. */
export function directoryId(node: number, disk: number): string {
  return `${LETTERS[disk]!}${String(node)}`.padEnd(22, 'A');
}

export function replicaOf(node: number, disk = 0): ReplicaKey {
  return { nodeId: node as NodeId, directoryId: directoryId(node, disk) };
}

export function voterOf(node: number, disk = 0): Voter {
  return { ...replicaOf(node, disk), endpoint: { host: `node${node}`, port: 9000 + node } };
}

export type Cheat = 'forgets votes' | 'acknowledges early' | 'loses entries' | 'mixes up reads';

export interface GroupOptions {
  readonly voters: readonly number[];
  readonly observers?: readonly number[];
  readonly timing?: Partial<RaftTiming>;
  readonly limits?: Partial<RaftLimits>;
  readonly prng: Prng;
  readonly preferredLeader?: number;
  /** False: a disk writes when `write` says so. */
  readonly writesAtOnce?: boolean;
  /**
   * While a disk writes, a driver takes the next `Ready` (pipelined), or only what is urgent, or it says nothing (taciturn).
   * Without it: pipelined.
   */
  readonly driver?: 'pipelined' | 'urgent' | 'taciturn';
  /** What drivers and disks do wrong, to prove that the checker finds it. */
  readonly cheat?: Cheat | undefined;
  /** Puts something on the disks before the first start. */
  readonly prepare?: (node: number, disk: FakeDisk) => void;
  /** What happens, as it happens. */
  readonly trace?: (event: GroupEvent) => void;
}

export type GroupEvent =
  | {
      readonly type: 'role';
      readonly node: number;
      readonly role: Role;
      readonly term: Term;
      readonly leader?: number;
    }
  | { readonly type: 'committed'; readonly node: number; readonly endOffset: Offset }
  | { readonly type: 'truncated'; readonly node: number; readonly endOffset: Offset }
  | { readonly type: 'installed'; readonly node: number; readonly endOffset: Offset }
  | { readonly type: 'voters'; readonly node: number; readonly voters: VoterSet }
  | { readonly type: 'read'; readonly node: number; readonly id: number; readonly outcome: string }
  | { readonly type: 'entryRead'; readonly node: number; readonly read: EntryRead }
  | { readonly type: 'snapshotRead'; readonly node: number; readonly read: SnapshotRead }
  | { readonly type: 'written'; readonly node: number; readonly step: DiskStep }
  | { readonly type: 'sent'; readonly message: RaftMessage };

interface Writing {
  readonly ready: Ready;
  /** Done before everything else, and before the messages go out. */
  hardState: DiskStep | undefined;
  readonly steps: DiskStep[];
}

type DiskRead =
  | { readonly type: 'entries'; readonly read: EntryRead }
  | { readonly type: 'snapshot'; readonly read: SnapshotRead };

interface SnapshotSending {
  readonly image: Image;
  readonly voters: VoterSet;
  piece: SnapshotPiece | undefined;
}

/** One node: its disk outlives its process, which is undefined while it is down. */
export class Member {
  readonly node: number;
  key: ReplicaKey;
  disk: FakeDisk;
  raft: Raft | undefined;
  mirror: LogMirror;
  image: Image;
  /** In the order in which they were taken. */
  writing: Writing[] = [];
  reads: DiskRead[] = [];
  sending = new Map<string, SnapshotSending>();
  /** By id: what was committed anywhere when the read was asked. */
  asked = new Map<number, Offset>();
  readsConfirmed = 0;
  readsFailed = 0;
  diskCount = 0;

  constructor(node: number, key: ReplicaKey, disk: FakeDisk) {
    this.node = node;
    this.key = key;
    this.disk = disk;
    this.image = disk.image;
    this.mirror = new LogMirror({ endOffset: 0 as Offset, term: 0 as Term }, []);
  }

  /** What the disk has still to do, in order. */
  get pendingSteps(): readonly DiskStep[] {
    const hardStates = this.writing.flatMap(({ hardState }) => hardState ?? []);
    return [...hardStates, ...this.writing.flatMap(({ steps }) => steps)];
  }

  get up(): Raft {
    invariant(this.raft !== undefined, 'this node is up', { node: this.node });
    return this.raft;
  }
}

export class ReplicaGroup {
  readonly options: GroupOptions;
  readonly members = new Map<number, Member>();
  readonly checker = new SafetyChecker();
  readonly #names = new Map<string, number>();
  soup: RaftMessage[] = [];
  nowMs = 0;
  /** How often time was told because it was due. */
  ticks = 0;
  onEvent: ((event: GroupEvent) => void) | undefined;
  writesAtOnce: boolean;
  /** Nodes whose disks wait for `write` and `serveRead`, when the others do not. */
  readonly held = new Set<number>();
  #nextRead = 1;

  constructor(options: GroupOptions) {
    this.options = options;
    this.onEvent = options.trace;
    this.writesAtOnce = options.writesAtOnce !== false;
    const voters = options.voters.map((node) => voterOf(node));
    for (const node of options.voters) this.#add(node, voters);
    for (const node of options.observers ?? []) this.#add(node, []);
    for (const { node, disk } of this.members.values()) {
      options.prepare?.(node, disk);
      this.start(node);
    }
  }

  get nodes(): readonly number[] {
    return [...this.members.keys()];
  }

  member(node: number): Member {
    const member = this.members.get(node);
    invariant(member !== undefined, 'there is such a node', { node });
    return member;
  }

  raft(node: number): Raft {
    return this.member(node).up;
  }

  isUp(node: number): boolean {
    return this.member(node).raft !== undefined;
  }

  /** The leader of the highest term among those that are up. */
  get leader(): Member | undefined {
    const leaders = [...this.members.values()].filter(({ raft }) => raft?.role === 'leader');
    return leaders.sort((a, b) => b.up.term - a.up.term)[0];
  }

  // --- the life of a node ---

  addObserver(node: number): void {
    this.#add(node, []);
    this.start(node);
  }

  start(node: number): void {
    const member = this.member(node);
    const { disk, key } = member;
    const { prng, preferredLeader } = this.options;
    member.image = disk.image;
    const { base, entries } = disk.logState();
    member.mirror = new LogMirror(base, entries);
    const bootstrapNodes = this.options.voters.map((voter) => voter as NodeId);
    member.raft = new Raft(
      {
        self: key,
        endpoint: voterOf(node).endpoint,
        prng,
        timing: { ...timing, ...this.options.timing },
        limits: { ...defaultRaftLimits, maxSnapshotPieceBytes: 40, ...this.options.limits },
        hardState: disk.hardState,
        voters: disk.imageVoters,
        log: disk.logState(),
        bootstrapNodes,
        preferredLeader: preferredLeader as NodeId | undefined,
        observer: this.#observer(member),
      },
      this.nowMs,
    );
    this.pump(node);
  }

  /** What was being written is on disk up to `stepsDone` steps of it. */
  crash(node: number, stepsDone = 0): void {
    const member = this.member(node);
    for (const step of member.pendingSteps.slice(0, stepsDone)) this.#do(member, step);
    if (member.raft !== undefined && member.raft.term > member.disk.hardState.term) {
      this.checker.forgot(member.key, member.raft.term);
    }
    this.#cheatAtCrash(member.disk);
    member.raft = undefined;
    member.writing = [];
    member.reads = [];
    member.sending.clear();
    member.asked.clear();
  }

  /** The node comes back with an empty disk, as somebody else. */
  wipe(node: number): void {
    this.crash(node);
    const member = this.member(node);
    member.diskCount++;
    member.key = replicaOf(node, member.diskCount);
    member.disk = new FakeDisk([]);
    this.start(node);
  }

  // --- what a test does ---

  tick(node: number): void {
    this.member(node).raft?.tick(this.nowMs);
    this.pump(node);
  }

  propose(node: number, text: string, count = 1): boolean {
    const result = this.raft(node).propose(new TextEncoder().encode(text), count, this.nowMs);
    this.pump(node);
    return result.ok;
  }

  read(node: number): number {
    const id = this.#nextRead++;
    const member = this.member(node);
    member.asked.set(id, this.checker.committedEnd.endOffset);
    member.up.readIndex(id);
    this.pump(node);
    return id;
  }

  /** Takes the message out of the soup and hands it over. */
  deliver(message: RaftMessage): void {
    this.lose(message);
    this.hand(message);
  }

  /** Hands it over, and leaves it in the soup. */
  hand(message: RaftMessage): void {
    const member = this.members.get(message.to.nodeId);
    if (member?.raft === undefined) return;
    const decoded = decodeMessage(encodeMessage(message));
    invariant(decoded.ok, 'what was encoded can be decoded', { type: message.type });
    member.raft.step(decoded.message, this.nowMs);
    this.pump(member.node);
  }

  lose(message: RaftMessage): void {
    const at = this.soup.indexOf(message);
    invariant(at >= 0, 'the message is on its way', { type: message.type });
    this.soup.splice(at, 1);
  }

  /** Delivers everything, and what comes of it, in order, but what `isLost` names. */
  settle(isLost: (message: RaftMessage) => boolean = () => false): void {
    for (let left = 100_000; this.soup.length > 0; left--) {
      invariant(left > 0, 'the replicas have said everything at some time');
      const message = this.soup.shift()!;
      if (!isLost(message)) this.hand(message);
    }
  }

  /** Time goes on to the next deadline of anybody, but no further than `untilMs`; whoever is due ticks. */
  advance(untilMs: number): void {
    let next = untilMs;
    for (const { raft } of this.members.values()) {
      if (raft !== undefined) next = Math.min(next, Math.max(this.nowMs, raft.deadlineMs));
    }
    this.nowMs = next;
    for (const { node, raft } of this.members.values()) {
      if (raft === undefined || raft.deadlineMs > this.nowMs) continue;
      this.tick(node);
      this.ticks++;
      const { deadlineMs } = raft;
      invariant(deadlineMs > this.nowMs, 'a tick settles what was due', {
        node,
        deadlineMs,
        nowMs: this.nowMs,
      });
      invariant(Number.isFinite(deadlineMs), 'something is always due', { node });
    }
  }

  /** So long without faults, but for what `isLost` names: deadlines drive time, messages arrive at once. */
  run(durationMs: number, isLost?: (message: RaftMessage) => boolean): void {
    const untilMs = this.nowMs + durationMs;
    for (let left = 200_000; this.nowMs < untilMs; left--) {
      invariant(left > 0, 'time goes on', { nowMs: this.nowMs, untilMs });
      this.advance(untilMs);
      this.settle(isLost);
    }
  }

  /** Makes this node campaign at once; wins unless somebody leads, or its log is behind. */
  elect(node: number): void {
    this.raft(node).campaignNow(this.nowMs);
    this.tick(node);
    this.settle();
    invariant(this.raft(node).role === 'leader', 'this node was elected', { node });
  }

  /** What was said since the last call, and is still on its way, of one type. */
  soupOf<T extends RaftMessage['type']>(type: T): Extract<RaftMessage, { type: T }>[] {
    return this.soup.filter((message): message is Extract<RaftMessage, { type: T }> => message.type === type);
  }

  takeSnapshot(node: number): void {
    const { disk, image, up } = this.member(node);
    if (image.endOffset <= disk.image.endOffset) return;
    disk.saveImage(image, up.votersAsOf(image.endOffset));
    up.snapshotTaken(image.endOffset);
  }

  /** The log on disk begins near `offset` from now on, as far as the snapshot allows. */
  removeLogBefore(node: number, offset: Offset): void {
    const { disk, up } = this.member(node);
    up.logRemovedBefore(disk.removeBefore(Math.min(offset, disk.image.endOffset) as Offset));
  }

  compact(node: number): void {
    this.takeSnapshot(node);
    this.removeLogBefore(node, this.member(node).disk.image.endOffset);
  }

  // --- the driver ---

  pump(node: number): void {
    const member = this.member(node);
    for (let left = 10_000; ; left--) {
      invariant(left > 0, 'a replica has nothing more to say at some time', { node });
      if (member.raft === undefined || !member.raft.hasReady) return;
      const last = member.writing.at(-1);
      if (last?.hardState !== undefined) return;
      if (last !== undefined && this.options.driver === 'taciturn') return;
      if (last !== undefined && this.options.driver === 'urgent') {
        this.#send(member, member.raft.takeUrgent(this.nowMs));
        return;
      }
      this.#begin(member, member.raft.takeReady(this.nowMs));
      if (this.writesAtOnce && !this.held.has(node)) {
        while (this.write(node));
        while (this.serveRead(node));
      }
    }
  }

  /** The disk does its next step. Answers whether there was one. */
  write(node: number): boolean {
    const member = this.member(node);
    const last = member.writing.at(-1);
    if (last === undefined) return false;
    if (last.hardState !== undefined) {
      this.#do(member, last.hardState);
      last.hardState = undefined;
      this.#send(member, last.ready.messages);
    } else {
      const step = member.writing[0]!.steps.shift();
      if (step !== undefined) this.#do(member, step);
    }
    this.#finish(member);
    this.pump(node);
    return true;
  }

  #finish(member: Member): void {
    for (;;) {
      const [first] = member.writing;
      if (first === undefined || first.hardState !== undefined || first.steps.length > 0) return;
      member.writing.shift();
      member.up.persisted(first.ready);
      this.#send(member, first.ready.messagesAfterPersist);
      this.#apply(member, first.ready);
    }
  }

  /** The disk answers the oldest question for entries or a piece of a snapshot. Answers whether there was one. */
  serveRead(node: number): boolean {
    const member = this.member(node);
    const next = member.reads.shift();
    if (next === undefined || member.raft === undefined) return false;
    if (next.type === 'entries') {
      const { to, from, upTo, maxBytes } = next.read;
      const entries = member.disk.read(from, upTo, maxBytes);
      this.checker.readFromDisk(member.key, entries);
      member.raft.entriesRead(to, from, entries);
    } else {
      member.raft.snapshotPiece(next.read.to, this.#piece(member, next.read), this.nowMs);
    }
    this.pump(node);
    return true;
  }

  #cheatAtCrash(disk: FakeDisk): void {
    const { cheat } = this.options;
    if (cheat === 'forgets votes') disk.hardState = { ...disk.hardState, vote: undefined };
    if (cheat === 'loses entries' && disk.endOffset > disk.image.endOffset) disk.entries.pop();
  }

  #do({ node, key, disk }: Member, step: DiskStep): void {
    disk.do(step);
    this.#trace({ type: 'written', node, step });
    if (step.type === 'truncate' || step.type === 'install') {
      this.checker.cut(key, disk.endOffset, disk.hardState.term);
    }
  }

  #begin(member: Member, ready: Ready): void {
    const { hardState } = ready;
    member.writing.push({
      ready,
      hardState: hardState === undefined ? undefined : { type: 'hardState', hardState },
      steps: diskSteps(ready),
    });
    for (const read of ready.reads) {
      this.#trace({ type: 'entryRead', node: member.node, read });
      member.reads.push({ type: 'entries', read });
    }
    for (const read of ready.snapshotReads) {
      this.#trace({ type: 'snapshotRead', node: member.node, read });
      member.reads.push({ type: 'snapshot', read });
    }
    if (this.options.cheat === 'acknowledges early') this.#send(member, ready.messagesAfterPersist);
    for (const { id, offset: confirmed } of ready.confirmedReads) {
      const offset = this.options.cheat === 'mixes up reads' ? ((confirmed - 1) as Offset) : confirmed;
      this.checker.readConfirmed(member.key, offset, member.asked.get(id) ?? (Infinity as Offset));
      member.asked.delete(id);
      member.readsConfirmed++;
      this.#trace({ type: 'read', node: member.node, id, outcome: `confirmed at ${offset}` });
    }
    for (const { id, cause } of ready.failedReads) {
      invariant(member.asked.delete(id), 'a read is answered once', { id });
      member.readsFailed++;
      this.#trace({ type: 'read', node: member.node, id, outcome: cause.error });
    }
    if (hardState === undefined) this.#send(member, ready.messages);
    this.#finish(member);
  }

  #send(member: Member, messages: readonly RaftMessage[]): void {
    for (const message of messages) {
      this.checker.sent(message, member.disk);
      this.soup.push(message);
      this.#trace({ type: 'sent', message });
    }
  }

  #apply(member: Member, { install, committed }: Ready): void {
    if (install !== undefined) member.image = member.disk.image;
    for (const entry of committed) {
      invariant(
        member.disk.holds({ endOffset: entry.endOffset, term: entry.term }),
        'what is applied is on this disk',
      );
      member.image = applied(member.image, entry);
      this.checker.applied(member.key, entry);
    }
  }

  /** As a driver that reads a stream of its image does: the next piece or the last one again, nothing else. */
  #piece(member: Member, { to, snapshot, position, maxBytes }: SnapshotRead): SnapshotPiece | undefined {
    const name = replicaName(to);
    const known = member.sending.get(name);
    const isKnown =
      snapshot !== undefined &&
      known?.image.endOffset === snapshot.endOffset &&
      known.image.term === snapshot.term;
    if (!isKnown && position > 0) return undefined;
    const { image } = member;
    const sending = isKnown
      ? known
      : { image, voters: member.up.votersAsOf(image.endOffset), piece: undefined };
    member.sending.set(name, sending);
    const { piece } = sending;
    if (piece?.position === position) return piece;
    const expected = piece === undefined ? 0 : piece.position + piece.bytes.length;
    if (position !== expected || piece?.isLast === true) return undefined;
    const all = imageBytes(sending.image);
    const bytes = all.subarray(position, position + maxBytes);
    sending.piece = {
      snapshot: { endOffset: sending.image.endOffset, term: sending.image.term },
      voters: sending.voters,
      position,
      bytes,
      isLast: position + bytes.length === all.length,
    };
    return sending.piece;
  }

  #observer(member: Member): NonNullable<ConstructorParameters<typeof Raft>[0]['observer']> {
    const { node, key } = member;
    const role = (): Role => member.raft?.role ?? 'observer';
    return {
      roleChanged: (now, term, leader) => {
        this.checker.roleChanged(key, now, term, member.mirror);
        this.#trace({
          type: 'role',
          node,
          role: now,
          term,
          ...(leader === undefined ? {} : { leader: leader.nodeId }),
        });
      },
      appended: (entries) => this.checker.appended(entries, member.mirror),
      truncated: (endOffset) => {
        this.checker.truncated(key, role(), endOffset, member.mirror);
        this.#trace({ type: 'truncated', node, endOffset });
      },
      snapshotInstalled: (snapshot) => {
        this.checker.installed(snapshot, member.mirror);
        this.#trace({ type: 'installed', node, endOffset: snapshot.endOffset });
      },
      committed: (endOffset) => {
        const disks = [...this.members.values()].map(({ key: other, disk }) => [other, disk] as const);
        const { voters, term } = member.up;
        this.checker.committed(key, role(), term, endOffset, member.mirror, voters, disks);
        this.#trace({ type: 'committed', node, endOffset });
      },
      votersChanged: (voters) => {
        // Not what it begins with.
        if (member.raft !== undefined) this.#trace({ type: 'voters', node, voters });
      },
    };
  }

  #trace(event: GroupEvent): void {
    this.onEvent?.(event);
  }

  #add(node: number, voters: VoterSet): void {
    const key = replicaOf(node);
    this.#names.set(replicaName(key), node);
    this.members.set(node, new Member(node, key, new FakeDisk(voters)));
  }

  // --- what must hold once everything is well ---

  /** One leader, which everybody who is up follows, with the same log and image. Answers what is wrong, or nothing. */
  disagreement(): string | undefined {
    const { leader } = this;
    if (leader === undefined) return 'nobody leads';
    if (!leader.up.isServing) return `${leader.node} leads and serves nothing`;
    if (findVoter(leader.up.voters, leader.key) === undefined) return `${leader.node} leads and is no voter`;
    const { endOffset } = leader.mirror.end;
    if (leader.image.endOffset !== endOffset)
      return `${leader.node} has committed ${leader.image.endOffset} of ${endOffset}`;
    for (const { node, raft, image, mirror } of this.members.values()) {
      if (raft === undefined) continue;
      if (!isSameReplica(raft.leader, leader.key)) return `${node} does not follow ${leader.node}`;
      if (mirror.end.endOffset !== endOffset)
        return `the log of ${node} ends at ${mirror.end.endOffset}, not ${endOffset}`;
      if (image.digest !== leader.image.digest) return `${node} has another image than ${leader.node}`;
    }
    return undefined;
  }
}
