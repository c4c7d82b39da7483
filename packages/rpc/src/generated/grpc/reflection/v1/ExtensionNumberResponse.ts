// Original file: proto/grpc/reflection/v1/reflection.proto


export interface ExtensionNumberResponse {
  'baseTypeName'?: (string);
  'extensionNumber'?: (number)[];
}

export interface ExtensionNumberResponseOutput {
  'baseTypeName': (string);
  'extensionNumber': (number)[];
}
