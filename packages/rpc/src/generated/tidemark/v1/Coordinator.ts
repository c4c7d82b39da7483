// Original file: proto/tidemark/v1/group.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface Coordinator {
  'groupId'?: (string);
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'nodeId'?: (number);
  'host'?: (string);
  'port'?: (number);
}

export interface CoordinatorOutput {
  'groupId': (string);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'nodeId': (number);
  'host': (string);
  'port': (number);
}
