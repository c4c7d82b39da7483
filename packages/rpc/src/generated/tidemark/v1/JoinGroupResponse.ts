// Original file: proto/tidemark/v1/group.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { JoinedMember as _tidemark_v1_JoinedMember, JoinedMemberOutput as _tidemark_v1_JoinedMemberOutput } from '../../tidemark/v1/JoinedMember.ts';

export interface JoinGroupResponse {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'memberId'?: (string);
  'generationId'?: (number);
  'protocolType'?: (string);
  'protocolName'?: (string);
  'leader'?: (string);
  'members'?: (_tidemark_v1_JoinedMember)[];
  'skipAssignment'?: (boolean);
}

export interface JoinGroupResponseOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'memberId': (string);
  'generationId': (number);
  'protocolType': (string);
  'protocolName': (string);
  'leader': (string);
  'members': (_tidemark_v1_JoinedMemberOutput)[];
  'skipAssignment': (boolean);
}
