// Original file: proto/tidemark/v1/admin.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface UnregisterBrokerResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
}

export interface UnregisterBrokerResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
}
