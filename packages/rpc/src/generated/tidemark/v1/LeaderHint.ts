// Original file: proto/tidemark/v1/log.proto


export interface LeaderHint {
  'leaderId'?: (number);
  'leaderEpoch'?: (number);
}

export interface LeaderHintOutput {
  'leaderId': (number);
  'leaderEpoch': (number);
}
