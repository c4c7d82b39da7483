// Original file: proto/tidemark/v1/admin.proto

import type { ConfigResource as _tidemark_v1_ConfigResource, ConfigResourceOutput as _tidemark_v1_ConfigResourceOutput } from '../../tidemark/v1/ConfigResource.ts';

export interface DescribeConfigsRequest {
  'resources'?: (_tidemark_v1_ConfigResource)[];
  'keys'?: (string)[];
  'allowStale'?: (boolean);
}

export interface DescribeConfigsRequestOutput {
  'resources': (_tidemark_v1_ConfigResourceOutput)[];
  'keys': (string)[];
  'allowStale': (boolean);
}
