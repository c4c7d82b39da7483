// Original file: proto/tidemark/v1/log.proto

import type { ListOffsetsResult as _tidemark_v1_ListOffsetsResult, ListOffsetsResultOutput as _tidemark_v1_ListOffsetsResultOutput } from '../../tidemark/v1/ListOffsetsResult.ts';

export interface ListOffsetsResponse {
  'results'?: (_tidemark_v1_ListOffsetsResult)[];
}

export interface ListOffsetsResponseOutput {
  'results': (_tidemark_v1_ListOffsetsResultOutput)[];
}
