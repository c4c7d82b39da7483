// Original file: proto/tidemark/v1/security.proto

import type { Acl as _tidemark_v1_Acl, AclOutput as _tidemark_v1_AclOutput } from '../../tidemark/v1/Acl.ts';

export interface CreateAclsRequest {
  'acls'?: (_tidemark_v1_Acl)[];
}

export interface CreateAclsRequestOutput {
  'acls': (_tidemark_v1_AclOutput)[];
}
