// What the handlers of cluster and quorum commands need of a node: its replica of the metadata and a way to the active controller.
// The process has more than this; a test needs no more.

import type { ControllerCommand, MetadataImage, ResponseTo } from '@tidemark/controller';
import type { BrokerConfig, Clock, Failure, NodeId, Offset, Term } from '@tidemark/core';
import type { PeerEndpoint, ReplicaKey, Role, Voter, VoterSet } from '@tidemark/raft';

/** Another replica (or the leader itself) as the leader sees it. */
export interface ReplicaProgress {
  readonly key: ReplicaKey;
  readonly isVoter: boolean;
  readonly matchOffset: Offset;
  readonly lastContactMsAgo: number;
  readonly state: 'probing' | 'replicating' | 'snapshot';
}

export interface QuorumStatus {
  readonly role: Role;
  readonly term: Term;
  readonly leader: ReplicaKey | undefined;
  readonly voters: VoterSet;
  readonly commitOffset: Offset;
  readonly logEndOffset: Offset;
  readonly logStartOffset: Offset;
  readonly appliedOffset: Offset;
  /** Where the newest snapshot ends; undefined when there is none. */
  readonly snapshotOffset?: Offset | undefined;
  /** Of the leader only; empty elsewhere. With or without the leader itself. */
  readonly replicas: readonly ReplicaProgress[];
}

export type VoterChange =
  { readonly type: 'add'; readonly voter: Voter } | { readonly type: 'remove'; readonly replica: ReplicaKey };

export interface ClusterMetadataNode {
  readonly self: ReplicaKey;
  /** Everything committed and applied on this node. */
  readonly image: MetadataImage;
  readonly quorum: QuorumStatus;
  submit<C extends ControllerCommand>(command: C, timeoutMs: number): Promise<ResponseTo<C> | Failure>;
  /** Resolves once `image` has everything that was committed when it was asked. */
  readBarrier(timeoutMs: number): Promise<{ readonly ok: true; readonly offset: Offset } | Failure>;
  changeVoters(change: VoterChange, timeoutMs: number): Promise<{ readonly ok: true } | Failure>;
  transferLeadership(to: NodeId | undefined, timeoutMs: number): Promise<{ readonly ok: true } | Failure>;
  /** Where a node is reached by its peers. */
  addressOf(node: NodeId): PeerEndpoint | undefined;
}

export interface QuorumContext {
  /** The listener the call came in by: answers name the addresses of that listener. */
  readonly listenerName: string;
  readonly clusterId: string;
  readonly version: string;
  /** The node's own configuration. */
  readonly config: BrokerConfig;
  readonly clock: Clock;
  readonly metadata: ClusterMetadataNode;
}
