// One node's replica of the metadata, and its way to the active controller: what the rest of a node builds on. Whether it votes,
// observes or leads changes nothing for who uses it: commands go to whoever decides, reads come from the image here.

import {
  duties,
  type Controller,
  type ControllerCommand,
  type MetadataImage,
  type ResponseTo,
} from '@tidemark/controller';
import {
  type BrokerConfig,
  type BrokerId,
  type Clock,
  failure,
  type Failure,
  invariant,
  isFailure,
  type KeyValueStore,
  type Network,
  type NodeId,
  type Offset,
  type Prng,
  type Term,
  TidemarkError,
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
import { AppliedBarriers } from './applied-barriers.ts';
import { ControllerDuties } from './controller-duties.ts';
import { ControllerRequests, type Forwarded, type ReadBarrier } from './controller-requests.ts';
import { Knocks } from './knocks.ts';
import { LeaderCaller } from './leader-caller.ts';
import { serveForwarded, serveLeaderRequests, type ForwardedHandler } from './leader-requests.ts';
import { decodeMetadataBatches } from './metadata-batch.ts';
import { MetadataCompaction } from './metadata-compaction.ts';
import type { PeerDirectory, VoterAddress } from './peer-directory.ts';
import { defaultPeerRequestLimits, PeerRequests } from './peer-requests.ts';
import { peerChannels, PeerRouter, type PeerChannel } from './peer-router.ts';
import { Formation, isAmong } from './quorum/formation.ts';
import { MetadataState, type ImageListener } from './quorum/metadata-state.ts';
import { MetadataStore } from './quorum/metadata-store.ts';
import { openReplica, type OpenedReplica } from './quorum/open-replica.ts';
import { RaftQuorum } from './quorum/raft-quorum.ts';
import { SnapshotSender } from './quorum/snapshot-sender.ts';
import { QuorumChanges } from './quorum-changes.ts';

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
  /** There was no log before this start. */
  readonly isLogNew?: boolean | undefined;
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
  /** As the active controller this node takes the broker for dead, because it refuses connections. */
  readonly onRefused?: ((broker: BrokerId) => void) | undefined;
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

export class MetadataNode {
  readonly self: ReplicaKey;
  readonly #options: MetadataNodeOptions;
  readonly #directory: PeerDirectory;
  readonly #router: PeerRouter;
  readonly #requests: PeerRequests;
  readonly #formation: Formation;
  readonly #quorum: RaftQuorum;
  readonly #state: MetadataState;
  readonly #snapshots: SnapshotSender;
  readonly #active: ActiveController;
  readonly #duties: ControllerDuties;
  readonly #knocks: Knocks;
  readonly #compaction: MetadataCompaction;
  readonly #barriers: AppliedBarriers;
  readonly #leader: LeaderCaller;
  readonly #changes: QuorumChanges;
  readonly #toController: ControllerRequests;
  #answerForwarded: ForwardedHandler | undefined;
  #hasFailed = false;

  private constructor(options: MetadataNodeOptions, parts: NodeParts) {
    const { store, opened, router, formation } = parts;
    this.self = options.self;
    this.#options = options;
    this.#directory = options.directory;
    this.#router = router;
    this.#formation = formation;
    const { clock, prng } = options;
    // Whatever cannot go on ends the replica first, so that it says nothing more and what waits is given up.
    const onFatal = (cause: unknown): void => this.#quorum.fail(cause);
    this.#quorum = new RaftQuorum({
      raft: this.#raftOptions(opened),
      log: options.log,
      store,
      channel: router.channel(peerChannels.raft),
      clock,
      listener: {
        committed: (entries) => this.#committed(entries),
        install: (snapshot) => this.#install(snapshot),
        readSnapshot: (read) => this.#snapshots.read(read),
        roleChanged: () => {
          this.#active.update();
          this.#leader.leaderChanged();
          if (!this.#quorum.isLeader) this.#snapshots.stop().catch(onFatal);
        },
      },
      onPeer: (node, endpoint) => this.#directory.heard(node, endpoint),
      onFatal: (cause) => {
        this.#hasFailed = true;
        this.#leader.close();
        this.#changes.close();
        this.#barriers.close();
        options.onFatal(cause);
      },
    });
    const votersAsOf = (offset: Offset): VoterSet => this.#quorum.votersAsOf(offset);
    this.#state = MetadataState.of(
      { store, clock, votersAsOf, saveAfterMs: options.saveAfterMs, onFatal },
      opened.image,
      opened.base,
    );
    this.#snapshots = new SnapshotSender({ state: this.#state, votersAsOf, clock, onFatal });
    this.#active = new ActiveController({
      controller: options.controller,
      quorum: this.#quorum,
      state: this.#state,
      clock,
      prng,
      maxWaitingCommands: options.maxWaitingCommands,
      sessionTimeoutMs: options.sessionTimeoutMs,
      refusedTimeoutMs: options.config.get('broker.refused.timeout.ms'),
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
    this.#knocks = knocksOf(options, router.channel(peerChannels.knock), this.#active.sessions);
    this.#state.onImage((image) => checkCluster(options, image));
    this.#requests = new PeerRequests({
      requests: router.channel(peerChannels.request),
      answers: router.channel(peerChannels.response),
      clock,
      prng,
      limits: defaultPeerRequestLimits,
      onFatal,
    });
    this.#barriers = new AppliedBarriers(clock, () => this.appliedOffset);
    this.#leader = new LeaderCaller({
      self: options.self.nodeId,
      leader: () => this.#quorum.leader?.nodeId,
      requests: this.#requests,
      clock,
      retryBackoffMs: options.retryBackoffMs,
    });
    this.#changes = new QuorumChanges({
      self: options.self.nodeId,
      quorum: this.#quorum,
      barriers: this.#barriers,
      clock,
      retryBackoffMs: options.retryBackoffMs,
    });
    this.#toController = new ControllerRequests({
      ...{ leader: this.#leader, quorum: this.#quorum, active: this.#active },
      ...{ changes: this.#changes, barriers: this.#barriers },
      node: this,
      clock,
      prng,
    });
    this.#serveOthers();
    this.#compaction = new MetadataCompaction({
      state: this.#state,
      log: options.log,
      quorum: this.#quorum,
      clock,
      everyBytes: options.snapshotEveryBytes,
      everyMs: options.snapshotEveryMs,
      onFatal,
    });
    this.#directory.follow(() => ({ voters: this.#quorum.voters, image: this.image }));
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
      channel: router.channel(peerChannels.formation),
      clock,
      onWaiting,
      onPeer: (node, at) => directory.heard(node, at),
    });
    const mayForm = options.isController && configuredVoters.some(({ nodeId }) => nodeId === self.nodeId);
    let isFirstStart = false;
    const isNew = (await store.loadHardState()) === undefined;
    // One that the configuration does not name may vote as well: it may have been added since.
    if (isNew && options.isController) refuseOldLog(options, mayForm);
    if (!isNew && options.isController) refuseLostLog(options);
    if (isNew && mayForm) {
      const voters = await formation.form();
      if (isAmong(voters, self)) {
        await store.saveFormation(voters);
        isFirstStart = voters[0]!.nodeId === self.nodeId;
      }
    }
    const opened = await openReplica(store, options.log);
    checkCluster(options, opened.image);
    const node = new MetadataNode(options, { store, opened, router, formation });
    formation.formed(() => node.#quorum.voters);
    options.network.onRefused?.((peer) => node.#refused(peer));
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

  /** Of the quorum, as far as this node knows: for who needs no more than that of `quorum`. */
  get leader(): ReplicaKey | undefined {
    return this.#quorum.leader;
  }

  /** Of the quorum, as far as this node knows. */
  get term(): Term {
    return this.#quorum.term;
  }

  get quorum(): QuorumStatus {
    return {
      ...this.#quorum.status,
      appliedOffset: this.appliedOffset,
      snapshotOffset: this.#state.savedPosition.endOffset,
    };
  }

  /** For another protocol between the nodes, over the same network. */
  peerChannel(kind: number): PeerChannel {
    return this.#router.channel(kind);
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
   * command goes to the next one, if it surely was not carried out, or repeating it does no harm. Besides the command's own failures:
   * NOT_CONTROLLER, NETWORK_EXCEPTION and THROTTLING_QUOTA_EXCEEDED (nothing happened), REQUEST_TIMED_OUT (it is not known).
   */
  submit<C extends ControllerCommand>(command: C, timeoutMs: number): Promise<ResponseTo<C> | Failure> {
    return this.#toController.submit(command, timeoutMs);
  }

  /** Resolves once `image` has everything that was committed anywhere when it was called. Failures as of `submit`, harmless all. */
  readBarrier(timeoutMs: number): Promise<ReadBarrier | Failure> {
    return this.#toController.readBarrier(timeoutMs);
  }

  /** Adds or removes one voter; answers once that is committed. INVALID_REQUEST and REPLICA_NOT_AVAILABLE say why not. */
  changeVoters(change: VoterChange, timeoutMs: number): Promise<{ readonly ok: true } | Failure> {
    return this.#toController.changeVoters(change, timeoutMs);
  }

  /** Answers once another node leads, or the time is over. `to` undefined: whichever voter is furthest. */
  transferLeadership(to: NodeId | undefined, timeoutMs: number): Promise<{ readonly ok: true } | Failure> {
    return this.#toController.transferLeadership(to, timeoutMs);
  }

  /** From now on this node answers, while it leads, what others forward to it. Called once. */
  serveForwarded(answer: ForwardedHandler): void {
    this.#answerForwarded = answer;
    serveForwarded(this.#requests, answer);
  }

  /**
   * Asks the leader, wherever it is, what a client asked of this node (Kafka's envelope, KIP-590); for reads, which are repeated.
   * Failures as of `submit`, harmless all; UNSUPPORTED_VERSION from a leader that does not know the method.
   */
  forward(method: string, request: Uint8Array, timeoutMs: number): Promise<Forwarded | Failure> {
    return this.#toController.forward(method, request, timeoutMs, () => this.#answerHere(method, request));
  }

  /** It became the leader after it was asked. */
  async #answerHere(method: string, request: Uint8Array): Promise<Forwarded | Failure> {
    const answer = this.#answerForwarded;
    if (answer === undefined) return failure('NOT_CONTROLLER', 'This node is starting.');
    try {
      return { ok: true, response: await answer(method, request) };
    } catch (error) {
      if (error instanceof TidemarkError) return failure(error.error, error.message);
      throw error;
    }
  }

  /** Everything applied is stored durably, and log that is not needed any more is removed as its configuration says. */
  compact(): Promise<void> {
    return this.#compaction.run();
  }

  /**
   * Decides nothing any more, answers what was decided, and takes part no longer. Rejects when the image cannot be stored, which
   * loses nothing: the log has it. The store, log and network stay with who opened them.
   */
  async close(): Promise<void> {
    this.#formation.close();
    this.#duties.deactivate();
    this.#knocks.end();
    // A leader without a majority resigns after a while, and gives up what waits.
    await this.#active.close();
    this.#requests.close();
    this.#leader.close();
    this.#changes.close();
    await this.#compaction.close();
    await this.#quorum.close();
    this.#barriers.close();
    await this.#snapshots.stop();
    // After a failure nobody knows what the image is worth.
    await this.#state.close(!this.#hasFailed);
  }

  /** What other nodes ask of this one while it leads. */
  #serveOthers(): void {
    const active = this.#active;
    serveLeaderRequests(this.#requests, this.#options.clock, {
      get term() {
        return active.term;
      },
      submit: (command) => this.#active.submit(command),
      readIndex: () => this.#quorum.readIndex(),
      changeVoters: (change, timeoutMs) => this.#changes.changeVoters(change, timeoutMs),
      transfer: (to, timeoutMs) => this.#changes.transfer(to, timeoutMs),
    });
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
    if (!isActive) {
      this.#duties.deactivate();
      this.#knocks.end();
    } else {
      this.#duties.activate(clock.monotonicMs());
      this.#knocks.begin();
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

  /**
   * Nobody listens where a peer should be. The sessions are the active controller's, and it sends to every replica all the time; a
   * voter that may be the next one remembers what it saw while the last one was lost.
   */
  #refused(peer: NodeId): void {
    const { clock, onRefused } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#quorum.peerRefused(peer);
    const broker = peer as number as BrokerId;
    if (!this.#active.isActive) {
      this.#active.refusals.add(broker, nowMs);
      return;
    }
    if (!this.#active.sessions.refused(broker, nowMs)) return;
    // One that stopped in order is fenced already.
    if (this.#active.pendingImage.broker(broker)?.fenced !== false) return;
    onRefused?.(broker);
    this.#duties.hurry();
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
      this.#active.applied(endOffset);
      this.#compaction.applied(payload.length);
    }
    this.#barriers.pass();
  }

  async #install(snapshot: InstallSnapshot): Promise<void> {
    await this.#state.install(snapshot);
    this.#active.update();
    this.#barriers.pass();
  }
}

interface NodeParts {
  readonly store: MetadataStore;
  readonly opened: OpenedReplica;
  readonly router: PeerRouter;
  readonly formation: Formation;
}

/** Twice in the time over which a broker has to refuse, at who is late by half a heartbeat; never where refusals are not noticed. */
function knocksOf(
  { config, clock, network }: MetadataNodeOptions,
  channel: PeerChannel,
  sessions: ActiveController['sessions'],
): Knocks {
  const refusedMs = config.get('broker.refused.timeout.ms');
  const silentMs = config.get('broker.heartbeat.interval.ms') * 1.5;
  return new Knocks({
    clock,
    channel,
    intervalMs: refusedMs === 0 || network.onRefused === undefined ? Infinity : Math.max(1, refusedMs / 2),
    silent: (nowMs) => sessions.silent(nowMs, silentMs),
  });
}

function checkCluster({ clusterId }: MetadataNodeOptions, image: MetadataImage): void {
  if (image.clusterId === '' || image.clusterId === clusterId) return;
  const message = `The voters belong to cluster ${image.clusterId}, and this node to ${clusterId}. Correct cluster.id or controller.quorum.voters.`;
  throw TidemarkError.from(failure('INCONSISTENT_CLUSTER_ID', message));
}

/** What others have counted as held here was in it; an image alone may be older. Whoever does not vote is sent it again. */
function refuseLostLog({ isLogNew }: MetadataNodeOptions): void {
  if (isLogNew !== true) return;
  throw TidemarkError.from(
    failure(
      'KAFKA_STORAGE_ERROR',
      'The folder has what this node has promised as a controller but not its metadata log. Restore the log, or empty the folder so that this node joins anew.',
    ),
  );
}

/** A log without a hard state is of a time when a node was alone: then its votes are nobody's business. */
function refuseOldLog({ log, configuredVoters }: MetadataNodeOptions, mayForm: boolean): void {
  if (log.nextOffset === 0 || (mayForm && configuredVoters.length === 1)) return;
  throw TidemarkError.from(
    failure(
      'KAFKA_STORAGE_ERROR',
      'The folder has a metadata log but not what this node has promised as a voter. Start it alone once (controller.quorum.voters names only it), or empty the folder so that it joins anew.',
    ),
  );
}
