// One node's replica of the metadata, and its way to the active controller: what the rest of a node builds on. Whether it votes,
// observes or leads changes nothing for who uses it: commands go to whoever decides, reads come from the image here.

import {
  decodeCommand,
  decodeResponse,
  drawTopicId,
  duties,
  encodeCommand,
  encodeResponse,
  type Controller,
  type ControllerCommand,
  type MetadataImage,
  type ResponseTo,
} from '@tidemark/controller';
import {
  failure,
  FieldReader,
  FieldWriter,
  integer,
  invariant,
  MalformedRecord,
  TidemarkError,
  type BrokerConfig,
  type BrokerId,
  type Clock,
  type Failure,
  type KeyValueStore,
  type Network,
  type NodeId,
  type Offset,
  type Prng,
  type Term,
  type Timer,
} from '@tidemark/core';
import type { PartitionLog } from '@tidemark/log';
import type {
  Entry,
  InstallSnapshot,
  PeerEndpoint,
  RaftLimits,
  RaftObserver,
  RaftStatus,
  RaftTiming,
  ReplicaKey,
  VoterChange,
  VoterSet,
} from '@tidemark/raft';
import { ActiveController } from './active-controller.ts';
import { decodeMetadataBatches } from './metadata-batch.ts';
import { ControllerDuties } from './controller-duties.ts';
import { isFailure } from './outcome.ts';
import type { PeerDirectory, VoterAddress } from './peer-directory.ts';
import { defaultPeerRequestLimits, PeerRequests, type PeerAnswer } from './peer-requests.ts';
import { peerChannels, PeerRouter } from './peer-router.ts';
import { Formation, isAmong } from './quorum/formation.ts';
import { MetadataState, type ImageListener } from './quorum/metadata-state.ts';
import { MetadataStore } from './quorum/metadata-store.ts';
import { openReplica, type OpenedReplica } from './quorum/open-replica.ts';
import { RaftQuorum } from './quorum/raft-quorum.ts';
import { SnapshotSender } from './quorum/snapshot-sender.ts';
import { decodeVoterChange, encodeVoterChange } from './voter-change-codec.ts';

export interface MetadataNodeOptions {
  readonly self: ReplicaKey;
  /** Where peers reach this node. */
  readonly endpoint: PeerEndpoint;
  /** Whether it has the controller role: only then may it vote. */
  readonly isController: boolean;
  /** The broker of this process, if it has that role. */
  readonly broker: BrokerId | undefined;
  readonly clusterId: string;
  /** `controller.quorum.voters`. A controller that is among them may take part in the first start. */
  readonly configuredVoters: readonly VoterAddress[];
  /** Knows the configured voters; is told of others. */
  readonly directory: PeerDirectory;
  /** The node's own. */
  readonly config: BrokerConfig;
  readonly preferredLeader?: NodeId | undefined;
  readonly log: PartitionLog;
  readonly store: KeyValueStore;
  readonly network: Network;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly controller: Controller;
  readonly timing: RaftTiming;
  readonly limits: RaftLimits;
  readonly sessionTimeoutMs: number;
  readonly maxWaitingCommands: number;
  /** Between two tries to reach the active controller, in milliseconds. */
  readonly retryBackoffMs: number;
  /** Applied metadata is in the store at most so much later, in milliseconds. */
  readonly saveAfterMs: number;
  /** After so many bytes of metadata, or so long (0: never), the image is stored durably and old log may go. */
  readonly snapshotEveryBytes: number;
  readonly snapshotEveryMs: number;
  readonly observer?: RaftObserver | undefined;
  /** A first start waits for these nodes. */
  readonly onWaiting: (missing: readonly NodeId[]) => void;
  /** This node became the active controller, or is it no longer. */
  readonly onActive?: ((isActive: boolean) => void) | undefined;
  /** A duty of the active controller was refused; it is tried again. */
  readonly onDutyFailed?: ((command: ControllerCommand, cause: Failure) => void) | undefined;
  /** A bug, a failed disk, or metadata of another cluster: the process ends. */
  readonly onFatal: (cause: unknown) => void;
}

export interface QuorumStatus extends RaftStatus {
  /** Everything below is applied on this node. */
  readonly appliedOffset: Offset;
  /** Everything below is in the store, and can be sent as a snapshot. */
  readonly snapshotOffset: Offset;
}

/** Kinds of requests between nodes; a number is never given a second meaning. */
const requestKinds = { command: 1, readIndex: 2, changeVoters: 3, transfer: 4 } as const;
const FORMATION_CHANNEL = 4;
const MAX_TIMER_MS = 2 ** 31 - 1;
const offsetCodec = integer<Offset>(Number.MAX_SAFE_INTEGER);
const nodeCodec = integer<number>(2 ** 31 - 1, -1);
const termCodec = integer<Term>(2 ** 31 - 1);

function withTerm(term: Term, body: Uint8Array): Uint8Array {
  const writer = new FieldWriter();
  termCodec.write(writer, term);
  writer.bytes(body);
  return writer.finish();
}

interface Barrier {
  readonly offset: Offset;
  readonly resolve: () => void;
}

export class MetadataNode {
  readonly self: ReplicaKey;
  readonly #options: MetadataNodeOptions;
  readonly #directory: PeerDirectory;
  readonly #requests: PeerRequests;
  readonly #formation: Formation;
  readonly #quorum: RaftQuorum;
  readonly #state: MetadataState;
  readonly #snapshots: SnapshotSender;
  readonly #active: ActiveController;
  readonly #duties: ControllerDuties;
  #bytesSinceSnapshot = 0;
  #snapshotTimer: Timer | undefined;
  #compaction: Promise<void> | undefined;
  #barriers: Barrier[] = [];
  /** Of the requests that wait for a leader. */
  readonly #leaderWatches = new Set<() => void>();
  #isClosed = false;

  private constructor(options: MetadataNodeOptions, parts: NodeParts) {
    const { store, opened, router, formation } = parts;
    this.self = options.self;
    this.#options = options;
    this.#directory = options.directory;
    this.#formation = formation;
    const { clock, prng, onFatal } = options;
    this.#quorum = new RaftQuorum({
      raft: this.#raftOptions(opened),
      log: options.log,
      store,
      channel: router.channel(peerChannels.raft),
      clock,
      listener: {
        committed: (entries) => this.#committed(entries),
        install: (snapshot) => this.#install(snapshot),
        readSnapshot: (read) => this.#snapshots.read(read, clock.monotonicMs()),
        roleChanged: () => {
          this.#active.update();
          this.#leaderChanged();
        },
      },
      onPeer: (node, endpoint) => this.#directory.heard(node, endpoint),
      onFatal,
    });
    const votersAsOf = (offset: Offset): VoterSet => this.#quorum.votersAsOf(offset);
    this.#state = MetadataState.of(
      { store, clock, votersAsOf, saveAfterMs: options.saveAfterMs, onFatal },
      opened.image,
      opened.base,
    );
    this.#snapshots = new SnapshotSender(this.#state, votersAsOf);
    this.#active = new ActiveController({
      controller: options.controller,
      quorum: this.#quorum,
      state: this.#state,
      clock,
      prng,
      maxWaitingCommands: options.maxWaitingCommands,
      sessionTimeoutMs: options.sessionTimeoutMs,
      self: options.broker,
      onActive: (isActive) => this.#activated(isActive),
    });
    this.#duties = new ControllerDuties({
      duties,
      config: options.config,
      sessions: this.#active.sessions,
      image: () => this.#active.pendingImage,
      onImage: (listener) => this.#state.onImage(listener),
      submit: (command) => this.#active.submit(command),
      clock,
      prng,
      onFailure: (command, cause) => options.onDutyFailed?.(command, cause),
      onFatal,
    });
    this.#state.onImage((image) => this.#checkCluster(image));
    this.#requests = new PeerRequests({
      requests: router.channel(peerChannels.request),
      answers: router.channel(peerChannels.response),
      clock,
      prng,
      limits: defaultPeerRequestLimits,
      onFatal,
    });
    this.#serve();
    this.#directory.follow(() => ({ voters: this.#quorum.status.voters, image: this.image }));
    this.#scheduleSnapshot();
  }

  /**
   * Opens the replica and begins to take part. Pending as long as a first start waits for other nodes. Rejects with TidemarkError
   * when what is on the disk cannot be read, contradicts itself, or belongs to another quorum.
   */
  static async open(options: MetadataNodeOptions): Promise<MetadataNode> {
    const { self, endpoint, clock, clusterId, configuredVoters, directory, onWaiting } = options;
    const store = new MetadataStore(options.store);
    const router = new PeerRouter(options.network);
    const formation = new Formation({
      self,
      endpoint,
      clusterId,
      nodes: configuredVoters.map(({ nodeId }) => nodeId),
      channel: router.channel(FORMATION_CHANNEL),
      clock,
      onWaiting,
      onPeer: (node, at) => directory.heard(node, at),
    });
    const mayForm = options.isController && configuredVoters.some(({ nodeId }) => nodeId === self.nodeId);
    let isFirstStart = false;
    if (mayForm && (await store.loadHardState()) === undefined) {
      refuseOldLog(options);
      const voters = await formation.form();
      if (isAmong(voters, self)) {
        await store.saveFormation(voters);
        isFirstStart = voters[0]!.nodeId === self.nodeId;
      }
    }
    const opened = await openReplica(store, options.log);
    const node = new MetadataNode(options, { store, opened, router, formation });
    formation.formed(() => node.#quorum.status.voters);
    node.#checkCluster(node.image);
    node.#quorum.start(isFirstStart);
    return node;
  }

  /** Everything committed and applied here. */
  get image(): MetadataImage {
    return this.#state.image;
  }

  /** Everything below is applied here. */
  get appliedOffset(): Offset {
    return this.#state.position.endOffset;
  }

  /** Called after every change of the image, in order. Answers how to stop. */
  onImage(listener: ImageListener): () => void {
    return this.#state.onImage(listener);
  }

  get isActive(): boolean {
    return this.#active.isActive;
  }

  /** What the active controller knows of the brokers; of no use on any other node. */
  get sessions(): ActiveController['sessions'] {
    return this.#active.sessions;
  }

  get quorum(): QuorumStatus {
    return {
      ...this.#quorum.status,
      appliedOffset: this.appliedOffset,
      snapshotOffset: this.#state.savedPosition.endOffset,
    };
  }

  addressOf(node: NodeId): PeerEndpoint | undefined {
    return this.#directory.addressOf(node);
  }

  /** Decides on this node or not at all; for the active controller's own duties. */
  submitHere<C extends ControllerCommand>(command: C): Promise<ResponseTo<C> | Failure> {
    return this.#active.submit(command);
  }

  /**
   * Has the active controller decide, wherever it is, and answers once that is committed. When the controller changes meanwhile the
   * command goes to the next one, if repeating it does no harm. Besides the command's own failures: NOT_CONTROLLER,
   * NETWORK_EXCEPTION and THROTTLING_QUOTA_EXCEEDED (nothing happened), REQUEST_TIMED_OUT (it is not known).
   */
  async submit<C extends ControllerCommand>(command: C, timeoutMs: number): Promise<ResponseTo<C> | Failure> {
    const named = this.#withIds(command);
    return this.#atLeader<ResponseTo<C>>(timeoutMs, {
      here: () => this.#active.submit(named),
      kind: requestKinds.command,
      // For the leader of this term only: one that comes late, when others have led meanwhile, is not carried out after what was
      // decided since.
      body: () => withTerm(this.#quorum.term, encodeCommand(named)),
      read: (body) => decodeResponse(command.type, body) as ResponseTo<C> | Failure,
      isRepeatable: isRepeatable(command),
    });
  }

  /** Resolves once `image` has everything that was committed anywhere when it was called. Failures as of `submit`, harmless all. */
  async readBarrier(timeoutMs: number): Promise<{ readonly ok: true; readonly offset: Offset } | Failure> {
    const deadlineMs = this.#options.clock.monotonicMs() + timeoutMs;
    const asked = await this.#atLeader(timeoutMs, {
      here: () => this.#quorum.readIndex(),
      kind: requestKinds.readIndex,
      body: () => new Uint8Array(0),
      read: (body) => ({ ok: true as const, offset: offsetCodec.read(new FieldReader(body)) }),
      isRepeatable: true,
    });
    if (!asked.ok) return asked;
    const leftMs = deadlineMs - this.#options.clock.monotonicMs();
    return (await this.#whenApplied(asked.offset, leftMs)) ? asked : tooLate(timeoutMs);
  }

  /** Adds or removes one voter; answers once that is committed. INVALID_REQUEST and REPLICA_NOT_AVAILABLE say why not. */
  changeVoters(change: VoterChange, timeoutMs: number): Promise<{ readonly ok: true } | Failure> {
    return this.#atLeader<{ readonly ok: true }>(timeoutMs, {
      here: () => this.#changeVotersHere(change, timeoutMs),
      kind: requestKinds.changeVoters,
      body: () => encodeVoterChange(change),
      read: () => ({ ok: true }),
      isRepeatable: false,
    });
  }

  /** Answers once another node leads, or the time is over. `to` undefined: whichever voter is furthest. */
  transferLeadership(to: NodeId | undefined, timeoutMs: number): Promise<{ readonly ok: true } | Failure> {
    return this.#atLeader<{ readonly ok: true }>(timeoutMs, {
      here: () => this.#transferHere(to, timeoutMs),
      kind: requestKinds.transfer,
      body: () => {
        const writer = new FieldWriter();
        nodeCodec.write(writer, to ?? -1);
        return writer.finish();
      },
      read: () => ({ ok: true }),
      isRepeatable: false,
    });
  }

  /** Everything applied is stored durably, and log that is not needed any more is removed as its configuration says. */
  compact(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#compaction ??= this.#compact().finally(() => {
      this.#compaction = undefined;
    });
    return this.#compaction;
  }

  /** The store, log and network stay with who opened them. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#snapshotTimer?.cancel();
    this.#formation.close();
    this.#duties.deactivate();
    this.#requests.close();
    await this.#compaction;
    await this.#quorum.close();
    await this.#snapshots.close();
    await this.#state.close();
    this.#active.update();
  }

  #raftOptions({ hardState, voters, base, log }: OpenedReplica) {
    const { self, endpoint, prng, timing, limits, configuredVoters, preferredLeader, observer } =
      this.#options;
    return {
      self,
      endpoint,
      prng,
      timing,
      limits,
      hardState: hardState ?? { term: 0 as Term, vote: undefined },
      voters,
      log: { base, ...log },
      bootstrapNodes: configuredVoters.map(({ nodeId }) => nodeId),
      preferredLeader,
      observer,
    };
  }

  #activated(isActive: boolean): void {
    const { clock, clusterId, onActive, onDutyFailed } = this.#options;
    if (!isActive) this.#duties.deactivate();
    else {
      this.#duties.activate(clock.monotonicMs());
      if (this.image.clusterId === '') {
        // The first thing a cluster agrees on is which one it is.
        const command = { type: 'registerCluster', clusterId } as const;
        void this.#active.submit(command).then((answer) => {
          if (isFailure(answer)) onDutyFailed?.(command, answer);
        });
      }
    }
    onActive?.(isActive);
  }

  #checkCluster({ clusterId }: MetadataImage): void {
    if (clusterId === '' || clusterId === this.#options.clusterId) return;
    const message = `The voters belong to cluster ${clusterId}, and this node to ${this.#options.clusterId}. Correct cluster.id or controller.quorum.voters.`;
    this.#options.onFatal(TidemarkError.from(failure('INCONSISTENT_CLUSTER_ID', message)));
  }

  #scheduleSnapshot(): void {
    const { clock, snapshotEveryMs } = this.#options;
    if (snapshotEveryMs === 0) return;
    const delayMs = Math.min(snapshotEveryMs, MAX_TIMER_MS);
    this.#snapshotTimer = clock.setTimer(delayMs, () => {
      this.#compactAside();
      this.#scheduleSnapshot();
    });
  }

  #compactAside(): void {
    this.compact().catch((cause: unknown) => {
      if (!this.#isClosed) this.#options.onFatal(cause);
    });
  }

  async #compact(): Promise<void> {
    this.#bytesSinceSnapshot = 0;
    await this.#state.save(true);
    await this.#options.log.checkpoint();
    await this.#quorum.removeOldLog(this.#state.savedPosition.endOffset);
  }

  #committed(entries: readonly Entry[]): void {
    for (const { kind, payload, baseOffset, endOffset, term } of entries) {
      const position = { endOffset, term };
      if (kind === 'data') {
        const decoded = decodeMetadataBatches(payload, baseOffset);
        if (!decoded.ok) throw TidemarkError.from(decoded);
        invariant(baseOffset + decoded.records.length === endOffset, 'an entry is as wide as its records');
        this.#state.apply(baseOffset, position, decoded.records, this.#active.imageAfter(baseOffset));
      } else this.#state.apply(baseOffset, position, []);
      this.#bytesSinceSnapshot += payload.length;
      this.#active.applied(endOffset);
    }
    if (this.#bytesSinceSnapshot >= this.#options.snapshotEveryBytes) this.#compactAside();
    this.#passBarriers();
  }

  async #install(snapshot: InstallSnapshot): Promise<void> {
    await this.#state.install(snapshot);
    this.#active.update();
    this.#passBarriers();
  }

  #serve(): void {
    const { clock } = this.#options;
    this.#requests.serve(requestKinds.command, async (_from, body) => {
      const reader = new FieldReader(body);
      const term = termCodec.read(reader);
      const decoded = decodeCommand(reader.bytes(reader.left));
      if (!decoded.ok) throw TidemarkError.from(decoded);
      if (this.#active.term !== term) {
        throw new TidemarkError(
          'NOT_CONTROLLER',
          'This node is not the active controller the command was meant for.',
        );
      }
      const response = await this.#active.submit(decoded.command);
      // Where to go instead, and what is not known, is said by the request's own failure.
      if (isFailure(response) && isOfTheQuorum(response)) throw TidemarkError.from(response);
      return encodeResponse(decoded.command.type, response);
    });
    this.#requests.serve(requestKinds.readIndex, async () => {
      const { offset } = orThrow(await this.#quorum.readIndex());
      const writer = new FieldWriter();
      offsetCodec.write(writer, offset);
      return writer.finish();
    });
    this.#requests.serve(requestKinds.changeVoters, async (_from, body, { deadlineMs }) => {
      const decoded = decodeVoterChange(body);
      if (!decoded.ok) throw TidemarkError.from(decoded);
      orThrow(await this.#changeVotersHere(decoded.change, deadlineMs - clock.monotonicMs()));
      return new Uint8Array(0);
    });
    this.#requests.serve(requestKinds.transfer, async (_from, body, { deadlineMs }) => {
      const to = nodeCodec.read(new FieldReader(body));
      const timeoutMs = deadlineMs - clock.monotonicMs();
      orThrow(await this.#transferHere(to < 0 ? undefined : (to as NodeId), timeoutMs));
      return new Uint8Array(0);
    });
  }

  /** Tries the leader, wherever it is, until the time is over; again only where that does no harm. */
  async #atLeader<R extends object>(timeoutMs: number, ask: LeaderRequest<R>): Promise<R | Failure> {
    const { clock, retryBackoffMs } = this.#options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    /** What became of an earlier try is not known, so that "nothing happened" is no answer any more. */
    let doubt: Failure | undefined;
    for (;;) {
      const answer = await this.#ask(ask, deadlineMs - clock.monotonicMs());
      if (!isFailure(answer)) return answer;
      if (answer.error === 'REQUEST_TIMED_OUT') doubt = answer;
      const isOver = this.#isClosed || deadlineMs - clock.monotonicMs() <= retryBackoffMs;
      const mayRepeat = isHarmless(answer) || (ask.isRepeatable && answer === doubt);
      if (isOver || !mayRepeat) return doubt ?? answer;
      await this.#pause();
    }
  }

  async #ask<R extends object>(
    { here, kind, body, read }: LeaderRequest<R>,
    leftMs: number,
  ): Promise<R | Failure> {
    const { leader } = this.#quorum;
    if (leader === undefined) {
      return failure(
        'NOT_CONTROLLER',
        'No active controller is known at the moment: a majority of the voters must be up.',
      );
    }
    if (leader.nodeId === this.self.nodeId) return this.#inTime(here(), leftMs);
    const answer = await this.#unlessReplaced(
      leader.nodeId,
      this.#requests.call(leader.nodeId, kind, body(), leftMs),
    );
    if (!answer.ok) return answer;
    try {
      return read(answer.body);
    } catch (error) {
      if (error instanceof MalformedRecord) return failure('CORRUPT_MESSAGE', `An answer ${error.message}.`);
      throw error;
    }
  }

  /** A leader that was replaced may still answer, for a moment; after that nobody waits for it. */
  #unlessReplaced(leader: NodeId, work: Promise<PeerAnswer>): Promise<PeerAnswer> {
    return new Promise((resolve) => {
      let timer: Timer | undefined;
      const watch = (): void => {
        if (timer !== undefined || this.#quorum.leader?.nodeId === leader) return;
        timer = this.#options.clock.setTimer(REPLACED_MS, () => done(replaced));
      };
      const done = (answer: PeerAnswer): void => {
        timer?.cancel();
        this.#leaderWatches.delete(watch);
        resolve(answer);
      };
      this.#leaderWatches.add(watch);
      void work.then(done);
    });
  }

  #leaderChanged(): void {
    for (const watch of [...this.#leaderWatches]) watch();
  }

  #withIds<C extends ControllerCommand>(command: C): C {
    if (command.type !== 'createTopics') return command;
    const { prng } = this.#options;
    const topics = command.topics.map((topic) => ({
      ...topic,
      topicId: topic.topicId ?? drawTopicId(prng, this.image),
    }));
    return { ...command, topics };
  }

  #inTime<R>(work: Promise<R>, timeoutMs: number): Promise<R | Failure> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = clock.setTimer(Math.max(0, Math.floor(timeoutMs)), () => resolve(tooLate(timeoutMs)));
      work.then(
        (result) => {
          timer.cancel();
          resolve(result);
        },
        (cause: unknown) => {
          timer.cancel();
          reject(cause);
        },
      );
    });
  }

  #pause(): Promise<void> {
    const { clock, retryBackoffMs } = this.#options;
    return new Promise((resolve) => clock.setTimer(retryBackoffMs, resolve));
  }

  async #changeVotersHere(change: VoterChange, timeoutMs: number): Promise<{ readonly ok: true } | Failure> {
    const { clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    let proposed = this.#quorum.proposeVoters(change);
    // A replica that has just come may be a moment behind.
    while (!proposed.ok && proposed.error === 'REPLICA_NOT_AVAILABLE' && clock.monotonicMs() < deadlineMs) {
      await this.#pause();
      proposed = this.#quorum.proposeVoters(change);
    }
    if (!proposed.ok) return proposed;
    const endOffset = (proposed.baseOffset + 1) as Offset;
    if (!(await this.#whenApplied(endOffset, deadlineMs - clock.monotonicMs()))) return tooLate(timeoutMs);
    // Applied up to there: but in another term it is another entry.
    if (this.#quorum.term === proposed.term) return { ok: true };
    return failure(
      'REQUEST_TIMED_OUT',
      'The leader changed meanwhile; quorum status shows whether the voters did.',
    );
  }

  async #transferHere(to: NodeId | undefined, timeoutMs: number): Promise<{ readonly ok: true } | Failure> {
    const { clock } = this.#options;
    const begun = this.#quorum.transferLeadership(to);
    if (!begun.ok || to === this.self.nodeId) return begun;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    while (clock.monotonicMs() < deadlineMs) {
      const { leader } = this.#quorum;
      if (leader !== undefined && leader.nodeId !== this.self.nodeId) return { ok: true };
      await this.#pause();
    }
    return failure('REQUEST_TIMED_OUT', `No other node has taken over within ${Math.round(timeoutMs)} ms.`);
  }

  #whenApplied(offset: Offset, timeoutMs: number): Promise<boolean> {
    if (this.appliedOffset >= offset) return Promise.resolve(true);
    return new Promise((resolve) => {
      const barrier: Barrier = {
        offset,
        resolve: () => {
          timer.cancel();
          resolve(true);
        },
      };
      const timer = this.#options.clock.setTimer(Math.max(0, Math.floor(timeoutMs)), () => {
        this.#barriers = this.#barriers.filter((other) => other !== barrier);
        resolve(false);
      });
      this.#barriers.push(barrier);
    });
  }

  #passBarriers(): void {
    if (this.#barriers.length === 0) return;
    const passed = this.#barriers.filter(({ offset }) => offset <= this.appliedOffset);
    this.#barriers = this.#barriers.filter(({ offset }) => offset > this.appliedOffset);
    for (const { resolve } of passed) resolve();
  }
}

interface NodeParts {
  readonly store: MetadataStore;
  readonly opened: OpenedReplica;
  readonly router: PeerRouter;
  readonly formation: Formation;
}

/** A log without a hard state is of a time when a node was alone: then its votes are nobody's business. */
function refuseOldLog({ log, configuredVoters }: MetadataNodeOptions): void {
  if (log.nextOffset === 0 || configuredVoters.length === 1) return;
  throw TidemarkError.from(
    failure(
      'KAFKA_STORAGE_ERROR',
      'The folder has a metadata log but not what this node has promised as a voter. Start it alone once (controller.quorum.voters names only it), or empty the folder so that it joins anew.',
    ),
  );
}

interface LeaderRequest<R> {
  readonly here: () => Promise<R | Failure>;
  readonly kind: number;
  readonly body: () => Uint8Array;
  readonly read: (body: Uint8Array) => R | Failure;
  /** Whether doing it twice is the same as doing it once. */
  readonly isRepeatable: boolean;
}

/**
 * Whether a command that may have been carried out can be given again: it asks for a state and not for a step, or names what it
 * makes. Deleting a topic or adding partitions twice is an error the second time, which nobody could tell from a refusal.
 */
function isRepeatable(command: ControllerCommand): boolean {
  return command.type !== 'deleteTopics' && command.type !== 'createPartitions';
}

/** How long an answer of a leader that was replaced is waited for. */
const REPLACED_MS = 200;
const replaced = failure(
  'REQUEST_TIMED_OUT',
  'The active controller changed before it answered; whether the command took effect shows in the metadata.',
);

/** Failures after which the request can be sent again, because it has done nothing. */
const isHarmless = ({ error }: Failure): boolean =>
  error === 'NOT_CONTROLLER' || error === 'NETWORK_EXCEPTION';

const isOfTheQuorum = ({ error }: Failure): boolean =>
  error === 'NOT_CONTROLLER' || error === 'THROTTLING_QUOTA_EXCEEDED' || error === 'REQUEST_TIMED_OUT';

const tooLate = (timeoutMs: number): Failure =>
  failure(
    'REQUEST_TIMED_OUT',
    `It was not done within ${Math.round(timeoutMs)} ms; whether it will be is not known.`,
  );

function orThrow<R extends object>(answer: R | Failure): R {
  if (isFailure(answer)) throw TidemarkError.from(answer);
  return answer;
}
