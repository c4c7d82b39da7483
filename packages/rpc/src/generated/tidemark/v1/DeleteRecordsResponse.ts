// Original file: proto/tidemark/v1/log.proto

import type { DeleteRecordsResult as _tidemark_v1_DeleteRecordsResult, DeleteRecordsResultOutput as _tidemark_v1_DeleteRecordsResultOutput } from '../../tidemark/v1/DeleteRecordsResult.ts';

export interface DeleteRecordsResponse {
  'results'?: (_tidemark_v1_DeleteRecordsResult)[];
}

export interface DeleteRecordsResponseOutput {
  'results': (_tidemark_v1_DeleteRecordsResultOutput)[];
}
