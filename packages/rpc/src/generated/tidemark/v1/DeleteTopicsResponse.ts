// Original file: proto/tidemark/v1/admin.proto

import type { DeleteTopicResult as _tidemark_v1_DeleteTopicResult, DeleteTopicResultOutput as _tidemark_v1_DeleteTopicResultOutput } from '../../tidemark/v1/DeleteTopicResult.ts';

export interface DeleteTopicsResponse {
  'results'?: (_tidemark_v1_DeleteTopicResult)[];
}

export interface DeleteTopicsResponseOutput {
  'results': (_tidemark_v1_DeleteTopicResultOutput)[];
}
