// Original file: proto/tidemark/v1/security.proto


export interface DescribedScramCredential {
  'user'?: (string);
  'mechanism'?: (string);
  'iterations'?: (number);
}

export interface DescribedScramCredentialOutput {
  'user': (string);
  'mechanism': (string);
  'iterations': (number);
}
