// Original file: proto/tidemark/v1/group.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { GroupPartitionResult as _tidemark_v1_GroupPartitionResult, GroupPartitionResultOutput as _tidemark_v1_GroupPartitionResultOutput } from '../../tidemark/v1/GroupPartitionResult.ts';

export interface CommitOffsetsResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'results'?: (_tidemark_v1_GroupPartitionResult)[];
}

export interface CommitOffsetsResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'results': (_tidemark_v1_GroupPartitionResultOutput)[];
}
