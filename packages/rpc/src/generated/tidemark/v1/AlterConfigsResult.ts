// Original file: proto/tidemark/v1/admin.proto

import type { ConfigResource as _tidemark_v1_ConfigResource, ConfigResourceOutput as _tidemark_v1_ConfigResourceOutput } from '../../tidemark/v1/ConfigResource.ts';
import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface AlterConfigsResult {
  'resource'?: (_tidemark_v1_ConfigResource | null);
  'error'?: (_tidemark_v1_ErrorDetail | null);
}

export interface AlterConfigsResultOutput {
  'resource': (_tidemark_v1_ConfigResourceOutput | null);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
}
