// Original file: proto/tidemark/v1/admin.proto

import type { NewTopic as _tidemark_v1_NewTopic, NewTopicOutput as _tidemark_v1_NewTopicOutput } from '../../tidemark/v1/NewTopic.ts';

export interface CreateTopicsRequest {
  'topics'?: (_tidemark_v1_NewTopic)[];
  'timeoutMs'?: (number);
  'validateOnly'?: (boolean);
}

export interface CreateTopicsRequestOutput {
  'topics': (_tidemark_v1_NewTopicOutput)[];
  'timeoutMs': (number);
  'validateOnly': (boolean);
}
