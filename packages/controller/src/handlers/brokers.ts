// RegisterBroker, FenceBroker, UnfenceBroker. Every incarnation of a broker gets its own epoch, and loses what the one before
// led: the leader epoch has then moved on, and with it every follower and client, before the new incarnation leads again
// (KIP-841, KIP-903).

import { failure, isTopicId, type BrokerEpoch, type Failure } from '@tidemark/core';
import type {
  FenceBrokerCommand,
  FencedBroker,
  RegisterBrokerCommand,
  RegisteredBroker,
} from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import type { BrokerImage, MetadataImage } from '../metadata-image.ts';
import type { MetadataRecord } from '../metadata-record.ts';
import { changesWithBroker, changesWithoutBroker } from '../partition-changes.ts';

export function registerBroker(
  command: RegisterBrokerCommand,
  { image, nextOffset }: CommandContext,
): Handled<RegisteredBroker> {
  const { clusterId, brokerId, incarnationId, endpoints, rack, directoryId } = command;
  if (clusterId !== image.clusterId) {
    return failure(
      'INCONSISTENT_CLUSTER_ID',
      `Broker ${brokerId} belongs to cluster ${clusterId}, this is ${image.clusterId || 'a cluster without an id'}.`,
    );
  }
  if (!isTopicId(incarnationId)) {
    return failure('INVALID_REQUEST', `${JSON.stringify(incarnationId)} is not a UUID.`);
  }
  const before = image.broker(brokerId);
  if (before?.incarnationId === incarnationId) return handled({ brokerEpoch: before.epoch });
  if (!isTopicId(directoryId)) {
    return failure('INVALID_REQUEST', `${JSON.stringify(directoryId)} is not a UUID.`);
  }
  const brokerEpoch = nextOffset as number as BrokerEpoch;
  const registration: MetadataRecord = {
    type: 'registerBroker',
    brokerId,
    brokerEpoch,
    incarnationId,
    endpoints,
    rack,
    fenced: true,
    directoryId,
  };
  return handled({ brokerEpoch }, [registration, ...changesWithoutBroker(image, brokerId)]);
}

export function fenceBroker(
  { type, brokerId, brokerEpoch }: FenceBrokerCommand,
  { image }: CommandContext,
): Handled<FencedBroker> {
  const broker = checkedBroker(image, brokerId, brokerEpoch);
  if ('error' in broker) return broker;
  const fenced = type === 'fenceBroker';
  if (broker.fenced === fenced) return handled({ fenced });
  const change: MetadataRecord = { type: 'brokerChange', brokerId, brokerEpoch, fenced };
  const consequences = fenced ? changesWithoutBroker(image, brokerId) : changesWithBroker(image, brokerId);
  return handled({ fenced }, [change, ...consequences]);
}

/** The broker, if the epoch is that of its present incarnation. */
export function checkedBroker(image: MetadataImage, id: number, epoch: BrokerEpoch): BrokerImage | Failure {
  const broker = image.broker(id);
  if (broker === undefined)
    return failure('BROKER_ID_NOT_REGISTERED', `No broker with id ${id} is registered.`);
  if (broker.epoch === epoch) return broker;
  return failure('STALE_BROKER_EPOCH', `Broker ${id} has epoch ${broker.epoch}; the request says ${epoch}.`);
}
