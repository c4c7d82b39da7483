// Original file: proto/tidemark/v1/log.proto

import type { Long } from '@grpc/proto-loader';

export interface FetchPartition {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
  'fetchOffset'?: (number | string | Long);
  'partitionMaxBytes'?: (number);
  'currentLeaderEpoch'?: (number);
  'positionId'?: (number);
  '_currentLeaderEpoch'?: "currentLeaderEpoch";
}

export interface FetchPartitionOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
  'fetchOffset': (number);
  'partitionMaxBytes': (number);
  'currentLeaderEpoch'?: (number);
  'positionId': (number);
  '_currentLeaderEpoch'?: "currentLeaderEpoch";
}
