// Original file: proto/tidemark/v1/group.proto

import type { DeleteGroupResult as _tidemark_v1_DeleteGroupResult, DeleteGroupResultOutput as _tidemark_v1_DeleteGroupResultOutput } from '../../tidemark/v1/DeleteGroupResult.ts';

export interface DeleteGroupsResponse {
  'results'?: (_tidemark_v1_DeleteGroupResult)[];
}

export interface DeleteGroupsResponseOutput {
  'results': (_tidemark_v1_DeleteGroupResultOutput)[];
}
