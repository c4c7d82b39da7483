// Original file: proto/tidemark/v1/admin.proto


export interface OngoingReassignment {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
  'replicas'?: (number)[];
  'addingReplicas'?: (number)[];
  'removingReplicas'?: (number)[];
}

export interface OngoingReassignmentOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
  'replicas': (number)[];
  'addingReplicas': (number)[];
  'removingReplicas': (number)[];
}
