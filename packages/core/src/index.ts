export * from './config/broker-configs.ts';
export * from './config/client-configs.ts';
export { parseOffsetReset, type OffsetReset } from './config/offset-reset.ts';
export { saslLogin } from './config/client-security-configs.ts';
export {
  Config,
  descriptors,
  type ConfigEntry,
  type ConfigKeys,
  type ConfigRule,
  type ConfigSetting,
  type ConfigTable,
  configTable,
} from './config/config.ts';
export * from './config/descriptor.ts';
export * from './config/environment.ts';
export * from './config/listeners.ts';
export { nodeRole, type NodeRole, type QuorumMembership } from './config/node-role.ts';
export * from './config/quorum-voters.ts';
export * from './config/problem.ts';
export * from './config/principal-mapping.ts';
export * from './config/principals.ts';
export * from './config/properties.ts';
export * from './config/replication-throttle.ts';
export * from './config/resolve.ts';
export * from './config/security-configs.ts';
export * from './config/security-protocol.ts';
export * from './config/topic-configs.ts';
export * from './config/value.ts';
export * from './big-endian.ts';
export * from './errors.ts';
export * from './field-codec.ts';
export * from './ids.ts';
export * from './internal-topics.ts';
export * from './invariant.ts';
export * from './ports/clock.ts';
export * from './ports/disk.ts';
export * from './ports/key-value.ts';
export * from './ports/network.ts';
export * from './ports/prng.ts';
export * from './scram.ts';
export * from './trace-parent.ts';
export * from './utf8.ts';
