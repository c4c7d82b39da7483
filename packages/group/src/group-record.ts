// What the coordinator writes to `__consumer_offsets`: an offset of a group, or the group itself as its last rebalance left it. The
// partition is compacted by key; a record without a value (undefined here) removes what its key names.

import type { PartitionIndex, TimestampMs } from '@tidemark/core';
import type { Generation, GroupId, InstanceId, MemberId } from './group-ids.ts';

export interface CommittedOffset {
  readonly offset: number;
  /** Of the last record that was consumed; -1 when the consumer does not know (KIP-320). */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestampMs: TimestampMs;
}

export interface StoredMember {
  readonly memberId: MemberId;
  readonly instanceId: InstanceId | undefined;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  /** Its metadata for the group's protocol. */
  readonly subscription: Uint8Array;
  readonly assignment: Uint8Array;
}

export interface StoredGroup {
  readonly protocolType: string;
  readonly generation: Generation;
  readonly protocol: string | undefined;
  readonly leader: MemberId | undefined;
  /** When the group came into the state it was stored in; -1 when not known. */
  readonly stateTimestampMs: TimestampMs;
  readonly members: readonly StoredMember[];
}

export interface OffsetRecord {
  readonly type: 'offset';
  readonly groupId: GroupId;
  readonly topic: string;
  readonly partition: PartitionIndex;
  readonly value: CommittedOffset | undefined;
}

export interface GroupMetadataRecord {
  readonly type: 'group';
  readonly groupId: GroupId;
  readonly value: StoredGroup | undefined;
}

export type GroupRecord = OffsetRecord | GroupMetadataRecord;
