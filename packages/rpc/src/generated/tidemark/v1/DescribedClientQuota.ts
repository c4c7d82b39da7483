// Original file: proto/tidemark/v1/security.proto

import type { QuotaEntity as _tidemark_v1_QuotaEntity, QuotaEntityOutput as _tidemark_v1_QuotaEntityOutput } from '../../tidemark/v1/QuotaEntity.ts';
import type { QuotaValue as _tidemark_v1_QuotaValue, QuotaValueOutput as _tidemark_v1_QuotaValueOutput } from '../../tidemark/v1/QuotaValue.ts';

export interface DescribedClientQuota {
  'entity'?: (_tidemark_v1_QuotaEntity | null);
  'values'?: (_tidemark_v1_QuotaValue)[];
}

export interface DescribedClientQuotaOutput {
  'entity': (_tidemark_v1_QuotaEntityOutput | null);
  'values': (_tidemark_v1_QuotaValueOutput)[];
}
