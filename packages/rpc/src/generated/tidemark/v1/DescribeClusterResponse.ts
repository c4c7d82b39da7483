// Original file: proto/tidemark/v1/cluster.proto

import type { Broker as _tidemark_v1_Broker, BrokerOutput as _tidemark_v1_BrokerOutput } from '../../tidemark/v1/Broker.ts';
import type { Long } from '@grpc/proto-loader';

export interface DescribeClusterResponse {
  'clusterId'?: (string);
  'controllerId'?: (number);
  'brokers'?: (_tidemark_v1_Broker)[];
  'metadataOffset'?: (number | string | Long);
  'version'?: (string);
  'topicCount'?: (number);
  'partitionCount'?: (number);
}

export interface DescribeClusterResponseOutput {
  'clusterId': (string);
  'controllerId': (number);
  'brokers': (_tidemark_v1_BrokerOutput)[];
  'metadataOffset': (number);
  'version': (string);
  'topicCount': (number);
  'partitionCount': (number);
}
