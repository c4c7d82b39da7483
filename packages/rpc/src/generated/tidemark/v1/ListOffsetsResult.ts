// Original file: proto/tidemark/v1/log.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { Long } from '@grpc/proto-loader';

export interface ListOffsetsResult {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'offset'?: (number | string | Long);
  'timestampMs'?: (number | string | Long);
  'leaderEpoch'?: (number);
}

export interface ListOffsetsResultOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'offset': (number);
  'timestampMs': (number);
  'leaderEpoch': (number);
}
