// Original file: proto/tidemark/v1/admin.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { Long } from '@grpc/proto-loader';

export interface ReplicaDescription {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
  'brokerId'?: (number);
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'isLeader'?: (boolean);
  'inSync'?: (boolean);
  'logStartOffset'?: (number | string | Long);
  'highWatermark'?: (number | string | Long);
  'logEndOffset'?: (number | string | Long);
  'lag'?: (number | string | Long);
  'sizeBytes'?: (number | string | Long);
  'segmentCount'?: (number);
  'flushedOffset'?: (number | string | Long);
}

export interface ReplicaDescriptionOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
  'brokerId': (number);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'isLeader': (boolean);
  'inSync': (boolean);
  'logStartOffset': (number);
  'highWatermark': (number);
  'logEndOffset': (number);
  'lag': (number);
  'sizeBytes': (number);
  'segmentCount': (number);
  'flushedOffset': (number);
}
