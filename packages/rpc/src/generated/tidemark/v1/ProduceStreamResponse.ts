// Original file: proto/tidemark/v1/log.proto

import type { ProduceResponse as _tidemark_v1_ProduceResponse, ProduceResponseOutput as _tidemark_v1_ProduceResponseOutput } from '../../tidemark/v1/ProduceResponse.ts';
import type { Long } from '@grpc/proto-loader';

export interface ProduceStreamResponse {
  'correlationId'?: (number | string | Long);
  'response'?: (_tidemark_v1_ProduceResponse | null);
}

export interface ProduceStreamResponseOutput {
  'correlationId': (number);
  'response': (_tidemark_v1_ProduceResponseOutput | null);
}
