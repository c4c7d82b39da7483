// Original file: proto/tidemark/v1/cluster.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { PartitionMetadata as _tidemark_v1_PartitionMetadata, PartitionMetadataOutput as _tidemark_v1_PartitionMetadataOutput } from '../../tidemark/v1/PartitionMetadata.ts';

export interface TopicMetadata {
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'name'?: (string);
  'topicId'?: (string);
  'internal'?: (boolean);
  'partitions'?: (_tidemark_v1_PartitionMetadata)[];
}

export interface TopicMetadataOutput {
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'name': (string);
  'topicId': (string);
  'internal': (boolean);
  'partitions': (_tidemark_v1_PartitionMetadataOutput)[];
}
