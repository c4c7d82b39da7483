// Original file: proto/tidemark/v1/admin.proto

import type { DescribeConfigsResult as _tidemark_v1_DescribeConfigsResult, DescribeConfigsResultOutput as _tidemark_v1_DescribeConfigsResultOutput } from '../../tidemark/v1/DescribeConfigsResult.ts';

export interface DescribeConfigsResponse {
  'results'?: (_tidemark_v1_DescribeConfigsResult)[];
}

export interface DescribeConfigsResponseOutput {
  'results': (_tidemark_v1_DescribeConfigsResultOutput)[];
}
