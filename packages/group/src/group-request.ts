// What clients ask of a coordinator and what they are answered, by the names of Kafka's protocol.

import type { Failure, PartitionIndex } from '@tidemark/core';
import type { Generation, GroupId, InstanceId, MemberId, RequestId } from './group-ids.ts';

/** An assignor by name, and what the member tells it. */
export interface GroupProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

interface Asked<T extends string> {
  readonly type: T;
  readonly requestId: RequestId;
  readonly groupId: GroupId;
}

export interface JoinRequest extends Asked<'join'> {
  /** Empty at first. */
  readonly memberId: MemberId;
  /** What a member without an id is to be called: never used before, hard to guess. */
  readonly newMemberId: MemberId;
  readonly instanceId: InstanceId | undefined;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  /** In the order of preference. */
  readonly protocols: readonly GroupProtocol[];
  /** Why the client joins, in its words (KIP-800). */
  readonly reason: string | undefined;
}

export interface SyncRequest extends Asked<'sync'> {
  readonly memberId: MemberId;
  readonly instanceId: InstanceId | undefined;
  readonly generation: Generation;
  /** Undefined: not checked (KIP-559). */
  readonly protocolType: string | undefined;
  readonly protocol: string | undefined;
  /** Of the leader; empty from the others. */
  readonly assignments: ReadonlyMap<MemberId, Uint8Array>;
}

export interface HeartbeatRequest extends Asked<'heartbeat'> {
  readonly memberId: MemberId;
  readonly instanceId: InstanceId | undefined;
  readonly generation: Generation;
}

export interface LeavingMember {
  /** May be empty for a static member (an operator removes it). */
  readonly memberId: MemberId;
  readonly instanceId: InstanceId | undefined;
  readonly reason: string | undefined;
}

export interface LeaveRequest extends Asked<'leave'> {
  readonly members: readonly LeavingMember[];
}

export interface OffsetToCommit {
  readonly topic: string;
  readonly partition: PartitionIndex;
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
}

export interface CommitOffsetsRequest extends Asked<'commitOffsets'> {
  /** -1 from who is not a member; only an empty group takes that. */
  readonly generation: Generation;
  readonly memberId: MemberId;
  readonly instanceId: InstanceId | undefined;
  readonly offsets: readonly OffsetToCommit[];
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: PartitionIndex;
}

export interface DeleteOffsetsRequest extends Asked<'deleteOffsets'> {
  readonly partitions: readonly TopicPartition[];
}

export type DeleteGroupRequest = Asked<'deleteGroup'>;

export type GroupRequest =
  | JoinRequest
  | SyncRequest
  | HeartbeatRequest
  | LeaveRequest
  | CommitOffsetsRequest
  | DeleteOffsetsRequest
  | DeleteGroupRequest;

export interface JoinedMember {
  readonly memberId: MemberId;
  readonly instanceId: InstanceId | undefined;
  readonly metadata: Uint8Array;
}

export type JoinResponse =
  | {
      readonly ok: true;
      readonly memberId: MemberId;
      readonly generation: Generation;
      readonly protocolType: string;
      readonly protocol: string;
      readonly leader: MemberId;
      /** For the leader; empty for the others. */
      readonly members: readonly JoinedMember[];
      /** The leader came back as a static member: the assignment stands, it computes none (KIP-814). */
      readonly skipAssignment: boolean;
    }
  /** `memberId` is the one to come back with after MEMBER_ID_REQUIRED. */
  | (Failure & { readonly memberId: MemberId });

export type SyncResponse =
  | {
      readonly ok: true;
      readonly protocolType: string;
      readonly protocol: string;
      readonly assignment: Uint8Array;
    }
  | Failure;

export type Outcome = { readonly ok: true } | Failure;

export type LeaveResponse =
  | {
      readonly ok: true;
      readonly members: readonly {
        readonly memberId: MemberId;
        readonly instanceId: InstanceId | undefined;
        readonly outcome: Outcome;
      }[];
    }
  | Failure;

/** Of commits and deletions of offsets: partition by partition, in the order of the request. */
export type OffsetsResponse =
  | {
      readonly ok: true;
      readonly partitions: readonly (TopicPartition & { readonly outcome: Outcome })[];
    }
  | Failure;

interface GroupResponses {
  readonly join: JoinResponse;
  readonly sync: SyncResponse;
  readonly heartbeat: Outcome;
  readonly leave: LeaveResponse;
  readonly commitOffsets: OffsetsResponse;
  readonly deleteOffsets: OffsetsResponse;
  readonly deleteGroup: Outcome;
}

/** The answer to one request. */
export type GroupReply = {
  readonly [T in keyof GroupResponses]: {
    readonly type: T;
    readonly requestId: RequestId;
    readonly response: GroupResponses[T];
  };
}[keyof GroupResponses];
