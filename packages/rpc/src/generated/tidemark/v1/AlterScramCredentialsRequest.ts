// Original file: proto/tidemark/v1/security.proto

import type { ScramCredential as _tidemark_v1_ScramCredential, ScramCredentialOutput as _tidemark_v1_ScramCredentialOutput } from '../../tidemark/v1/ScramCredential.ts';
import type { ScramCredentialName as _tidemark_v1_ScramCredentialName, ScramCredentialNameOutput as _tidemark_v1_ScramCredentialNameOutput } from '../../tidemark/v1/ScramCredentialName.ts';

export interface AlterScramCredentialsRequest {
  'upsertions'?: (_tidemark_v1_ScramCredential)[];
  'deletions'?: (_tidemark_v1_ScramCredentialName)[];
}

export interface AlterScramCredentialsRequestOutput {
  'upsertions': (_tidemark_v1_ScramCredentialOutput)[];
  'deletions': (_tidemark_v1_ScramCredentialNameOutput)[];
}
