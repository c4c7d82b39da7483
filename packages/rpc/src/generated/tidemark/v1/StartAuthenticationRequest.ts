// Original file: proto/tidemark/v1/auth.proto


export interface StartAuthenticationRequest {
  'mechanism'?: (string);
  'clientFirst'?: (Buffer | Uint8Array | string);
}

export interface StartAuthenticationRequestOutput {
  'mechanism': (string);
  'clientFirst': (Buffer);
}
