// Original file: proto/tidemark/v1/quorum.proto


export interface AddVoterRequest {
  'nodeId'?: (number);
  'directoryId'?: (string);
  'host'?: (string);
  'port'?: (number);
  'timeoutMs'?: (number);
}

export interface AddVoterRequestOutput {
  'nodeId': (number);
  'directoryId': (string);
  'host': (string);
  'port': (number);
  'timeoutMs': (number);
}
