// LogService.InitProducerId: an id of its own for each idempotent producer.

import { isFailure } from '@tidemark/core';
import { failureDetail, type InitProducerIdResponse } from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';

export async function initProducerId(context: BrokerContext): Promise<InitProducerIdResponse> {
  const id = await context.producerIds.next();
  return isFailure(id)
    ? { error: failureDetail(id), producerId: -1, producerEpoch: -1 }
    : { producerId: id, producerEpoch: 0 };
}
