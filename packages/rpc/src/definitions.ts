// The service definitions of every proto file, from what was generated at build time: a running process reads and parses no
// .proto file. Beside them the descriptor set that reflection serves.
import { fromJSON } from '@grpc/proto-loader';
import { invariant } from '@tidemark/core';
import { descriptorSetBase64 } from './generated/descriptor-set.ts';
import { rootJson } from './generated/root-json.ts';
import type { HealthDefinition } from './generated/grpc/health/v1/Health.ts';
import type { ServerReflectionDefinition } from './generated/grpc/reflection/v1/ServerReflection.ts';
import type { PeerServiceDefinition } from './generated/tidemark/internal/v1/PeerService.ts';
import type { AdminServiceDefinition } from './generated/tidemark/v1/AdminService.ts';
import type { AuthServiceDefinition } from './generated/tidemark/v1/AuthService.ts';
import type { ClusterServiceDefinition } from './generated/tidemark/v1/ClusterService.ts';
import type { GroupServiceDefinition } from './generated/tidemark/v1/GroupService.ts';
import type { LogServiceDefinition } from './generated/tidemark/v1/LogService.ts';
import type { QuorumServiceDefinition } from './generated/tidemark/v1/QuorumService.ts';
import type { SecurityServiceDefinition } from './generated/tidemark/v1/SecurityService.ts';

/** A serialized google.protobuf.FileDescriptorSet. */
export const descriptorSet: Buffer = Buffer.from(descriptorSetBase64, 'base64');

const definitions = fromJSON(JSON.parse(rootJson) as Parameters<typeof fromJSON>[0], {
  longs: Number,
  enums: String,
  defaults: true,
  arrays: true,
  oneofs: true,
});

/** The generated type of a service describes exactly what proto-loader makes of it; that is what is asserted here. */
function service(name: string): unknown {
  const definition = definitions[name];
  invariant(definition !== undefined, `the descriptor set lacks ${name}`);
  return definition;
}

export const logService = service('tidemark.v1.LogService') as LogServiceDefinition;
export const clusterService = service('tidemark.v1.ClusterService') as ClusterServiceDefinition;
export const adminService = service('tidemark.v1.AdminService') as AdminServiceDefinition;
export const groupService = service('tidemark.v1.GroupService') as GroupServiceDefinition;
export const quorumService = service('tidemark.v1.QuorumService') as QuorumServiceDefinition;
export const authService = service('tidemark.v1.AuthService') as AuthServiceDefinition;
export const securityService = service('tidemark.v1.SecurityService') as SecurityServiceDefinition;
export const peerService = service('tidemark.internal.v1.PeerService') as PeerServiceDefinition;
export const healthService = service('grpc.health.v1.Health') as HealthDefinition;
export const reflectionService = service('grpc.reflection.v1.ServerReflection') as ServerReflectionDefinition;
