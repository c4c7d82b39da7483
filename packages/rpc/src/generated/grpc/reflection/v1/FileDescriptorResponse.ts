// Original file: proto/grpc/reflection/v1/reflection.proto


export interface FileDescriptorResponse {
  'fileDescriptorProto'?: (Buffer | Uint8Array | string)[];
}

export interface FileDescriptorResponseOutput {
  'fileDescriptorProto': (Buffer)[];
}
