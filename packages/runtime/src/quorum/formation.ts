// The first start of a quorum. Voters are nodes with their directories, and nobody can configure the ids of directories that are yet
// to be made: so the nodes named as voters tell each other theirs, and once a node has heard from every one of them that it is
// just as new, those are the first voters.
//
// A node whose disk was lost looks new, too. It must not found a second cluster over the first one's data: that is why all of
// them must be there at the first start, and why a single one that is not new ends it: then this node is a voter if that one
// counts its directory among the voters, and else an observer that an operator may add.

import {
  FieldReader,
  FieldWriter,
  flag,
  MalformedRecord,
  optional,
  struct,
  text,
  type Clock,
  type NodeId,
  type Timer,
} from '@tidemark/core';
import {
  endpointCodec,
  findVoter,
  replicaCodec,
  votersCodec,
  type PeerEndpoint,
  type ReplicaKey,
  type Voter,
  type VoterSet,
} from '@tidemark/raft';
import type { PeerChannel } from '../peer-router.ts';

interface Hello {
  readonly clusterId: string;
  readonly from: ReplicaKey;
  readonly endpoint: PeerEndpoint;
  /** Undefined while its sender is new. */
  readonly voters: VoterSet | undefined;
  readonly isReply: boolean;
}

const VERSION = 1;
const helloCodec = struct<Hello>({
  clusterId: text,
  from: replicaCodec,
  endpoint: endpointCodec,
  voters: optional(votersCodec),
  isReply: flag,
});

const HELLO_EVERY_MS = 200;
/** A node that was not heard for so long may be gone, and another may come in its place. */
const FRESH_FOR_MS = 3_000;

export interface FormationOptions {
  readonly self: ReplicaKey;
  readonly endpoint: PeerEndpoint;
  /** Nodes of another cluster are not listened to. */
  readonly clusterId: string;
  /** Node ids of the voters a first start waits for. */
  readonly nodes: readonly NodeId[];
  readonly channel: PeerChannel;
  readonly clock: Clock;
  /** The nodes that have not been heard yet; called when they change. */
  readonly onWaiting: (missing: readonly NodeId[]) => void;
  readonly onPeer: (node: NodeId, endpoint: PeerEndpoint) => void;
}

/** Answers other nodes that form a quorum, and forms one. */
export class Formation {
  readonly #options: FormationOptions;
  readonly #heard = new Map<NodeId, { readonly voter: Voter; readonly atMs: number }>();
  /** What this node says of itself: nothing as long as it does not know, then that it is new, or who votes. */
  #says: 'nothing' | 'new' | (() => VoterSet) = 'nothing';
  #settle: ((voters: VoterSet) => void) | undefined;
  #timer: Timer | undefined;
  #missing = '';

  constructor(options: FormationOptions) {
    this.#options = options;
    options.channel.onMessage(({ from, payload }) => this.#receive(from, payload));
  }

  /** From now on others are told that this node is not new, and who votes as far as it knows. */
  formed(voters: () => VoterSet): void {
    this.#says = voters;
  }

  /**
   * The first voters, once they are agreed; without this node when it is none of them. Pending as long as nodes are missing. The
   * caller stores them before `formed`.
   */
  form(): Promise<VoterSet> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#says = 'new';
      this.#hello();
    });
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#settle = undefined;
  }

  #hello(): void {
    const { nodes, self, clock } = this.#options;
    this.#check();
    if (this.#settle === undefined) return;
    for (const node of nodes) if (node !== self.nodeId) this.#say(node, false);
    this.#timer = clock.setTimer(HELLO_EVERY_MS, () => this.#hello());
  }

  #say(to: NodeId, isReply: boolean): void {
    const { self, endpoint, clusterId, channel } = this.#options;
    // A node that has yet to read its disk must not be taken for new: others would found a second cluster over what it holds. Nor
    // must one that has decided and not stored it: it may be new no longer when that is heard. Who asks will ask again.
    if (this.#says === 'nothing') return;
    const voters = this.#says === 'new' ? undefined : this.#says();
    const writer = new FieldWriter();
    writer.byte(0);
    writer.unsigned(VERSION);
    helloCodec.write(writer, { clusterId, from: self, endpoint, voters, isReply });
    channel.sendPrefixed(to, writer.finish());
  }

  #receive(from: NodeId, payload: Uint8Array): void {
    const hello = decodeHello(payload);
    if (hello?.from.nodeId !== from || hello.clusterId !== this.#options.clusterId) return;
    this.#options.onPeer(from, hello.endpoint);
    if (!hello.isReply) this.#say(from, true);
    if (this.#settle === undefined) return;
    if (hello.voters === undefined) {
      const voter: Voter = { ...hello.from, endpoint: hello.endpoint };
      this.#heard.set(from, { voter, atMs: this.#options.clock.monotonicMs() });
      this.#check();
    } else if (hello.voters.length > 0) this.#finish(hello.voters);
  }

  #check(): void {
    const { nodes, self, endpoint, clock, onWaiting } = this.#options;
    if (this.#settle === undefined) return;
    const since = clock.monotonicMs() - FRESH_FOR_MS;
    const fresh: Voter[] = [{ ...self, endpoint }];
    for (const { voter, atMs } of this.#heard.values()) {
      if (atMs >= since && nodes.includes(voter.nodeId)) fresh.push(voter);
    }
    const missing = nodes.filter((node) => !fresh.some(({ nodeId }) => nodeId === node));
    if (missing.length === 0) {
      this.#finish(fresh.sort((a, b) => a.nodeId - b.nodeId));
    } else if (missing.join() !== this.#missing) {
      this.#missing = missing.join();
      onWaiting(missing);
    }
  }

  #finish(voters: VoterSet): void {
    const settle = this.#settle;
    this.close();
    this.#says = 'nothing';
    settle?.(voters);
  }
}

function decodeHello(payload: Uint8Array): Hello | undefined {
  const reader = new FieldReader(payload);
  try {
    if (reader.unsigned() !== VERSION) return undefined;
    const hello = helloCodec.read(reader);
    return reader.left > 0 ? undefined : hello;
  } catch (error) {
    if (error instanceof MalformedRecord) return undefined;
    throw error;
  }
}

/** Whether `self` votes among them. */
export const isAmong = (voters: VoterSet, self: ReplicaKey): boolean => findVoter(voters, self) !== undefined;
