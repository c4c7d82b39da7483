// Original file: proto/tidemark/v1/admin.proto

import type { ConfigResourceType as _tidemark_v1_ConfigResourceType, ConfigResourceTypeOutput as _tidemark_v1_ConfigResourceTypeOutput } from '../../tidemark/v1/ConfigResourceType.ts';

export interface ConfigResource {
  'type'?: (_tidemark_v1_ConfigResourceType);
  'name'?: (string);
}

export interface ConfigResourceOutput {
  'type': (_tidemark_v1_ConfigResourceTypeOutput);
  'name': (string);
}
