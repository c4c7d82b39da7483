// Original file: proto/tidemark/v1/cluster.proto


export interface PartitionMetadata {
  'partition'?: (number);
  'leaderId'?: (number);
  'leaderEpoch'?: (number);
  'partitionEpoch'?: (number);
  'replicas'?: (number)[];
  'inSyncReplicas'?: (number)[];
  'offlineReplicas'?: (number)[];
}

export interface PartitionMetadataOutput {
  'partition': (number);
  'leaderId': (number);
  'leaderEpoch': (number);
  'partitionEpoch': (number);
  'replicas': (number)[];
  'inSyncReplicas': (number)[];
  'offlineReplicas': (number)[];
}
