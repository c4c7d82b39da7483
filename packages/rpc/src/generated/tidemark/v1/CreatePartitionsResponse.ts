// Original file: proto/tidemark/v1/admin.proto

import type { CreatePartitionsResult as _tidemark_v1_CreatePartitionsResult, CreatePartitionsResultOutput as _tidemark_v1_CreatePartitionsResultOutput } from '../../tidemark/v1/CreatePartitionsResult.ts';

export interface CreatePartitionsResponse {
  'results'?: (_tidemark_v1_CreatePartitionsResult)[];
}

export interface CreatePartitionsResponseOutput {
  'results': (_tidemark_v1_CreatePartitionsResultOutput)[];
}
