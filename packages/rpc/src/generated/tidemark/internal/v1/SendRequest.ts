// Original file: proto/tidemark/internal/v1/peer.proto


export interface SendRequest {
  'from'?: (number);
  'to'?: (number);
  'payload'?: (Buffer | Uint8Array | string);
}

export interface SendRequestOutput {
  'from': (number);
  'to': (number);
  'payload': (Buffer);
}
