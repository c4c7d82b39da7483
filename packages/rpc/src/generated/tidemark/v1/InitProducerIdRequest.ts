// Original file: proto/tidemark/v1/log.proto


export interface InitProducerIdRequest {
}

export interface InitProducerIdRequestOutput {
}
