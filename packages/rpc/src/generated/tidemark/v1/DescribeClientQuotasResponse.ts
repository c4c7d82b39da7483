// Original file: proto/tidemark/v1/security.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { DescribedClientQuota as _tidemark_v1_DescribedClientQuota, DescribedClientQuotaOutput as _tidemark_v1_DescribedClientQuotaOutput } from '../../tidemark/v1/DescribedClientQuota.ts';

export interface DescribeClientQuotasResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'quotas'?: (_tidemark_v1_DescribedClientQuota)[];
}

export interface DescribeClientQuotasResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'quotas': (_tidemark_v1_DescribedClientQuotaOutput)[];
}
