// Who takes part. A replica is a node id and a directory id: a node that comes back with an empty disk has a new directory id
// and is somebody else, who has promised nothing (KIP-853).

import type { NodeId } from '@tidemark/core';

export interface ReplicaKey {
  readonly nodeId: NodeId;
  /** A UUID drawn when the folder was made, in the text form of a topic id. */
  readonly directoryId: string;
}

/** Where the other replicas reach this one. */
export interface PeerEndpoint {
  readonly host: string;
  readonly port: number;
}

export interface Voter extends ReplicaKey {
  readonly endpoint: PeerEndpoint;
}

/** In the order of their node ids, each node id once, at most `MAX_VOTERS`. */
export type VoterSet = readonly Voter[];

export const MAX_VOTERS = 9;

export function isSameReplica(a: ReplicaKey | undefined, b: ReplicaKey | undefined): boolean {
  return a !== undefined && b !== undefined && a.nodeId === b.nodeId && a.directoryId === b.directoryId;
}

/** The voter with both ids of `replica`. */
export function findVoter(voters: VoterSet, replica: ReplicaKey): Voter | undefined {
  return voters.find((voter) => isSameReplica(voter, replica));
}

/** For maps and messages: `3:Kq0…`. */
export function replicaName({ nodeId, directoryId }: ReplicaKey): string {
  return `${nodeId}:${directoryId}`;
}

/** How many of `count` voters decide. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}
