// Original file: proto/tidemark/v1/admin.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { LeaderEpochStart as _tidemark_v1_LeaderEpochStart, LeaderEpochStartOutput as _tidemark_v1_LeaderEpochStartOutput } from '../../tidemark/v1/LeaderEpochStart.ts';
import type { LeaderStanding as _tidemark_v1_LeaderStanding, LeaderStandingOutput as _tidemark_v1_LeaderStandingOutput } from '../../tidemark/v1/LeaderStanding.ts';
import type { FollowerStanding as _tidemark_v1_FollowerStanding, FollowerStandingOutput as _tidemark_v1_FollowerStandingOutput } from '../../tidemark/v1/FollowerStanding.ts';
import type { Long } from '@grpc/proto-loader';

export interface ReplicaDescription {
  'topic'?: (string);
  'topicId'?: (string);
  'partition'?: (number);
  'brokerId'?: (number);
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'isLeader'?: (boolean);
  'inSync'?: (boolean);
  'logStartOffset'?: (number | string | Long);
  'highWatermark'?: (number | string | Long);
  'logEndOffset'?: (number | string | Long);
  'lag'?: (number | string | Long);
  'sizeBytes'?: (number | string | Long);
  'segmentCount'?: (number);
  'flushedOffset'?: (number | string | Long);
  'leaderEpoch'?: (number);
  'leaderEpochs'?: (_tidemark_v1_LeaderEpochStart)[];
  'leader'?: (_tidemark_v1_LeaderStanding | null);
  'follower'?: (_tidemark_v1_FollowerStanding | null);
}

export interface ReplicaDescriptionOutput {
  'topic': (string);
  'topicId': (string);
  'partition': (number);
  'brokerId': (number);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'isLeader': (boolean);
  'inSync': (boolean);
  'logStartOffset': (number);
  'highWatermark': (number);
  'logEndOffset': (number);
  'lag': (number);
  'sizeBytes': (number);
  'segmentCount': (number);
  'flushedOffset': (number);
  'leaderEpoch': (number);
  'leaderEpochs': (_tidemark_v1_LeaderEpochStartOutput)[];
  'leader': (_tidemark_v1_LeaderStandingOutput | null);
  'follower': (_tidemark_v1_FollowerStandingOutput | null);
}
