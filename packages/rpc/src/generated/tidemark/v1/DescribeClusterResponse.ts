// Original file: proto/tidemark/v1/cluster.proto

import type { Broker as _tidemark_v1_Broker, BrokerOutput as _tidemark_v1_BrokerOutput } from '../../tidemark/v1/Broker.ts';
import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { ClusterNode as _tidemark_v1_ClusterNode, ClusterNodeOutput as _tidemark_v1_ClusterNodeOutput } from '../../tidemark/v1/ClusterNode.ts';
import type { FeatureLevel as _tidemark_v1_FeatureLevel, FeatureLevelOutput as _tidemark_v1_FeatureLevelOutput } from '../../tidemark/v1/FeatureLevel.ts';
import type { Long } from '@grpc/proto-loader';

export interface DescribeClusterResponse {
  'clusterId'?: (string);
  'controllerId'?: (number);
  'brokers'?: (_tidemark_v1_Broker)[];
  'metadataOffset'?: (number | string | Long);
  'version'?: (string);
  'topicCount'?: (number);
  'partitionCount'?: (number);
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'nodes'?: (_tidemark_v1_ClusterNode)[];
  'features'?: (_tidemark_v1_FeatureLevel)[];
  'offlinePartitionCount'?: (number);
  'underReplicatedPartitionCount'?: (number);
  'underMinIsrPartitionCount'?: (number);
}

export interface DescribeClusterResponseOutput {
  'clusterId': (string);
  'controllerId': (number);
  'brokers': (_tidemark_v1_BrokerOutput)[];
  'metadataOffset': (number);
  'version': (string);
  'topicCount': (number);
  'partitionCount': (number);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'nodes': (_tidemark_v1_ClusterNodeOutput)[];
  'features': (_tidemark_v1_FeatureLevelOutput)[];
  'offlinePartitionCount': (number);
  'underReplicatedPartitionCount': (number);
  'underMinIsrPartitionCount': (number);
}
