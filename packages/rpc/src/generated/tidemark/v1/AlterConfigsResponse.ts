// Original file: proto/tidemark/v1/admin.proto

import type { AlterConfigsResult as _tidemark_v1_AlterConfigsResult, AlterConfigsResultOutput as _tidemark_v1_AlterConfigsResultOutput } from '../../tidemark/v1/AlterConfigsResult.ts';

export interface AlterConfigsResponse {
  'results'?: (_tidemark_v1_AlterConfigsResult)[];
}

export interface AlterConfigsResponseOutput {
  'results': (_tidemark_v1_AlterConfigsResultOutput)[];
}
