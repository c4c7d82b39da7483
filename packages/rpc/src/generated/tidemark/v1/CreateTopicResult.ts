// Original file: proto/tidemark/v1/admin.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface CreateTopicResult {
  'name'?: (string);
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'topicId'?: (string);
  'partitionCount'?: (number);
  'replicationFactor'?: (number);
}

export interface CreateTopicResultOutput {
  'name': (string);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'topicId': (string);
  'partitionCount': (number);
  'replicationFactor': (number);
}
