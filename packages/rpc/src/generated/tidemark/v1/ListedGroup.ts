// Original file: proto/tidemark/v1/group.proto


export interface ListedGroup {
  'groupId'?: (string);
  'protocolType'?: (string);
  'state'?: (string);
}

export interface ListedGroupOutput {
  'groupId': (string);
  'protocolType': (string);
  'state': (string);
}
