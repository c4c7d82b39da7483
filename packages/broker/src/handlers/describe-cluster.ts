// ClusterService.DescribeCluster: what there is, in numbers.

import type { DescribeClusterResponse } from '@tidemark/rpc';
import type { BrokerContext } from '../broker-context.ts';
import { brokerAnswers } from './metadata-answers.ts';

export function describeCluster(context: BrokerContext): DescribeClusterResponse {
  const { image } = context.replicas;
  return {
    clusterId: context.clusterId,
    controllerId: context.self,
    brokers: brokerAnswers(context, image),
    metadataOffset: image.offset,
    version: context.version,
    topicCount: image.topicCount,
    partitionCount: image.partitionCount,
  };
}
