// Original file: proto/tidemark/v1/log.proto

import type { FetchPartition as _tidemark_v1_FetchPartition, FetchPartitionOutput as _tidemark_v1_FetchPartitionOutput } from '../../tidemark/v1/FetchPartition.ts';

export interface FetchRequest {
  'maxWaitMs'?: (number);
  'minBytes'?: (number);
  'maxBytes'?: (number);
  'partitions'?: (_tidemark_v1_FetchPartition)[];
  'decodeRecords'?: (boolean);
}

export interface FetchRequestOutput {
  'maxWaitMs': (number);
  'minBytes': (number);
  'maxBytes': (number);
  'partitions': (_tidemark_v1_FetchPartitionOutput)[];
  'decodeRecords': (boolean);
}
