// Original file: proto/tidemark/v1/admin.proto


export interface PartitionName {
  'topic'?: (string);
  'partition'?: (number);
}

export interface PartitionNameOutput {
  'topic': (string);
  'partition': (number);
}
