// Original file: proto/tidemark/v1/admin.proto

import type { AlterConfigsResource as _tidemark_v1_AlterConfigsResource, AlterConfigsResourceOutput as _tidemark_v1_AlterConfigsResourceOutput } from '../../tidemark/v1/AlterConfigsResource.ts';

export interface AlterConfigsRequest {
  'resources'?: (_tidemark_v1_AlterConfigsResource)[];
  'validateOnly'?: (boolean);
}

export interface AlterConfigsRequestOutput {
  'resources': (_tidemark_v1_AlterConfigsResourceOutput)[];
  'validateOnly': (boolean);
}
