// Original file: proto/tidemark/v1/group.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { ListedGroup as _tidemark_v1_ListedGroup, ListedGroupOutput as _tidemark_v1_ListedGroupOutput } from '../../tidemark/v1/ListedGroup.ts';

export interface ListGroupsResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'groups'?: (_tidemark_v1_ListedGroup)[];
}

export interface ListGroupsResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'groups': (_tidemark_v1_ListedGroupOutput)[];
}
