// Original file: proto/tidemark/v1/admin.proto

import type { ConfigResource as _tidemark_v1_ConfigResource, ConfigResourceOutput as _tidemark_v1_ConfigResourceOutput } from '../../tidemark/v1/ConfigResource.ts';
import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { ConfigEntry as _tidemark_v1_ConfigEntry, ConfigEntryOutput as _tidemark_v1_ConfigEntryOutput } from '../../tidemark/v1/ConfigEntry.ts';

export interface DescribeConfigsResult {
  'resource'?: (_tidemark_v1_ConfigResource | null);
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'entries'?: (_tidemark_v1_ConfigEntry)[];
}

export interface DescribeConfigsResultOutput {
  'resource': (_tidemark_v1_ConfigResourceOutput | null);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'entries': (_tidemark_v1_ConfigEntryOutput)[];
}
