// Original file: proto/tidemark/v1/quorum.proto


export interface RemoveVoterRequest {
  'nodeId'?: (number);
  'directoryId'?: (string);
  'timeoutMs'?: (number);
}

export interface RemoveVoterRequestOutput {
  'nodeId': (number);
  'directoryId': (string);
  'timeoutMs': (number);
}
