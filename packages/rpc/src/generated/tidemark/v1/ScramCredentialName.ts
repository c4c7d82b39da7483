// Original file: proto/tidemark/v1/security.proto


export interface ScramCredentialName {
  'user'?: (string);
  'mechanism'?: (string);
}

export interface ScramCredentialNameOutput {
  'user': (string);
  'mechanism': (string);
}
