// Original file: proto/tidemark/v1/group.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface SyncGroupResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'protocolType'?: (string);
  'protocolName'?: (string);
  'assignment'?: (Buffer | Uint8Array | string);
}

export interface SyncGroupResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'protocolType': (string);
  'protocolName': (string);
  'assignment': (Buffer);
}
