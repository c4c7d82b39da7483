// What the admin client tells of consumer groups, and takes to change their offsets: plain objects.
import type { TidemarkError } from '@tidemark/core';
import type { CommittedOffset } from './group/committed-offsets.ts';
import type { OffsetToCommit } from './group/offset-commits.ts';
import type { TopicPartition } from './leader-calls.ts';

export type GroupStateName =
  'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead' | (string & {});

export interface GroupListing {
  readonly groupId: string;
  /** `consumer` for consumers; empty when only offsets were committed. */
  readonly protocolType: string;
  readonly state: GroupStateName;
  /** Node id of the broker that told it. */
  readonly coordinatorId: number;
}

export interface GroupList {
  readonly groups: readonly GroupListing[];
  /** Brokers that did not answer, or not for all they coordinate: their groups may be missing above. */
  readonly incomplete: readonly { readonly brokerId: number; readonly error: TidemarkError }[];
}

export interface GroupMemberInfo {
  readonly memberId: string;
  /** Empty: a dynamic member. */
  readonly groupInstanceId: string;
  readonly clientId: string;
  readonly clientHost: string;
  /** Undefined when it cannot be read: the group is not one of consumers. */
  readonly topics: readonly string[] | undefined;
  readonly partitions: readonly TopicPartition[];
  /** The coordinator waits for it in a rebalance. */
  readonly awaited: boolean;
  readonly isLeader: boolean;
}

export type RebalanceCauseName =
  | 'member-joined'
  | 'member-rejoined'
  | 'leader-rejoined'
  | 'member-left'
  | 'session-expired'
  | 'static-member-replaced'
  | 'sync-timed-out'
  | 'assignment-not-stored'
  | 'unknown';

export interface RebalanceInfo {
  readonly timestampMs: number;
  /** The generation that ended with it. */
  readonly generation: number;
  readonly cause: RebalanceCauseName;
  /** Who caused it. */
  readonly memberIds: readonly string[];
  /** The client's own words, or what failed. */
  readonly detail: string;
}

export interface GroupInfo {
  readonly groupId: string;
  readonly state: GroupStateName;
  readonly stateTimestampMs: number;
  readonly protocolType: string;
  /** The assignor the group has chosen. */
  readonly protocol: string;
  readonly generation: number;
  readonly coordinatorId: number;
  /** `host:port`. */
  readonly coordinator: string;
  readonly members: readonly GroupMemberInfo[];
  /** The last few, oldest first, as far as this coordinator remembers. */
  readonly rebalances: readonly RebalanceInfo[];
}

export interface GroupOutcome {
  readonly groupId: string;
  readonly error?: TidemarkError | undefined;
}

export type { CommittedOffset, OffsetToCommit };
