// Original file: proto/tidemark/v1/security.proto

import type { DeleteAclsResult as _tidemark_v1_DeleteAclsResult, DeleteAclsResultOutput as _tidemark_v1_DeleteAclsResultOutput } from '../../tidemark/v1/DeleteAclsResult.ts';

export interface DeleteAclsResponse {
  'results'?: (_tidemark_v1_DeleteAclsResult)[];
}

export interface DeleteAclsResponseOutput {
  'results': (_tidemark_v1_DeleteAclsResultOutput)[];
}
