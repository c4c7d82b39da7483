// Original file: proto/tidemark/v1/auth.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { Long } from '@grpc/proto-loader';

export interface FinishAuthenticationResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'serverFinal'?: (Buffer | Uint8Array | string);
  'token'?: (string);
  'sessionLifetimeMs'?: (number | string | Long);
}

export interface FinishAuthenticationResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'serverFinal': (Buffer);
  'token': (string);
  'sessionLifetimeMs': (number);
}
