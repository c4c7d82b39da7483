// Original file: proto/tidemark/v1/security.proto


export interface ScramCredential {
  'user'?: (string);
  'mechanism'?: (string);
  'salt'?: (Buffer | Uint8Array | string);
  'storedKey'?: (Buffer | Uint8Array | string);
  'serverKey'?: (Buffer | Uint8Array | string);
  'iterations'?: (number);
}

export interface ScramCredentialOutput {
  'user': (string);
  'mechanism': (string);
  'salt': (Buffer);
  'storedKey': (Buffer);
  'serverKey': (Buffer);
  'iterations': (number);
}
