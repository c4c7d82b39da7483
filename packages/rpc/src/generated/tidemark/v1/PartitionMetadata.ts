// Original file: proto/tidemark/v1/cluster.proto


export interface PartitionMetadata {
  'partition'?: (number);
  'leaderId'?: (number);
  'leaderEpoch'?: (number);
  'partitionEpoch'?: (number);
  'replicas'?: (number)[];
  'inSyncReplicas'?: (number)[];
  'offlineReplicas'?: (number)[];
  'eligibleLeaderReplicas'?: (number)[];
  'lastKnownLeaderReplicas'?: (number)[];
  'addingReplicas'?: (number)[];
  'removingReplicas'?: (number)[];
  'recovering'?: (boolean);
}

export interface PartitionMetadataOutput {
  'partition': (number);
  'leaderId': (number);
  'leaderEpoch': (number);
  'partitionEpoch': (number);
  'replicas': (number)[];
  'inSyncReplicas': (number)[];
  'offlineReplicas': (number)[];
  'eligibleLeaderReplicas': (number)[];
  'lastKnownLeaderReplicas': (number)[];
  'addingReplicas': (number)[];
  'removingReplicas': (number)[];
  'recovering': (boolean);
}
