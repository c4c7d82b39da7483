// Original file: proto/grpc/reflection/v1/reflection.proto


export interface ExtensionRequest {
  'containingType'?: (string);
  'extensionNumber'?: (number);
}

export interface ExtensionRequestOutput {
  'containingType': (string);
  'extensionNumber': (number);
}
