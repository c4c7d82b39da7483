// Original file: proto/tidemark/v1/group.proto


export interface GroupProtocol {
  'name'?: (string);
  'metadata'?: (Buffer | Uint8Array | string);
}

export interface GroupProtocolOutput {
  'name': (string);
  'metadata': (Buffer);
}
