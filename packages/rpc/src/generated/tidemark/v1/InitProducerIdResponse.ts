// Original file: proto/tidemark/v1/log.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { Long } from '@grpc/proto-loader';

export interface InitProducerIdResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'producerId'?: (number | string | Long);
  'producerEpoch'?: (number);
}

export interface InitProducerIdResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'producerId': (number);
  'producerEpoch': (number);
}
