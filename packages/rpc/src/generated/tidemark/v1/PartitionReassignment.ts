// Original file: proto/tidemark/v1/admin.proto


export interface PartitionReassignment {
  'topic'?: (string);
  'partition'?: (number);
  'brokerIds'?: (number)[];
}

export interface PartitionReassignmentOutput {
  'topic': (string);
  'partition': (number);
  'brokerIds': (number)[];
}
