// Original file: proto/tidemark/v1/log.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { FetchedRecord as _tidemark_v1_FetchedRecord, FetchedRecordOutput as _tidemark_v1_FetchedRecordOutput } from '../../tidemark/v1/FetchedRecord.ts';
import type { LeaderHint as _tidemark_v1_LeaderHint, LeaderHintOutput as _tidemark_v1_LeaderHintOutput } from '../../tidemark/v1/LeaderHint.ts';
import type { Long } from '@grpc/proto-loader';

export interface FetchPartitionResult {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'highWatermark'?: (number | string | Long);
  'lastStableOffset'?: (number | string | Long);
  'logStartOffset'?: (number | string | Long);
  'leaderEpoch'?: (number);
  'batches'?: (Buffer | Uint8Array | string);
  'records'?: (_tidemark_v1_FetchedRecord)[];
  'currentLeader'?: (_tidemark_v1_LeaderHint | null);
  'positionId'?: (number);
}

export interface FetchPartitionResultOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'highWatermark': (number);
  'lastStableOffset': (number);
  'logStartOffset': (number);
  'leaderEpoch': (number);
  'batches': (Buffer);
  'records': (_tidemark_v1_FetchedRecordOutput)[];
  'currentLeader': (_tidemark_v1_LeaderHintOutput | null);
  'positionId': (number);
}
