// Original file: proto/tidemark/v1/cluster.proto

import type { TopicRef as _tidemark_v1_TopicRef, TopicRefOutput as _tidemark_v1_TopicRefOutput } from '../../tidemark/v1/TopicRef.ts';

export interface GetMetadataRequest {
  'topics'?: (_tidemark_v1_TopicRef)[];
  'allTopics'?: (boolean);
}

export interface GetMetadataRequestOutput {
  'topics': (_tidemark_v1_TopicRefOutput)[];
  'allTopics': (boolean);
}
