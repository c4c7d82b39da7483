// Original file: proto/tidemark/v1/security.proto

import type { AlterScramCredentialResult as _tidemark_v1_AlterScramCredentialResult, AlterScramCredentialResultOutput as _tidemark_v1_AlterScramCredentialResultOutput } from '../../tidemark/v1/AlterScramCredentialResult.ts';

export interface AlterScramCredentialsResponse {
  'results'?: (_tidemark_v1_AlterScramCredentialResult)[];
}

export interface AlterScramCredentialsResponseOutput {
  'results': (_tidemark_v1_AlterScramCredentialResultOutput)[];
}
