// Original file: proto/tidemark/v1/cluster.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { HealthReason as _tidemark_v1_HealthReason, HealthReasonOutput as _tidemark_v1_HealthReasonOutput } from '../../tidemark/v1/HealthReason.ts';
import type { Long } from '@grpc/proto-loader';

export interface DescribeClusterHealthResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'healthy'?: (boolean);
  'reasons'?: (_tidemark_v1_HealthReason)[];
  'complete'?: (boolean);
  'nodeId'?: (number);
  'controllerId'?: (number);
  'metadataOffset'?: (number | string | Long);
}

export interface DescribeClusterHealthResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'healthy': (boolean);
  'reasons': (_tidemark_v1_HealthReasonOutput)[];
  'complete': (boolean);
  'nodeId': (number);
  'controllerId': (number);
  'metadataOffset': (number);
}
