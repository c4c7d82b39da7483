// Original file: proto/tidemark/v1/log.proto

import type { ProduceRequest as _tidemark_v1_ProduceRequest, ProduceRequestOutput as _tidemark_v1_ProduceRequestOutput } from '../../tidemark/v1/ProduceRequest.ts';
import type { Long } from '@grpc/proto-loader';

export interface ProduceStreamRequest {
  'correlationId'?: (number | string | Long);
  'request'?: (_tidemark_v1_ProduceRequest | null);
  'traceparent'?: (string);
}

export interface ProduceStreamRequestOutput {
  'correlationId': (number);
  'request': (_tidemark_v1_ProduceRequestOutput | null);
  'traceparent': (string);
}
