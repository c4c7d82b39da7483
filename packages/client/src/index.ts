export type { ClientOptions, ConfigOptions } from './client-settings.ts';
export type { BrokerInfo, PartitionInfo } from './cluster-metadata.ts';
export type { TopicPartition } from './leader-calls.ts';
export type { FoundOffset, LookupSpec, OffsetSpec } from './offset-lookup.ts';
export * from './serializers.ts';

export { Producer } from './producer.ts';
export type { CloseReport, ProducerOptions } from './producer.ts';
export type { HeadersInput, HeaderValue, ProducerRecord } from './producer-record.ts';
export type { DeliveryCallback, Receipt } from './receipt.ts';
export { partitionForKey, roundRobinPartitioner } from './partitioner.ts';
export type { Partitioner, PartitionerInput } from './partitioner.ts';
export type { ProducerInterceptor } from './interceptors.ts';
export type { ProducerMetrics } from './producer-metrics.ts';

export { Consumer } from './consumer.ts';
export type { PollOptions } from './application-reads.ts';
export type { Assignment, ConsumerCloseOptions, ConsumerOptions, ReadOptions } from './consumer.ts';
export type { RunContext, RunOptions } from './consumer-run.ts';
export type { CommittedOffset } from './group/committed-offsets.ts';
export type { Coordinator } from './group/coordinator-calls.ts';
export type { GroupEvent, GroupEventListener } from './group/group-events.ts';
export { CommitFailed } from './group/offset-commits.ts';
export type { CommitOptions, OffsetToCommit } from './group/offset-commits.ts';
export type { RebalanceListener } from './group/rebalance-listener.ts';
export type { AssignAllOptions, AssignmentChange } from './whole-topics.ts';
export { LogTruncationError } from './log-truncation.ts';
export type { LogTruncation, ResumedTruncation } from './log-truncation.ts';
export { ConsumerBatch } from './consumer-batch.ts';
export { ConsumerRecord } from './consumer-record.ts';
export type { ConsumerMetrics } from './consumer-metrics.ts';

export { Admin } from './admin.ts';
export type { AdminOptions, ChangeOptions } from './admin.ts';
export type * from './admin-security.ts';
export type * from './admin-types.ts';
export type {
  GroupInfo,
  GroupList,
  GroupListing,
  GroupMemberInfo,
  GroupOutcome,
  GroupStateName,
  RebalanceCauseName,
  RebalanceInfo,
} from './admin-groups-types.ts';
export type * from './admin-quorum-types.ts';
export { explainPartition } from './partition-explanation.ts';
export type * from './partition-explanation.ts';
export type { PartitionOutcome } from './partition-outcome.ts';
export type * from './partition-situation.ts';
