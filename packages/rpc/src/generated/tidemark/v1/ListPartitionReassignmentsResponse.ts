// Original file: proto/tidemark/v1/admin.proto

import type { OngoingReassignment as _tidemark_v1_OngoingReassignment, OngoingReassignmentOutput as _tidemark_v1_OngoingReassignmentOutput } from '../../tidemark/v1/OngoingReassignment.ts';
import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';

export interface ListPartitionReassignmentsResponse {
  'reassignments'?: (_tidemark_v1_OngoingReassignment)[];
  'error'?: (_tidemark_v1_ErrorDetail | null);
}

export interface ListPartitionReassignmentsResponseOutput {
  'reassignments': (_tidemark_v1_OngoingReassignmentOutput)[];
  'error': (_tidemark_v1_ErrorDetailOutput | null);
}
