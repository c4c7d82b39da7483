// The smallest node there can be around the Raft machine: everything durable in the key-value store, an image of topics and
// values, requests forwarded to the leader. With it the simulated world, its checkers and its runner are tested by themselves,
// and so is the machine, whatever the runtime above it does.

import { failure, type Failure, type NodeId, type Offset, type Term } from '@tidemark/core';
import {
  decodeMessage,
  decodeVoters,
  defaultRaftLimits,
  encodeMessage,
  encodeVoters,
  ORIGIN,
  Raft,
  type Entry,
  type HardState,
  type LogPosition,
  type RaftMessage,
  type Ready,
  type TermStart,
  type VoterChange,
  type VoterSet,
} from '@tidemark/raft';
import {
  type ImageView,
  type NodeEnv,
  type NodeFactory,
  type PartitionPlace,
  type SimulatedNode,
} from '@tidemark/simulation';

type Command =
  | { readonly type: 'create'; readonly name: string }
  | { readonly type: 'set'; readonly name: string; readonly value: string }
  | { readonly type: 'delete'; readonly name: string };

type Request =
  | { readonly type: 'command'; readonly command: Command }
  | { readonly type: 'read' }
  | { readonly type: 'voters'; readonly change: VoterChange }
  | { readonly type: 'transfer'; readonly to: NodeId | undefined };

interface Answer {
  readonly ok: boolean;
  readonly id?: string;
  readonly offset?: number;
  readonly error?: string;
}

interface StoredTopic {
  readonly id: string;
  readonly value: string | undefined;
}

interface Snapshot {
  readonly position: LogPosition;
  readonly voters: string;
  readonly image: { readonly offset: number; readonly topics: readonly [string, StoredTopic][] };
}

const text = new TextEncoder();
const untext = new TextDecoder();
const KEEP_ENTRIES = 40;
const SNAPSHOT_EVERY = 120;

class ToyImage implements ImageView {
  readonly offset: number;
  readonly topics: ReadonlyMap<string, StoredTopic>;

  constructor(offset: number, topics: ReadonlyMap<string, StoredTopic>) {
    this.offset = offset;
    this.topics = topics;
  }

  topic(name: string): StoredTopic | undefined {
    return this.topics.get(name);
  }

  topicNames(): Iterable<string> {
    return this.topics.keys();
  }

  digest(): string {
    return JSON.stringify([...this.topics].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  problems(): readonly string[] {
    return [];
  }

  apply(entry: Entry): ToyImage {
    const command = JSON.parse(untext.decode(entry.payload)) as Command;
    const topics = new Map(this.topics);
    const found = topics.get(command.name);
    // A request may arrive twice; a topic is made once.
    if (command.type === 'create') {
      if (found === undefined) topics.set(command.name, { id: `${entry.baseOffset}`, value: undefined });
    } else if (command.type === 'delete') topics.delete(command.name);
    else if (found !== undefined) topics.set(command.name, { ...found, value: command.value });
    return new ToyImage(entry.endOffset - 1, topics);
  }
}

const keyOf = (prefix: string, offset = 0): Uint8Array => {
  const key = new Uint8Array(9);
  key[0] = prefix.charCodeAt(0);
  new DataView(key.buffer).setBigUint64(1, BigInt(offset));
  return key;
};
const packed = (value: unknown): Uint8Array => text.encode(JSON.stringify(value));
const unpacked = (bytes: Uint8Array): unknown => JSON.parse(untext.decode(bytes)) as unknown;
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

interface StoredEntry extends Omit<Entry, 'payload'> {
  readonly payload: string;
}
const storedEntry = (entry: Entry): StoredEntry => ({ ...entry, payload: hexOf(entry.payload) });
const entryOf = (stored: StoredEntry): Entry => ({ ...stored, payload: bytesOf(stored.payload) });

/** What a variant of the node does wrong, to prove the checkers. */
export interface RaftNodeFaults {
  readonly votesUnsynced?: boolean;
  readonly readsUnconfirmed?: boolean;
  readonly answersEarly?: boolean;
  /** Applies a topic nobody asked for. */
  readonly ghosts?: boolean;
  readonly imagesDiffer?: boolean;
  /** From then on nothing is heard any more. */
  readonly deafAfterMs?: number;
  readonly throwsAtOffset?: number;
}

export function raftNode(faults: RaftNodeFaults = {}): NodeFactory {
  return async (env) => {
    const node = new RaftNode(env, faults);
    await node.open();
    return node;
  };
}

class RaftNode implements SimulatedNode {
  readonly holdsRecords = false;
  readonly replicas = undefined;
  readonly #env: NodeEnv;
  readonly #faults: RaftNodeFaults;
  #raft!: Raft;
  image = new ToyImage(-1, new Map());
  #snapshot: Snapshot | undefined;
  #appliedTerm = 0 as Term;
  #isDriving = false;
  #timer: { cancel(): void } | undefined;
  #timerMs = Infinity;
  #nextId = 1;
  readonly #waiting = new Map<string, (answer: Answer) => void>();
  /** Requests of others that have arrived. */
  readonly #served = new Set<string>();
  readonly #reads = new Map<number, (answer: Answer) => void>();
  #proposed: { readonly endOffset: number; readonly term: Term; readonly done: (answer: Answer) => void }[] =
    [];

  constructor(env: NodeEnv, faults: RaftNodeFaults) {
    this.#env = env;
    this.#faults = faults;
  }

  partitionsOf(): readonly PartitionPlace[] {
    return [];
  }

  registeredDirectory(): undefined {
    return undefined;
  }

  electPreferred(): Promise<{ readonly ok: true } | Failure> {
    return this.createRecordTopic();
  }

  reassign(): Promise<{ readonly ok: true } | Failure> {
    return this.createRecordTopic();
  }

  handOver(): Promise<void> {
    return Promise.resolve();
  }

  createRecordTopic(): Promise<{ readonly ok: true } | Failure> {
    return Promise.resolve(failure('UNSUPPORTED_VERSION', 'no records here'));
  }

  async open(): Promise<void> {
    const env = this.#env;
    const { store } = env;
    const hard = await store.get(keyOf('h'));
    const stored = await store.get(keyOf('s'));
    this.#snapshot = stored === undefined ? undefined : (unpacked(stored) as Snapshot);
    const initial = await store.get(keyOf('v'));
    let voters: VoterSet = initial === undefined ? [] : votersOf(initial);
    if (initial === undefined && env.isFounder) {
      voters = env.initialVoters;
      await store.write([{ key: keyOf('v'), value: encodeVoters(voters) }], { sync: true });
    }
    const entries: Entry[] = [];
    const iterator = store.iterate({ from: keyOf('e'), to: keyOf('f') });
    for (let batch = await iterator.next(1e6); batch.length > 0; batch = await iterator.next(1e6)) {
      for (const { value } of batch) entries.push(entryOf(unpacked(value) as StoredEntry));
    }
    this.#stored = entries.map(({ baseOffset }) => baseOffset);
    const base = this.#snapshot?.position ?? ORIGIN;
    this.#appliedEnd = base.endOffset;
    if (this.#snapshot !== undefined) {
      voters = votersOf(bytesOf(this.#snapshot.voters));
      const { offset, topics } = this.#snapshot.image;
      this.image = new ToyImage(offset, new Map(topics));
      this.#appliedTerm = base.term;
    }
    const termStarts: TermStart[] = [];
    for (const { term, baseOffset } of entries) {
      if (termStarts.at(-1)?.term !== term) termStarts.push({ term, startOffset: baseOffset });
    }
    this.#raft = new Raft(
      {
        self: env.self,
        endpoint: env.endpoint,
        prng: env.prng,
        timing: env.timing,
        limits: { ...defaultRaftLimits, maxCachedBytes: 4_000, maxSnapshotPieceBytes: 700 },
        hardState: hard === undefined ? { term: 0 as Term, vote: undefined } : (unpacked(hard) as HardState),
        voters,
        log: {
          base,
          logStartOffset: entries[0]?.baseOffset ?? base.endOffset,
          termStarts,
          entries: entries.filter(({ endOffset }) => endOffset > base.endOffset),
        },
        bootstrapNodes: env.bootstrapNodes,
        observer: env.observer,
      },
      env.clock.monotonicMs(),
    );
    env.network.onMessage(({ from, payload }) => this.#received(from, payload));
    this.#drive();
  }

  get status() {
    return this.#raft.status(this.#env.clock.monotonicMs());
  }

  createTopic(
    name: string,
    _replicas: number,
    timeoutMs: number,
  ): Promise<{ ok: true; id: string } | Failure> {
    return this.#ask({ type: 'command', command: { type: 'create', name } }, timeoutMs) as never;
  }

  setValue(name: string, value: string, timeoutMs: number): Promise<{ ok: true } | Failure> {
    return this.#ask({ type: 'command', command: { type: 'set', name, value } }, timeoutMs) as never;
  }

  deleteTopic(name: string, timeoutMs: number): Promise<{ ok: true } | Failure> {
    return this.#ask({ type: 'command', command: { type: 'delete', name } }, timeoutMs) as never;
  }

  async readBarrier(timeoutMs: number): Promise<{ ok: true; offset: Offset } | Failure> {
    const answer = await this.#ask({ type: 'read' }, timeoutMs);
    if (!answer.ok) return answer as never;
    const endMs = this.#env.clock.monotonicMs() + timeoutMs;
    while (
      this.#raft.commitOffset < answer.offset! ||
      this.image.offset < this.#lastRecordBelow(answer.offset!)
    ) {
      if (this.#env.clock.monotonicMs() > endMs) return failure('REQUEST_TIMED_OUT', '');
      await new Promise<void>((resolve) => this.#env.clock.setTimer(5, resolve));
    }
    return answer as never;
  }

  changeVoters(change: VoterChange, timeoutMs: number): Promise<{ ok: true } | Failure> {
    return this.#ask({ type: 'voters', change }, timeoutMs) as never;
  }

  transferLeadership(to: NodeId | undefined, timeoutMs: number): Promise<{ ok: true } | Failure> {
    return this.#ask({ type: 'transfer', to }, timeoutMs) as never;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  // --- requests ---

  #appliedEnd = 0;

  #lastRecordBelow(offset: number): number {
    return this.#appliedEnd >= offset ? -1 : Infinity;
  }

  #ask(request: Request, timeoutMs: number): Promise<Answer | Failure> {
    return new Promise((resolve) => {
      const leader = this.#raft.leader;
      if (leader === undefined) {
        resolve(failure('NOT_CONTROLLER', ''));
        return;
      }
      if (leader.nodeId === this.#env.self.nodeId) {
        this.#serve(request, (answer) => resolve(answer));
        return;
      }
      const id = this.#nextId++;
      const timer = this.#env.clock.setTimer(timeoutMs, () => {
        this.#waiting.delete(this.#nameOf(id));
        resolve(failure('REQUEST_TIMED_OUT', ''));
      });
      this.#waiting.set(this.#nameOf(id), (answer) => {
        timer.cancel();
        resolve(answer);
      });
      this.#send(leader.nodeId, 2, packed({ id: this.#nameOf(id), request }));
    });
  }

  #nameOf(id: number): string {
    return `${this.#env.self.nodeId}/${this.#env.incarnation}/${id}`;
  }

  #serve(request: Request, done: (answer: Answer) => void): void {
    const now = this.#env.clock.monotonicMs();
    const raft = this.#raft;
    const refused = (cause: Failure): void => done(cause);
    if (request.type === 'read') {
      if (this.#faults.readsUnconfirmed === true) {
        done({ ok: true, offset: raft.commitOffset });
        return;
      }
      const id = this.#nextId++;
      this.#reads.set(id, done);
      raft.readIndex(id);
    } else if (request.type === 'transfer') {
      done(raft.transferLeadership(request.to, now));
    } else {
      const proposed =
        request.type === 'voters'
          ? raft.proposeVoters(request.change, now)
          : raft.propose(packed(request.command), 1, now);
      if (!proposed.ok) refused(proposed);
      else if (this.#faults.answersEarly === true) done({ ok: true, id: `${proposed.baseOffset}` });
      else this.#proposed.push({ endOffset: proposed.baseOffset + 1, term: proposed.term, done });
    }
    this.#drive();
  }

  #received(from: NodeId, payload: Uint8Array): void {
    if (this.#env.clock.monotonicMs() > (this.#faults.deafAfterMs ?? Infinity)) return;
    const body = payload.subarray(1);
    if (payload[0] === 1) {
      const decoded = decodeMessage(body);
      if (!decoded.ok) throw new Error(decoded.message);
      this.#raft.step(decoded.message, this.#env.clock.monotonicMs());
      this.#drive();
    } else if (payload[0] === 2) {
      const { id, request } = unpacked(body) as { id: string; request: Request };
      // The network may repeat it.
      if (this.#served.has(id)) return;
      this.#served.add(id);
      this.#serve(request, (answer) => this.#send(from, 3, packed({ id, answer })));
    } else {
      const { id, answer } = unpacked(body) as { id: string; answer: Answer };
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      waiting?.(answer);
    }
  }

  #send(to: NodeId, channel: number, body: Uint8Array): void {
    const payload = new Uint8Array(body.length + 1);
    payload[0] = channel;
    payload.set(body, 1);
    this.#env.network.send(to, payload);
  }

  // --- the machine ---

  #drive(): void {
    if (this.#isDriving) return;
    this.#isDriving = true;
    this.#loop().catch((cause: unknown) => this.#env.onFatal(cause));
  }

  async #loop(): Promise<void> {
    await Promise.resolve();
    const { clock } = this.#env;
    while (this.#raft.hasReady || this.#raft.deadlineMs <= clock.monotonicMs()) {
      if (this.#raft.deadlineMs <= clock.monotonicMs()) this.#raft.tick(clock.monotonicMs());
      await this.#do(this.#raft.takeReady(clock.monotonicMs()));
    }
    this.#isDriving = false;
    const deadlineMs = this.#raft.deadlineMs;
    if (deadlineMs === this.#timerMs) return;
    this.#timer?.cancel();
    this.#timerMs = deadlineMs;
    this.#timer = clock.setTimer(Math.max(0, deadlineMs - clock.monotonicMs()), () => {
      this.#timerMs = Infinity;
      this.#drive();
    });
  }

  async #do(ready: Ready): Promise<void> {
    const { store } = this.#env;
    if (ready.hardState !== undefined) {
      const writing = store.write([{ key: keyOf('h'), value: packed(ready.hardState) }], {
        sync: this.#faults.votesUnsynced !== true,
      });
      if (this.#faults.votesUnsynced !== true) await writing;
    }
    this.#sendAll(ready.messages);
    const writes = this.#logWrites(ready);
    if (writes.length > 0) await store.write(writes, { sync: true });
    this.#raft.persisted(ready);
    this.#sendAll(ready.messagesAfterPersist);
    for (const entry of ready.committed) this.#apply(entry);
    this.#answerReads(ready);
    await this.#takeSnapshot();
    for (const read of ready.reads) await this.#readEntries(read);
    for (const { to, snapshot, position, maxBytes } of ready.snapshotReads) {
      const newest = this.#snapshot!;
      const bytes = packed(newest);
      const isGone = snapshot !== undefined && snapshot.endOffset !== newest.position.endOffset;
      const piece = isGone
        ? undefined
        : {
            snapshot: newest.position,
            voters: votersOf(bytesOf(newest.voters)),
            position,
            bytes: bytes.slice(position, position + maxBytes),
            isLast: position + maxBytes >= bytes.length,
          };
      this.#raft.snapshotPiece(to, piece, this.#env.clock.monotonicMs());
    }
  }

  #sendAll(messages: readonly RaftMessage[]): void {
    for (const message of messages) {
      const payload = encodeMessage(message, 1);
      payload[0] = 1;
      this.#env.network.send(message.to.nodeId, payload);
    }
  }

  #logWrites({ install, truncateTo, entries }: Ready) {
    const writes: { key: Uint8Array; value: Uint8Array | undefined }[] = [];
    if (install !== undefined) {
      const bytes = Buffer.concat(install.pieces);
      writes.push({ key: keyOf('s'), value: new Uint8Array(bytes) });
      for (const offset of this.#stored) writes.push({ key: keyOf('e', offset), value: undefined });
      this.#stored = [];
      this.#snapshot = unpacked(bytes) as Snapshot;
      const { offset, topics } = this.#snapshot.image;
      this.image = new ToyImage(offset, new Map(topics));
      this.#appliedEnd = install.snapshot.endOffset;
      this.#appliedTerm = install.snapshot.term;
      this.#env.onImage(this.image);
    }
    if (truncateTo !== undefined) {
      for (const offset of this.#stored) {
        if (offset >= truncateTo) writes.push({ key: keyOf('e', offset), value: undefined });
      }
      this.#stored = this.#stored.filter((offset) => offset < truncateTo);
    }
    for (const entry of entries) {
      writes.push({ key: keyOf('e', entry.baseOffset), value: packed(storedEntry(entry)) });
      this.#stored.push(entry.baseOffset);
    }
    return writes;
  }

  /** Base offsets of the entries in the store, as far as this incarnation knows them. */
  #stored: number[] = [];

  #apply(entry: Entry): void {
    this.#appliedEnd = entry.endOffset;
    this.#appliedTerm = entry.term;
    if (entry.kind === 'data') {
      this.image = this.image.apply(entry);
      this.#spoil(entry);
      this.#env.onImage(this.image);
    }
    const done = this.#proposed.filter(({ endOffset }) => endOffset <= entry.endOffset);
    this.#proposed = this.#proposed.filter(({ endOffset }) => endOffset > entry.endOffset);
    for (const { term, done: answer } of done) {
      if (term === entry.term) answer({ ok: true, ...this.#idIn(entry) });
      else answer(failure('NETWORK_EXCEPTION', ''));
    }
  }

  #spoil({ baseOffset }: Entry): void {
    const { ghosts, imagesDiffer, throwsAtOffset } = this.#faults;
    if (throwsAtOffset !== undefined && baseOffset >= throwsAtOffset) throw new Error('planted');
    const { nodeId } = this.#env.self;
    const isHaunted = (ghosts === true && baseOffset % 50 === 0) || (imagesDiffer === true && nodeId === 2);
    if (!isHaunted) return;
    const topics = new Map([...this.image.topics, ['ghost', { id: '', value: undefined }] as const]);
    this.image = new ToyImage(this.image.offset, topics);
  }

  #idIn({ kind, payload }: Entry): { readonly id?: string } {
    if (kind !== 'data') return {};
    const topic = this.image.topic((unpacked(payload) as Command).name);
    return topic === undefined ? {} : { id: topic.id };
  }

  #answerReads({ confirmedReads, failedReads }: Ready): void {
    for (const { id, offset } of confirmedReads) {
      this.#reads.get(id)?.({ ok: true, offset });
      this.#reads.delete(id);
    }
    for (const { id, cause } of failedReads) {
      this.#reads.get(id)?.(cause);
      this.#reads.delete(id);
    }
  }

  async #takeSnapshot(): Promise<void> {
    const end = this.#appliedEnd;
    if (end - (this.#snapshot?.position.endOffset ?? 0) < SNAPSHOT_EVERY) return;
    const { offset, topics } = this.image;
    this.#snapshot = {
      position: { endOffset: end as Offset, term: this.#appliedTerm },
      voters: hexOf(encodeVoters(this.#raft.votersAsOf(end as Offset))),
      image: { offset, topics: [...topics] },
    };
    const start = end - KEEP_ENTRIES;
    const writes = this.#stored
      .filter((at) => at < start)
      .map((at) => ({ key: keyOf('e', at), value: undefined }));
    this.#stored = this.#stored.filter((at) => at >= start);
    await this.#env.store.write([{ key: keyOf('s'), value: packed(this.#snapshot) }, ...writes], {
      sync: true,
    });
    this.#raft.snapshotTaken(end as Offset);
    if (writes.length > 0 && this.#stored.length > 0) this.#raft.logRemovedBefore(this.#stored[0]! as Offset);
  }

  async #readEntries({ to, from, upTo, maxBytes }: Ready['reads'][number]): Promise<void> {
    const found: Entry[] = [];
    let bytes = 0;
    const iterator = this.#env.store.iterate({ from: keyOf('e', from), to: keyOf('e', upTo) });
    for (let batch = await iterator.next(1e5); batch.length > 0; batch = await iterator.next(1e5)) {
      for (const { value } of batch) {
        const entry = entryOf(unpacked(value) as StoredEntry);
        bytes += entry.payload.length;
        if (found.length === 0 || bytes <= maxBytes) found.push(entry);
      }
    }
    this.#raft.entriesRead(to, from, found);
  }
}

function votersOf(bytes: Uint8Array): VoterSet {
  const decoded = decodeVoters(bytes);
  if (!decoded.ok) throw new Error(decoded.message);
  return decoded.voters;
}
