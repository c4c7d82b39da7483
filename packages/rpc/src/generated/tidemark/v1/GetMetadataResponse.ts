// Original file: proto/tidemark/v1/cluster.proto

import type { Broker as _tidemark_v1_Broker, BrokerOutput as _tidemark_v1_BrokerOutput } from '../../tidemark/v1/Broker.ts';
import type { TopicMetadata as _tidemark_v1_TopicMetadata, TopicMetadataOutput as _tidemark_v1_TopicMetadataOutput } from '../../tidemark/v1/TopicMetadata.ts';
import type { Long } from '@grpc/proto-loader';

export interface GetMetadataResponse {
  'clusterId'?: (string);
  'controllerId'?: (number);
  'brokers'?: (_tidemark_v1_Broker)[];
  'topics'?: (_tidemark_v1_TopicMetadata)[];
  'metadataOffset'?: (number | string | Long);
}

export interface GetMetadataResponseOutput {
  'clusterId': (string);
  'controllerId': (number);
  'brokers': (_tidemark_v1_BrokerOutput)[];
  'topics': (_tidemark_v1_TopicMetadataOutput)[];
  'metadataOffset': (number);
}
