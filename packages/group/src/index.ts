export { CONSUMER_PROTOCOL_TYPE, type GroupState } from './classic-group.ts';
export * from './consumer-protocol.ts';
export * from './group-description.ts';
export * from './group-ids.ts';
export { coordinatorError, failedReplies, type GroupOutput } from './group-output.ts';
export * from './group-record.ts';
export * from './group-request.ts';
export * from './group-settings.ts';
export { GroupShard, type FetchedOffset, type FetchedOffsets } from './group-shard.ts';
export { type RebalanceCause, type RememberedRebalance } from './rebalance-history.ts';
export {
  decodeGroupRecord,
  encodeGroupRecord,
  type DecodedGroupRecord,
  type EncodedGroupRecord,
} from './record-codec.ts';
export {
  assignorMembers,
  type AssignedPartitions,
  type Assignor,
  type AssignorMember,
  type PartitionCounts,
} from './assignors/assignor.ts';
export { rangeAssignor } from './assignors/range.ts';
export { roundRobinAssignor } from './assignors/round-robin.ts';
export { cooperativeStickyAssignor, stickyAssignor } from './assignors/sticky.ts';
export { decodeStickyUserData, encodeStickyUserData } from './assignors/sticky-user-data.ts';
