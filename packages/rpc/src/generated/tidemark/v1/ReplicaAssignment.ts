// Original file: proto/tidemark/v1/admin.proto


export interface ReplicaAssignment {
  'partition'?: (number);
  'brokerIds'?: (number)[];
}

export interface ReplicaAssignmentOutput {
  'partition': (number);
  'brokerIds': (number)[];
}
