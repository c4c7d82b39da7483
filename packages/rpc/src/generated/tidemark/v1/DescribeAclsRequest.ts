// Original file: proto/tidemark/v1/security.proto

import type { Acl as _tidemark_v1_Acl, AclOutput as _tidemark_v1_AclOutput } from '../../tidemark/v1/Acl.ts';

export interface DescribeAclsRequest {
  'filter'?: (_tidemark_v1_Acl | null);
}

export interface DescribeAclsRequestOutput {
  'filter': (_tidemark_v1_AclOutput | null);
}
