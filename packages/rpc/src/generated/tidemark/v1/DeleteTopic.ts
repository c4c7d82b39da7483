// Original file: proto/tidemark/v1/admin.proto


export interface DeleteTopic {
  'name'?: (string);
  'topicId'?: (string);
}

export interface DeleteTopicOutput {
  'name': (string);
  'topicId': (string);
}
