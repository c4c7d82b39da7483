// Original file: proto/tidemark/v1/admin.proto

import type { Long } from '@grpc/proto-loader';

export interface FollowerProgress {
  'brokerId'?: (number);
  'logEndOffset'?: (number | string | Long);
  'acknowledgedOffset'?: (number | string | Long);
  'inSync'?: (boolean);
  'lagMs'?: (number | string | Long);
}

export interface FollowerProgressOutput {
  'brokerId': (number);
  'logEndOffset': (number);
  'acknowledgedOffset': (number);
  'inSync': (boolean);
  'lagMs': (number);
}
