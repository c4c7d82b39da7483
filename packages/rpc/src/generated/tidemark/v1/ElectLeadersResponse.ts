// Original file: proto/tidemark/v1/admin.proto

import type { ElectLeadersResult as _tidemark_v1_ElectLeadersResult, ElectLeadersResultOutput as _tidemark_v1_ElectLeadersResultOutput } from '../../tidemark/v1/ElectLeadersResult.ts';
import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface ElectLeadersResponse {
  'results'?: (_tidemark_v1_ElectLeadersResult)[];
  'error'?: (_tidemark_v1_ErrorDetail | null);
}

export interface ElectLeadersResponseOutput {
  'results': (_tidemark_v1_ElectLeadersResultOutput)[];
  'error': (_tidemark_v1_ErrorDetailOutput | null);
}
