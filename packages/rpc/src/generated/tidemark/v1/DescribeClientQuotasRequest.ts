// Original file: proto/tidemark/v1/security.proto


export interface DescribeClientQuotasRequest {
}

export interface DescribeClientQuotasRequestOutput {
}
