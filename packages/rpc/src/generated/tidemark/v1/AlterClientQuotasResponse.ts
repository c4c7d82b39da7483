// Original file: proto/tidemark/v1/security.proto

import type { AlterClientQuotaResult as _tidemark_v1_AlterClientQuotaResult, AlterClientQuotaResultOutput as _tidemark_v1_AlterClientQuotaResultOutput } from '../../tidemark/v1/AlterClientQuotaResult.ts';

export interface AlterClientQuotasResponse {
  'results'?: (_tidemark_v1_AlterClientQuotaResult)[];
}

export interface AlterClientQuotasResponseOutput {
  'results': (_tidemark_v1_AlterClientQuotaResultOutput)[];
}
