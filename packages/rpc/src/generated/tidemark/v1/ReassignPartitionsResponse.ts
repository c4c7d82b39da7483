// Original file: proto/tidemark/v1/admin.proto

import type { ReassignPartitionsResult as _tidemark_v1_ReassignPartitionsResult, ReassignPartitionsResultOutput as _tidemark_v1_ReassignPartitionsResultOutput } from '../../tidemark/v1/ReassignPartitionsResult.ts';
import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface ReassignPartitionsResponse {
  'results'?: (_tidemark_v1_ReassignPartitionsResult)[];
  'error'?: (_tidemark_v1_ErrorDetail | null);
}

export interface ReassignPartitionsResponseOutput {
  'results': (_tidemark_v1_ReassignPartitionsResultOutput)[];
  'error': (_tidemark_v1_ErrorDetailOutput | null);
}
