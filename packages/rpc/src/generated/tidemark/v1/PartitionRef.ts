// Original file: proto/tidemark/v1/log.proto


export interface PartitionRef {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
}

export interface PartitionRefOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
}
