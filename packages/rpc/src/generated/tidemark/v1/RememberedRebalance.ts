// Original file: proto/tidemark/v1/group.proto

import type { RebalanceCause as _tidemark_v1_RebalanceCause, RebalanceCauseOutput as _tidemark_v1_RebalanceCauseOutput } from '../../tidemark/v1/RebalanceCause.ts';
import type { Long } from '@grpc/proto-loader';

export interface RememberedRebalance {
  'timestampMs'?: (number | string | Long);
  'generationId'?: (number);
  'cause'?: (_tidemark_v1_RebalanceCause);
  'memberIds'?: (string)[];
  'detail'?: (string);
}

export interface RememberedRebalanceOutput {
  'timestampMs': (number);
  'generationId': (number);
  'cause': (_tidemark_v1_RebalanceCauseOutput);
  'memberIds': (string)[];
  'detail': (string);
}
