// AlterPartition: a leader's proposal for the in-sync replicas of partitions it leads, taken when the leader knows the present
// state (compare and set on both epochs) and all members are active in the incarnation the leader has seen catch up (KIP-497,
// KIP-841, KIP-903; Kafka's ReplicationControlManager.validateAlterPartitionData).

import { failure, type BrokerId, type Failure } from '@tidemark/core';
import type {
  AlteredPartition,
  AlterPartition,
  AlterPartitionCommand,
  AlterPartitionResponse,
  FailedPartition,
} from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import { applyPartitionChange } from '../image-builder.ts';
import type { MetadataImage, PartitionImage } from '../metadata-image.ts';
import type { PartitionChangeRecord } from '../metadata-record.ts';
import { changePartition } from '../partition-change.ts';
import { TopicRules } from '../topic-rules.ts';
import { checkedBroker } from './brokers.ts';

/** Most partitions one command changes for somebody else; the rest is answered OPERATION_NOT_ATTEMPTED. */
export const MAX_CHANGED_PARTITIONS = 10_000;

export function alterPartition(
  command: AlterPartitionCommand,
  context: CommandContext,
): Handled<AlterPartitionResponse> {
  const { image, config } = context;
  const leader = checkedBroker(image, command.brokerId, command.brokerEpoch);
  if ('error' in leader) return leader;
  const rules = new TopicRules(config, image, (id) => image.isActive(id));
  const records: PartitionChangeRecord[] = [];
  const seen = new Set<string>();
  const partitions = command.partitions.map((proposal): AlteredPartition | FailedPartition => {
    const { topicId, partition } = proposal;
    const refuse = (refusal: Failure) => ({ ...refusal, topicId, partition });
    const key = `${topicId}-${partition}`;
    if (seen.has(key)) return refuse(failure('INVALID_REQUEST', 'The request names it more than once.'));
    seen.add(key);
    const topic = image.topicById(topicId);
    if (topic === undefined) return refuse(failure('UNKNOWN_TOPIC_ID'));
    const before = topic.partitions[partition];
    if (before === undefined) return refuse(failure('UNKNOWN_TOPIC_OR_PARTITION'));
    const refusal = refuseProposal(proposal, before, command.brokerId, image);
    if (refusal !== undefined) return refuse(refusal);
    if (records.length >= MAX_CHANGED_PARTITIONS) return refuse(failure('OPERATION_NOT_ATTEMPTED'));
    const isr = proposal.newIsr.map(({ brokerId }) => brokerId);
    const record = changePartition(topicId, before, { isr, recovered: true }, rules.of(topic));
    if (record !== undefined) records.push(record);
    const after = record === undefined ? before : applyPartitionChange(before, record);
    // The proposal has ended a reassignment that takes the leader away: it is carried out, and the proposer leads no more.
    if (after.leader !== command.brokerId) return refuse(failure('NEW_LEADER_ELECTED'));
    return { ok: true, topicId, ...stateOf(after) };
  });
  return handled({ partitions }, records);
}

function stateOf({
  partition,
  leader,
  leaderEpoch,
  isr,
  partitionEpoch,
  leaderRecoveryState,
}: PartitionImage) {
  return { partition, leader, leaderEpoch, isr, partitionEpoch, leaderRecoveryState };
}

function refuseProposal(
  { leaderEpoch, partitionEpoch, newIsr }: AlterPartition,
  before: PartitionImage,
  proposer: BrokerId,
  image: MetadataImage,
): Failure | undefined {
  if (leaderEpoch > before.leaderEpoch || partitionEpoch > before.partitionEpoch) {
    return failure('NOT_CONTROLLER', 'The leader knows a later state than this controller.');
  }
  if (leaderEpoch < before.leaderEpoch) return failure('FENCED_LEADER_EPOCH');
  if (proposer !== before.leader) {
    return failure('INVALID_REQUEST', `Broker ${proposer} does not lead the partition.`);
  }
  if (partitionEpoch < before.partitionEpoch) return failure('INVALID_UPDATE_VERSION');
  const ids = newIsr.map(({ brokerId }) => brokerId);
  if (new Set(ids).size < ids.length || !ids.every((id) => before.replicas.includes(id))) {
    return failure('INVALID_REQUEST', `[${ids.join()}] is not a set of the partition’s replicas.`);
  }
  if (!ids.includes(proposer)) return failure('INVALID_REQUEST', 'The leader is always in sync.');
  for (const { brokerId, brokerEpoch } of newIsr) {
    const cause = ineligibility(image, brokerId, brokerEpoch);
    if (cause !== undefined) return failure('INELIGIBLE_REPLICA', `Broker ${brokerId} ${cause}.`);
  }
  return undefined;
}

function ineligibility(image: MetadataImage, id: BrokerId, epoch: number): string | undefined {
  const broker = image.broker(id);
  if (broker === undefined) return 'is not registered';
  if (broker.inControlledShutdown) return 'is shutting down';
  if (broker.fenced) return 'is fenced';
  return broker.epoch === epoch ? undefined : `has epoch ${broker.epoch}, not ${epoch}`;
}
