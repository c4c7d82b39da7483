// Original file: proto/tidemark/v1/cluster.proto


export interface TopicRef {
  'name'?: (string);
  'topicId'?: (string);
}

export interface TopicRefOutput {
  'name': (string);
  'topicId': (string);
}
