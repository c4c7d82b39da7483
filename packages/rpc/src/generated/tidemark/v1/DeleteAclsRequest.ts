// Original file: proto/tidemark/v1/security.proto

import type { Acl as _tidemark_v1_Acl, AclOutput as _tidemark_v1_AclOutput } from '../../tidemark/v1/Acl.ts';

export interface DeleteAclsRequest {
  'filters'?: (_tidemark_v1_Acl)[];
}

export interface DeleteAclsRequestOutput {
  'filters': (_tidemark_v1_AclOutput)[];
}
