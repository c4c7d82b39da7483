// Original file: proto/tidemark/v1/admin.proto

import type { NewPartitions as _tidemark_v1_NewPartitions, NewPartitionsOutput as _tidemark_v1_NewPartitionsOutput } from '../../tidemark/v1/NewPartitions.ts';

export interface CreatePartitionsRequest {
  'topics'?: (_tidemark_v1_NewPartitions)[];
  'timeoutMs'?: (number);
  'validateOnly'?: (boolean);
}

export interface CreatePartitionsRequestOutput {
  'topics': (_tidemark_v1_NewPartitionsOutput)[];
  'timeoutMs': (number);
  'validateOnly': (boolean);
}
