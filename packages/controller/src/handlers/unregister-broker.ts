// UnregisterBroker (KIP-631): a broker that is gone for good leaves the cluster's list. One that lives would come back by its next
// heartbeat as somebody nobody knows and end its process; one that has replicas would leave partitions with a replica on no broker.

import { failure, type Failure } from '@tidemark/core';
import type { UnregisterBrokerCommand, UnregisteredBroker } from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import type { MetadataRecord } from '../metadata-record.ts';

export function unregisterBroker(
  { brokerId }: UnregisterBrokerCommand,
  { image, sessions, nowMs }: CommandContext,
): Handled<UnregisteredBroker> {
  const broker = image.broker(brokerId);
  if (broker === undefined) {
    return failure('BROKER_ID_NOT_REGISTERED', `No broker with id ${brokerId} is registered.`);
  }
  if (!broker.fenced || sessions.isAlive(brokerId, nowMs)) return alive(brokerId, broker.fenced);
  const { replicas, topics } = image.holdings(brokerId);
  if (replicas > 0) {
    const named = [...topics.entries()].slice(0, 3).map(([id]) => image.topicById(id)!.name);
    return failure(
      'INVALID_REQUEST',
      `Broker ${brokerId} has ${replicas} replica${replicas === 1 ? '' : 's'}, of ${named.join(', ')}${topics.size > 3 ? ' and other topics' : ''}. Move them to other brokers first.`,
    );
  }
  const own = [...image.brokerConfigs(brokerId).keys()].map((name): MetadataRecord => {
    return { type: 'brokerConfig', brokerId, name, value: null };
  });
  return handled({ brokerId }, [...own, { type: 'unregisterBroker', brokerId, brokerEpoch: broker.epoch }]);
}

function alive(brokerId: number, fenced: boolean): Failure {
  const why = fenced ? 'was heard a moment ago' : 'is not fenced';
  return failure(
    'INVALID_REQUEST',
    `Broker ${brokerId} ${why}. Stop it and wait until its session is over (broker.session.timeout.ms).`,
  );
}
