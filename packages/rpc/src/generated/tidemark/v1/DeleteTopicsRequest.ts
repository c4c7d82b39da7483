// Original file: proto/tidemark/v1/admin.proto

import type { DeleteTopic as _tidemark_v1_DeleteTopic, DeleteTopicOutput as _tidemark_v1_DeleteTopicOutput } from '../../tidemark/v1/DeleteTopic.ts';

export interface DeleteTopicsRequest {
  'topics'?: (_tidemark_v1_DeleteTopic)[];
  'timeoutMs'?: (number);
}

export interface DeleteTopicsRequestOutput {
  'topics': (_tidemark_v1_DeleteTopicOutput)[];
  'timeoutMs': (number);
}
