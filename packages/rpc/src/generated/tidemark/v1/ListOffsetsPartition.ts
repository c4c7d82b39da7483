// Original file: proto/tidemark/v1/log.proto

import type { Long } from '@grpc/proto-loader';

export interface ListOffsetsPartition {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
  'timestampMs'?: (number | string | Long);
  'currentLeaderEpoch'?: (number);
  '_currentLeaderEpoch'?: "currentLeaderEpoch";
}

export interface ListOffsetsPartitionOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
  'timestampMs': (number);
  'currentLeaderEpoch'?: (number);
  '_currentLeaderEpoch'?: "currentLeaderEpoch";
}
