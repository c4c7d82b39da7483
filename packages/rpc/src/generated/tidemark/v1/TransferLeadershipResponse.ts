// Original file: proto/tidemark/v1/quorum.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface TransferLeadershipResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'leaderId'?: (number);
}

export interface TransferLeadershipResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'leaderId': (number);
}
