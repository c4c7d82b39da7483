// Original file: proto/tidemark/v1/security.proto

import type { QuotaEntity as _tidemark_v1_QuotaEntity, QuotaEntityOutput as _tidemark_v1_QuotaEntityOutput } from '../../tidemark/v1/QuotaEntity.ts';
import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface AlterClientQuotaResult {
  'entity'?: (_tidemark_v1_QuotaEntity | null);
  'error'?: (_tidemark_v1_ErrorDetail | null);
}

export interface AlterClientQuotaResultOutput {
  'entity': (_tidemark_v1_QuotaEntityOutput | null);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
}
