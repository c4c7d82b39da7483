// Original file: proto/tidemark/v1/log.proto

import type { FetchPartition as _tidemark_v1_FetchPartition, FetchPartitionOutput as _tidemark_v1_FetchPartitionOutput } from '../../tidemark/v1/FetchPartition.ts';
import type { PartitionRef as _tidemark_v1_PartitionRef, PartitionRefOutput as _tidemark_v1_PartitionRefOutput } from '../../tidemark/v1/PartitionRef.ts';
import type { Long } from '@grpc/proto-loader';

export interface FetchStreamRequest {
  'add'?: (_tidemark_v1_FetchPartition)[];
  'remove'?: (_tidemark_v1_PartitionRef)[];
  'creditBytes'?: (number | string | Long);
  'maxBytes'?: (number);
  'minBytes'?: (number);
  'maxWaitMs'?: (number);
  'probe'?: (boolean);
}

export interface FetchStreamRequestOutput {
  'add': (_tidemark_v1_FetchPartitionOutput)[];
  'remove': (_tidemark_v1_PartitionRefOutput)[];
  'creditBytes': (number);
  'maxBytes': (number);
  'minBytes': (number);
  'maxWaitMs': (number);
  'probe': (boolean);
}
