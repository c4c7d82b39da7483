// ClusterService.GetMetadata: brokers, and of the topics asked for their partitions and leaders.

import type { GetMetadataRequestOutput, GetMetadataResponse } from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import { metadataAnswer } from './metadata-answers.ts';

export function getMetadata(context: BrokerContext, request: GetMetadataRequestOutput): GetMetadataResponse {
  return metadataAnswer(context, request);
}
