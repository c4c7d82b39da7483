// Original file: proto/tidemark/internal/v1/peer.proto


export interface SendResponse {
}

export interface SendResponseOutput {
}
