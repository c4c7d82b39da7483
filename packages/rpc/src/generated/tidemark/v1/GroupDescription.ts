// Original file: proto/tidemark/v1/group.proto

import type { ErrorDetail as _tidemark_v1_ErrorDetail, ErrorDetailOutput as _tidemark_v1_ErrorDetailOutput } from '../../tidemark/v1/ErrorDetail.ts';
import type { DescribedMember as _tidemark_v1_DescribedMember, DescribedMemberOutput as _tidemark_v1_DescribedMemberOutput } from '../../tidemark/v1/DescribedMember.ts';
import type { RememberedRebalance as _tidemark_v1_RememberedRebalance, RememberedRebalanceOutput as _tidemark_v1_RememberedRebalanceOutput } from '../../tidemark/v1/RememberedRebalance.ts';
import type { Long } from '@grpc/proto-loader';

export interface GroupDescription {
  'groupId'?: (string);
  'error'?: (_tidemark_v1_ErrorDetail | null);
  'state'?: (string);
  'stateTimestampMs'?: (number | string | Long);
  'protocolType'?: (string);
  'protocolName'?: (string);
  'generationId'?: (number);
  'leader'?: (string);
  'members'?: (_tidemark_v1_DescribedMember)[];
  'rebalances'?: (_tidemark_v1_RememberedRebalance)[];
}

export interface GroupDescriptionOutput {
  'groupId': (string);
  'error': (_tidemark_v1_ErrorDetailOutput | null);
  'state': (string);
  'stateTimestampMs': (number);
  'protocolType': (string);
  'protocolName': (string);
  'generationId': (number);
  'leader': (string);
  'members': (_tidemark_v1_DescribedMemberOutput)[];
  'rebalances': (_tidemark_v1_RememberedRebalanceOutput)[];
}
