// Original file: proto/tidemark/v1/security.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { Acl as _tidemark_v1_Acl, AclOutput as _tidemark_v1_AclOutput } from '../../tidemark/v1/Acl.ts';

export interface DeleteAclsResult {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'deleted'?: (_tidemark_v1_Acl)[];
}

export interface DeleteAclsResultOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'deleted': (_tidemark_v1_AclOutput)[];
}
