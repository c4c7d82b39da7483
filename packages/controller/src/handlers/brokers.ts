// RegisterBroker, FenceBroker, UnfenceBroker. Every incarnation of a broker gets its own epoch, and loses what the one before
// led: the leader epoch has then moved on, and with it every follower and client, before the new incarnation leads again
// (KIP-841, KIP-903). One that did not stop cleanly may have lost what was not synced: it is no longer in sync or eligible where that
// had counted as held (KIP-966). With flush.policy=ack it had not, and a broker on the disk it had before keeps its place: else a
// power failure of the whole cluster would leave no replica that may lead.

import { failure, isTopicId, type BrokerEpoch, type BrokerId, type Failure } from '@tidemark/core';
import type {
  FenceBrokerCommand,
  FencedBroker,
  RegisterBrokerCommand,
  RegisteredBroker,
} from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import type { BrokerImage, MetadataImage } from '../metadata-image.ts';
import type { MetadataRecord } from '../metadata-record.ts';
import { isUnsettled, settleBroker, type Lost } from '../partition-settling.ts';
import { brokerFlushPolicy } from '../topic-rules.ts';

export function registerBroker(
  command: RegisterBrokerCommand,
  context: CommandContext,
): Handled<RegisteredBroker> {
  const { brokerId, incarnationId, directoryId, endpoints, rack, previousBrokerEpoch } = command;
  const { image, nextOffset, config } = context;
  const before = image.broker(brokerId);
  const refusal = refuseRegistration(command, before, context);
  if (refusal !== undefined) return refusal;
  if (before?.incarnationId === incarnationId) return handled({ brokerEpoch: before.epoch });
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
  const isUnclean = before !== undefined && previousBrokerEpoch !== before.epoch;
  const changes = settleBroker(image, config, {
    ...{ brokerId, isActive: false },
    ...(isUnclean ? { lost: lostBy(before, command, image) } : {}),
  });
  return handled({ brokerEpoch }, [registration, ...changes]);
}

function lostBy(
  before: BrokerImage,
  { brokerId, directoryId, flushPolicy }: RegisterBrokerCommand,
  image: MetadataImage,
): Lost {
  if (before.directoryId === '') return 'unknown';
  if (before.directoryId !== directoryId) return 'disk';
  return { flushPolicy: brokerFlushPolicy(image, brokerId) ?? flushPolicy };
}

function refuseRegistration(
  { clusterId, brokerId, incarnationId, directoryId }: RegisterBrokerCommand,
  before: BrokerImage | undefined,
  { image, nowMs, sessions }: CommandContext,
): Failure | undefined {
  if (clusterId !== image.clusterId) {
    return failure(
      'INCONSISTENT_CLUSTER_ID',
      `Broker ${brokerId} belongs to cluster ${clusterId}, this is ${image.clusterId || 'a cluster without an id'}.`,
    );
  }
  const noUuid = [incarnationId, directoryId].find((id) => !isTopicId(id));
  if (noUuid !== undefined) return failure('INVALID_REQUEST', `${JSON.stringify(noUuid)} is not a UUID.`);
  if (before === undefined || before.incarnationId === incarnationId) return undefined;
  // A broker that is fenced serves nobody, and one in controlled shutdown has said that it goes.
  if (!image.isActive(brokerId) || !sessions.isAlive(brokerId, nowMs)) return undefined;
  return failure(
    'DUPLICATE_BROKER_REGISTRATION',
    `Another process with node.id ${brokerId} was heard a moment ago. Give this one its own, or wait until the session of the other ends.`,
  );
}

export function fenceBroker(
  { type, brokerId, brokerEpoch }: FenceBrokerCommand,
  context: CommandContext,
): Handled<FencedBroker> {
  const broker = checkedBroker(context.image, brokerId, brokerEpoch);
  if ('error' in broker) return broker;
  const fenced = type === 'fenceBroker';
  if (broker.fenced === fenced) return handled({ fenced });
  if (!fenced && isUnsettled(context.image, brokerId)) return handled({ fenced: true });
  return handled({ fenced }, fencingRecords(broker, fenced, context));
}

/** The broker's change and what follows from it for partitions. */
export function fencingRecords(
  { id: brokerId, epoch: brokerEpoch, inControlledShutdown }: BrokerImage,
  fenced: boolean,
  { image, config }: CommandContext,
): readonly MetadataRecord[] {
  const change: MetadataRecord = { type: 'brokerChange', brokerId, brokerEpoch, fenced };
  const isActive = !fenced && !inControlledShutdown;
  return [change, ...settleBroker(image, config, { brokerId, isActive })];
}

/** The broker, if the epoch is that of its present incarnation. */
export function checkedBroker(image: MetadataImage, id: BrokerId, epoch: BrokerEpoch): BrokerImage | Failure {
  const broker = image.broker(id);
  if (broker === undefined)
    return failure('BROKER_ID_NOT_REGISTERED', `No broker with id ${id} is registered.`);
  if (broker.epoch === epoch) return broker;
  return failure('STALE_BROKER_EPOCH', `Broker ${id} has epoch ${broker.epoch}; the request says ${epoch}.`);
}
