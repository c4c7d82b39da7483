// Original file: proto/tidemark/v1/log.proto

import type { PlainRecord as _tidemark_v1_PlainRecord, PlainRecordOutput as _tidemark_v1_PlainRecordOutput } from '../../tidemark/v1/PlainRecord.ts';

export interface ProducePartition {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
  'currentLeaderEpoch'?: (number);
  'batches'?: (Buffer | Uint8Array | string);
  'records'?: (_tidemark_v1_PlainRecord)[];
  '_currentLeaderEpoch'?: "currentLeaderEpoch";
}

export interface ProducePartitionOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
  'currentLeaderEpoch'?: (number);
  'batches': (Buffer);
  'records': (_tidemark_v1_PlainRecordOutput)[];
  '_currentLeaderEpoch'?: "currentLeaderEpoch";
}
