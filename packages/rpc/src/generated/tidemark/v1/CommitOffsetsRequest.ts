// Original file: proto/tidemark/v1/group.proto

import type { OffsetToCommit as _tidemark_v1_OffsetToCommit, OffsetToCommitOutput as _tidemark_v1_OffsetToCommitOutput } from '../../tidemark/v1/OffsetToCommit.ts';

export interface CommitOffsetsRequest {
  'groupId'?: (string);
  'generationId'?: (number);
  'memberId'?: (string);
  'groupInstanceId'?: (string);
  'offsets'?: (_tidemark_v1_OffsetToCommit)[];
}

export interface CommitOffsetsRequestOutput {
  'groupId': (string);
  'generationId': (number);
  'memberId': (string);
  'groupInstanceId': (string);
  'offsets': (_tidemark_v1_OffsetToCommitOutput)[];
}
