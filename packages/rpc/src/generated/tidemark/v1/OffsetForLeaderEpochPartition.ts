// Original file: proto/tidemark/v1/log.proto


export interface OffsetForLeaderEpochPartition {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
  'leaderEpoch'?: (number);
  'currentLeaderEpoch'?: (number);
  '_currentLeaderEpoch'?: "currentLeaderEpoch";
}

export interface OffsetForLeaderEpochPartitionOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
  'leaderEpoch': (number);
  'currentLeaderEpoch'?: (number);
  '_currentLeaderEpoch'?: "currentLeaderEpoch";
}
