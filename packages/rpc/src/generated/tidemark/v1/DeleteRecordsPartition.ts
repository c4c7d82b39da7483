// Original file: proto/tidemark/v1/log.proto

import type { Long } from '@grpc/proto-loader';

export interface DeleteRecordsPartition {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
  'beforeOffset'?: (number | string | Long);
}

export interface DeleteRecordsPartitionOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
  'beforeOffset': (number);
}
