// Original file: proto/tidemark/v1/group.proto


export interface GroupPartition {
  'topic'?: (string);
  'partition'?: (number);
}

export interface GroupPartitionOutput {
  'topic': (string);
  'partition': (number);
}
