// Original file: proto/tidemark/v1/security.proto


export interface DescribeScramCredentialsRequest {
  'users'?: (string)[];
}

export interface DescribeScramCredentialsRequestOutput {
  'users': (string)[];
}
