// Original file: proto/tidemark/v1/admin.proto

import type { CreateTopicResult as _tidemark_v1_CreateTopicResult, CreateTopicResultOutput as _tidemark_v1_CreateTopicResultOutput } from '../../tidemark/v1/CreateTopicResult.ts';

export interface CreateTopicsResponse {
  'results'?: (_tidemark_v1_CreateTopicResult)[];
}

export interface CreateTopicsResponseOutput {
  'results': (_tidemark_v1_CreateTopicResultOutput)[];
}
