// Original file: proto/tidemark/v1/admin.proto

import type { Long } from '@grpc/proto-loader';

export interface LeaderEpochStart {
  'leaderEpoch'?: (number);
  'startOffset'?: (number | string | Long);
}

export interface LeaderEpochStartOutput {
  'leaderEpoch': (number);
  'startOffset': (number);
}
