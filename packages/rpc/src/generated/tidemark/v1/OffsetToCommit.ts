// Original file: proto/tidemark/v1/group.proto

import type { Long } from '@grpc/proto-loader';

export interface OffsetToCommit {
  'topic'?: (string);
  'partition'?: (number);
  'offset'?: (number | string | Long);
  'leaderEpoch'?: (number);
  'metadata'?: (string);
  '_leaderEpoch'?: "leaderEpoch";
}

export interface OffsetToCommitOutput {
  'topic': (string);
  'partition': (number);
  'offset': (number);
  'leaderEpoch'?: (number);
  'metadata': (string);
  '_leaderEpoch'?: "leaderEpoch";
}
