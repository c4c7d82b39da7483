// Original file: proto/tidemark/v1/security.proto

import type { CreateAclResult as _tidemark_v1_CreateAclResult, CreateAclResultOutput as _tidemark_v1_CreateAclResultOutput } from '../../tidemark/v1/CreateAclResult.ts';

export interface CreateAclsResponse {
  'results'?: (_tidemark_v1_CreateAclResult)[];
}

export interface CreateAclsResponseOutput {
  'results': (_tidemark_v1_CreateAclResultOutput)[];
}
