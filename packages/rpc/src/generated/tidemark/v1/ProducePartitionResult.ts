// Original file: proto/tidemark/v1/log.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { LeaderHint as _tidemark_v1_LeaderHint, LeaderHintOutput as _tidemark_v1_LeaderHintOutput } from '../../tidemark/v1/LeaderHint.ts';
import type { Long } from '@grpc/proto-loader';

export interface ProducePartitionResult {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'baseOffset'?: (number | string | Long);
  'logAppendTimeMs'?: (number | string | Long);
  'logStartOffset'?: (number | string | Long);
  'leaderEpoch'?: (number);
  'inSyncReplicas'?: (number)[];
  'onDisk'?: (boolean);
  'duplicate'?: (boolean);
  'currentLeader'?: (_tidemark_v1_LeaderHint | null);
}

export interface ProducePartitionResultOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'baseOffset': (number);
  'logAppendTimeMs': (number);
  'logStartOffset': (number);
  'leaderEpoch': (number);
  'inSyncReplicas': (number)[];
  'onDisk': (boolean);
  'duplicate': (boolean);
  'currentLeader': (_tidemark_v1_LeaderHintOutput | null);
}
