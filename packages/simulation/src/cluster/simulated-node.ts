// What the simulator needs of a node, and what it gives to one. A `NodeFactory` is all that stands between the simulated world and
// the production code in it: production-node.ts has the one for a whole node.

import { type Failure, type Network, type NodeId, type Offset, type Term } from '@tidemark/core';
import {
  type PeerEndpoint,
  type RaftObserver,
  type ReplicaKey,
  type Role,
  type Voter,
  type VoterSet,
} from '@tidemark/raft';
import { type GroupCoordinator, type ReplicaManager } from '@tidemark/runtime';
import { type NodeSimClock } from '../node-sim-clock.ts';
import { type SimDisk } from '../sim-disk.ts';
import { type SimKeyValueStore } from '../sim-key-value.ts';
import { type SimPrng } from '../sim-prng.ts';

/** One incarnation's world. */
export interface NodeEnv {
  readonly self: ReplicaKey;
  readonly endpoint: PeerEndpoint;
  /** 1, 2, 3 ... over all incarnations of the node id. */
  readonly incarnation: number;
  readonly clock: NodeSimClock;
  readonly disk: SimDisk;
  readonly store: SimKeyValueStore;
  readonly network: Network;
  readonly prng: SimPrng;
  readonly observer: RaftObserver;
  /** Those the cluster begins with; a folder that is empty and theirs begins with them. */
  readonly initialVoters: VoterSet;
  /** Whether the node begins as one of the initial voters, with an empty folder. */
  readonly isFounder: boolean;
  /** Nodes to ask for the leader. */
  readonly bootstrapNodes: readonly NodeId[];
  readonly timing: ClusterTiming;
  /** Called after every change of the image, in order. */
  readonly onImage: (image: ImageView) => void;
  /** The node begins to lead a partition, or the high watermark of one that it leads has moved. */
  readonly onCommitted: (topic: string, partition: number) => void;
  /** Its broker was replaced or removed: the process ends of this, and is started anew. */
  readonly onFenced: (cause: Failure) => void;
  /** The process would end of this. */
  readonly onFatal: (cause: unknown) => void;
}

/** Milliseconds. */
export interface ClusterTiming {
  readonly electionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly checkQuorumMs: number;
  readonly lingerMs: number;
}

export interface TopicView {
  readonly id: string;
  /** What the last `setValue` wrote; undefined: none yet. */
  readonly value: string | undefined;
}

/** One image of a node, as the checkers see it. */
export interface ImageView {
  /** Of the last record in it; -1 before the first. */
  readonly offset: number;
  topic(name: string): TopicView | undefined;
  topicNames(): Iterable<string>;
  /** Equal images have equal digests. May cost as much as the image is large. */
  digest(): string;
  /** What is wrong with it by itself, or as the successor of `previous`. */
  problems(previous: ImageView | undefined): readonly string[];
}

export interface NodeStatus {
  readonly role: Role;
  readonly term: Term;
  readonly leader: ReplicaKey | undefined;
  readonly voters: VoterSet;
  readonly commitOffset: Offset;
  readonly logEndOffset: Offset;
}

/** A partition as one node's metadata has it. */
export interface PartitionPlace {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** -1: nobody. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  /** Eligible leader replicas. */
  readonly elr: readonly number[];
}

export interface SimulatedNode {
  readonly image: ImageView;
  readonly status: NodeStatus;
  /** Whether it is more than a replica of the metadata. */
  readonly holdsRecords: boolean;
  /** Its partitions; undefined until its broker has registered and opened them. */
  readonly replicas: ReplicaManager | undefined;
  /** The groups it coordinates; undefined as long as `replicas` is, and where there are none. */
  readonly groups?: GroupCoordinator | undefined;
  /** As this node's metadata has them. */
  partitionsOf(topic: string): readonly PartitionPlace[];
  /** The log folder that the broker registered with, as this node's metadata has it; undefined: it never did. */
  registeredDirectory(broker: NodeId): string | undefined;
  /** With so many partitions and replicas. */
  createRecordTopic(
    name: string,
    partitions: number,
    replicas: number,
    timeoutMs: number,
  ): Promise<{ readonly ok: true } | Failure>;
  /** Gives every partition to its preferred leader, where that is in sync. */
  electPreferred(timeoutMs: number): Promise<{ readonly ok: true } | Failure>;
  reassign(
    topic: string,
    partition: number,
    replicas: readonly number[],
    timeoutMs: number,
  ): Promise<{ readonly ok: true } | Failure>;
  /** Of one partition; `replicas` 0: as many as is usual. */
  createTopic(
    name: string,
    replicas: number,
    timeoutMs: number,
  ): Promise<{ readonly ok: true; readonly id: string } | Failure>;
  /** Overwrites the one value of the topic. */
  setValue(name: string, value: string, timeoutMs: number): Promise<{ readonly ok: true } | Failure>;
  deleteTopic(name: string, timeoutMs: number): Promise<{ readonly ok: true } | Failure>;
  readBarrier(timeoutMs: number): Promise<{ readonly ok: true; readonly offset: Offset } | Failure>;
  changeVoters(
    change:
      | { readonly type: 'add'; readonly voter: Voter }
      | { readonly type: 'remove'; readonly replica: ReplicaKey },
    timeoutMs: number,
  ): Promise<{ readonly ok: true } | Failure>;
  transferLeadership(to: NodeId | undefined, timeoutMs: number): Promise<{ readonly ok: true } | Failure>;
  /** Hands over what it leads, as a process does that is told to stop; whatever comes of it, `close` is next. */
  handOver(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Resolves when the node runs. A rejection is its process's end. */
export type NodeFactory = (env: NodeEnv) => Promise<SimulatedNode>;
