// Original file: proto/tidemark/v1/group.proto


export interface DescribedMember {
  'memberId'?: (string);
  'groupInstanceId'?: (string);
  'clientId'?: (string);
  'clientHost'?: (string);
  'metadata'?: (Buffer | Uint8Array | string);
  'assignment'?: (Buffer | Uint8Array | string);
  'awaited'?: (boolean);
}

export interface DescribedMemberOutput {
  'memberId': (string);
  'groupInstanceId': (string);
  'clientId': (string);
  'clientHost': (string);
  'metadata': (Buffer);
  'assignment': (Buffer);
  'awaited': (boolean);
}
