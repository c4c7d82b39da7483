// Original file: proto/tidemark/v1/auth.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface StartAuthenticationResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'exchangeId'?: (string);
  'serverFirst'?: (Buffer | Uint8Array | string);
}

export interface StartAuthenticationResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'exchangeId': (string);
  'serverFirst': (Buffer);
}
