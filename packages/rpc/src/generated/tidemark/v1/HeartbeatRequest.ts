// Original file: proto/tidemark/v1/group.proto


export interface HeartbeatRequest {
  'groupId'?: (string);
  'generationId'?: (number);
  'memberId'?: (string);
  'groupInstanceId'?: (string);
}

export interface HeartbeatRequestOutput {
  'groupId': (string);
  'generationId': (number);
  'memberId': (string);
  'groupInstanceId': (string);
}
