// Original file: proto/tidemark/v1/log.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { Long } from '@grpc/proto-loader';

export interface OffsetForLeaderEpochResult {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'leaderEpoch'?: (number);
  'endOffset'?: (number | string | Long);
}

export interface OffsetForLeaderEpochResultOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'leaderEpoch': (number);
  'endOffset': (number);
}
