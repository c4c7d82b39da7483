// Original file: proto/tidemark/v1/cluster.proto

import type { GetMetadataResponse as _tidemark_v1_GetMetadataResponse, GetMetadataResponseOutput as _tidemark_v1_GetMetadataResponseOutput } from '../../tidemark/v1/GetMetadataResponse.ts';

export interface WatchMetadataResponse {
  'metadata'?: (_tidemark_v1_GetMetadataResponse | null);
}

export interface WatchMetadataResponseOutput {
  'metadata': (_tidemark_v1_GetMetadataResponseOutput | null);
}
