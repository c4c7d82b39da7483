// Original file: proto/tidemark/v1/group.proto

import type { MemberAssignment as _tidemark_v1_MemberAssignment, MemberAssignmentOutput as _tidemark_v1_MemberAssignmentOutput } from '../../tidemark/v1/MemberAssignment.ts';

export interface SyncGroupRequest {
  'groupId'?: (string);
  'generationId'?: (number);
  'memberId'?: (string);
  'groupInstanceId'?: (string);
  'protocolType'?: (string);
  'protocolName'?: (string);
  'assignments'?: (_tidemark_v1_MemberAssignment)[];
}

export interface SyncGroupRequestOutput {
  'groupId': (string);
  'generationId': (number);
  'memberId': (string);
  'groupInstanceId': (string);
  'protocolType': (string);
  'protocolName': (string);
  'assignments': (_tidemark_v1_MemberAssignmentOutput)[];
}
