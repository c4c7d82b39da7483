// Original file: proto/grpc/reflection/v1/reflection.proto


export interface ErrorResponse {
  'errorCode'?: (number);
  'errorMessage'?: (string);
}

export interface ErrorResponseOutput {
  'errorCode': (number);
  'errorMessage': (string);
}
