// Original file: proto/tidemark/v1/admin.proto

import type { ConfigResource as _tidemark_v1_ConfigResource, ConfigResourceOutput as _tidemark_v1_ConfigResourceOutput } from '../../tidemark/v1/ConfigResource.ts';
import type { ConfigChange as _tidemark_v1_ConfigChange, ConfigChangeOutput as _tidemark_v1_ConfigChangeOutput } from '../../tidemark/v1/ConfigChange.ts';

export interface AlterConfigsResource {
  'resource'?: (_tidemark_v1_ConfigResource | null);
  'changes'?: (_tidemark_v1_ConfigChange)[];
}

export interface AlterConfigsResourceOutput {
  'resource': (_tidemark_v1_ConfigResourceOutput | null);
  'changes': (_tidemark_v1_ConfigChangeOutput)[];
}
