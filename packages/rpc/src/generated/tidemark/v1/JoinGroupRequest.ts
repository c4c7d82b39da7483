// Original file: proto/tidemark/v1/group.proto

import type { GroupProtocol as _tidemark_v1_GroupProtocol, GroupProtocolOutput as _tidemark_v1_GroupProtocolOutput } from '../../tidemark/v1/GroupProtocol.ts';

export interface JoinGroupRequest {
  'groupId'?: (string);
  'memberId'?: (string);
  'groupInstanceId'?: (string);
  'clientId'?: (string);
  'sessionTimeoutMs'?: (number);
  'rebalanceTimeoutMs'?: (number);
  'protocolType'?: (string);
  'protocols'?: (_tidemark_v1_GroupProtocol)[];
  'reason'?: (string);
}

export interface JoinGroupRequestOutput {
  'groupId': (string);
  'memberId': (string);
  'groupInstanceId': (string);
  'clientId': (string);
  'sessionTimeoutMs': (number);
  'rebalanceTimeoutMs': (number);
  'protocolType': (string);
  'protocols': (_tidemark_v1_GroupProtocolOutput)[];
  'reason': (string);
}
