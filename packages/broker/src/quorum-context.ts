// What the handlers of cluster and quorum commands need of a node: its replica of the metadata and a way to the active controller.
// The process has more than this; a test needs no more.

import type { BrokerConfig, Clock } from '@tidemark/core';
import type { MetadataNode, QuorumStatus as NodeQuorumStatus } from '@tidemark/runtime';

export type { ReplicaStatus as ReplicaProgress, VoterChange } from '@tidemark/raft';

/** The snapshot offset is undefined when there is none. */
export type QuorumStatus = Omit<NodeQuorumStatus, 'isServing' | 'snapshotOffset'> &
  Partial<Pick<NodeQuorumStatus, 'snapshotOffset'>>;

export type ClusterMetadataNode = Pick<
  MetadataNode,
  | 'self'
  | 'image'
  | 'submit'
  | 'readBarrier'
  | 'changeVoters'
  | 'transferLeadership'
  | 'addressOf'
  | 'forward'
> & { readonly quorum: QuorumStatus };

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
