// Original file: proto/tidemark/v1/security.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { DescribedScramCredential as _tidemark_v1_DescribedScramCredential, DescribedScramCredentialOutput as _tidemark_v1_DescribedScramCredentialOutput } from '../../tidemark/v1/DescribedScramCredential.ts';

export interface DescribeScramCredentialsResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'credentials'?: (_tidemark_v1_DescribedScramCredential)[];
}

export interface DescribeScramCredentialsResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'credentials': (_tidemark_v1_DescribedScramCredentialOutput)[];
}
