// Original file: proto/tidemark/v1/log.proto


export interface Header {
  'key'?: (string);
  'value'?: (Buffer | Uint8Array | string);
  '_value'?: "value";
}

export interface HeaderOutput {
  'key': (string);
  'value'?: (Buffer);
  '_value'?: "value";
}
