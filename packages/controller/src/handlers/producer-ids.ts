// AllocateProducerIds: the next block of producer ids, for one incarnation of one broker (KIP-730). A block that was given
// is never given again, whether its ids were used or not.

import { failure, type ProducerId } from '@tidemark/core';
import type { AllocateProducerIdsCommand, ProducerIdsResponse } from '../command.ts';
import { handled, type CommandContext, type Handled } from '../context.ts';
import { checkedBroker } from './brokers.ts';

export const PRODUCER_ID_BLOCK_LENGTH = 1000;

export function allocateProducerIds(
  { brokerId, brokerEpoch }: AllocateProducerIdsCommand,
  { image }: CommandContext,
): Handled<ProducerIdsResponse> {
  const broker = checkedBroker(image, brokerId, brokerEpoch);
  if ('error' in broker) return broker;
  const firstProducerId = image.nextProducerId;
  const nextProducerId = firstProducerId + PRODUCER_ID_BLOCK_LENGTH;
  if (!Number.isSafeInteger(nextProducerId)) {
    return failure('UNKNOWN_SERVER_ERROR', 'All producer ids have been given.');
  }
  return handled({ firstProducerId, length: PRODUCER_ID_BLOCK_LENGTH }, [
    { type: 'producerIds', brokerId, brokerEpoch, nextProducerId: nextProducerId as ProducerId },
  ]);
}
