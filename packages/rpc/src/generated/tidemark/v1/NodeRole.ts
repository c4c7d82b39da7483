// Original file: proto/tidemark/v1/cluster.proto

export const NodeRole = {
  NODE_ROLE_UNSPECIFIED: 'NODE_ROLE_UNSPECIFIED',
  NODE_ROLE_BROKER: 'NODE_ROLE_BROKER',
  NODE_ROLE_CONTROLLER: 'NODE_ROLE_CONTROLLER',
} as const;

export type NodeRole =
  | 'NODE_ROLE_UNSPECIFIED'
  | 0
  | 'NODE_ROLE_BROKER'
  | 1
  | 'NODE_ROLE_CONTROLLER'
  | 2

export type NodeRoleOutput = typeof NodeRole[keyof typeof NodeRole]
