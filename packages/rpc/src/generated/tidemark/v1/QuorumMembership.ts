// Original file: proto/tidemark/v1/cluster.proto

export const QuorumMembership = {
  QUORUM_MEMBERSHIP_UNSPECIFIED: 'QUORUM_MEMBERSHIP_UNSPECIFIED',
  QUORUM_MEMBERSHIP_VOTER: 'QUORUM_MEMBERSHIP_VOTER',
  QUORUM_MEMBERSHIP_OBSERVER: 'QUORUM_MEMBERSHIP_OBSERVER',
} as const;

export type QuorumMembership =
  | 'QUORUM_MEMBERSHIP_UNSPECIFIED'
  | 0
  | 'QUORUM_MEMBERSHIP_VOTER'
  | 1
  | 'QUORUM_MEMBERSHIP_OBSERVER'
  | 2

export type QuorumMembershipOutput = typeof QuorumMembership[keyof typeof QuorumMembership]
