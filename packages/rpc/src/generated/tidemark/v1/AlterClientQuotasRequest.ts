// Original file: proto/tidemark/v1/security.proto

import type { QuotaAlteration as _tidemark_v1_QuotaAlteration, QuotaAlterationOutput as _tidemark_v1_QuotaAlterationOutput } from '../../tidemark/v1/QuotaAlteration.ts';

export interface AlterClientQuotasRequest {
  'alterations'?: (_tidemark_v1_QuotaAlteration)[];
  'validateOnly'?: (boolean);
}

export interface AlterClientQuotasRequestOutput {
  'alterations': (_tidemark_v1_QuotaAlterationOutput)[];
  'validateOnly': (boolean);
}
