// Original file: proto/tidemark/v1/group.proto

import type { Long } from '@grpc/proto-loader';

export interface CommittedOffset {
  'topic'?: (string);
  'partition'?: (number);
  'offset'?: (number | string | Long);
  'leaderEpoch'?: (number);
  'metadata'?: (string);
  'commitTimestampMs'?: (number | string | Long);
  '_leaderEpoch'?: "leaderEpoch";
}

export interface CommittedOffsetOutput {
  'topic': (string);
  'partition': (number);
  'offset': (number);
  'leaderEpoch'?: (number);
  'metadata': (string);
  'commitTimestampMs': (number);
  '_leaderEpoch'?: "leaderEpoch";
}
