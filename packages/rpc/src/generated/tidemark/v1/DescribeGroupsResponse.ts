// Original file: proto/tidemark/v1/group.proto

import type { GroupDescription as _tidemark_v1_GroupDescription, GroupDescriptionOutput as _tidemark_v1_GroupDescriptionOutput } from '../../tidemark/v1/GroupDescription.ts';

export interface DescribeGroupsResponse {
  'groups'?: (_tidemark_v1_GroupDescription)[];
}

export interface DescribeGroupsResponseOutput {
  'groups': (_tidemark_v1_GroupDescriptionOutput)[];
}
