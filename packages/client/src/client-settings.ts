// What every client is made with, and the connections and metadata it makes of that.
import { TidemarkError, clientConfigs, describeProblems, resolveConfig } from '@tidemark/core';
import type { Clock, Config, ConfigSpecs, ConfigValue, ResolvedConfig } from '@tidemark/core';
import { nodeClock } from '@tidemark/rpc';
import type { ChannelOptions } from '@tidemark/rpc';
import { channelIdentity } from './channel-identity.ts';
import { ClusterMetadata } from './cluster-metadata.ts';
import { Connections } from './connections.ts';

/** Kafka's names. An unknown one is refused, with the name that was likely meant. */
export type ConfigOptions = Readonly<Record<string, ConfigValue | undefined>>;

export interface ClientOptions {
  /** Where to ask for the cluster, `host:port` each; tried in turn. One is enough, two survive more. */
  readonly brokers: readonly string[];
  /** Kafka's names, e.g. `{ 'request.timeout.ms': 10_000 }`. */
  readonly config?: ConfigOptions | undefined;
  /** Where time comes from. Default: Node's. */
  readonly clock?: Clock | undefined;
  /** Uniform over [0, 1), for jitter and sticky partitions. Default: Math.random. */
  readonly random?: (() => number) | undefined;
  /** Anything about the connections that has no config name, e.g. credentials. */
  readonly channel?: ChannelOptions | undefined;
}

export interface Wiring {
  readonly clock: Clock;
  readonly random: () => number;
  readonly connections: Connections;
  readonly metadata: ClusterMetadata;
}

/** The config, or INVALID_CONFIG with every problem and its remedy. */
export function configOf<S extends ConfigSpecs>(resolved: ResolvedConfig<S>): Config<S> {
  if (!resolved.ok) throw new TidemarkError('INVALID_CONFIG', describeProblems(resolved.problems));
  return resolved.config;
}

/** `host:port`, or INVALID_CONFIG. An IPv6 address stands in brackets. */
function checkedAddress(address: string): string {
  if (/^(\[[0-9a-fA-F:.]+\]|[^\s:/]+):\d{1,5}$/.test(address)) return address;
  throw new TidemarkError('INVALID_CONFIG', `brokers: "${address}" is not host:port, e.g. localhost:9092`);
}

export function wire(options: ClientOptions): Wiring {
  if (options.brokers.length === 0) {
    throw new TidemarkError('INVALID_CONFIG', 'brokers: give at least one host:port to begin with');
  }
  const bootstrap = options.brokers.map(checkedAddress);
  const clock = options.clock ?? nodeClock;
  const random = options.random ?? Math.random;
  // Only the keys that all clients share; each client checks the whole of its own.
  const shared = Object.entries(options.config ?? {}).filter(([name]) => name in clientConfigs.specs);
  const config = configOf(resolveConfig(clientConfigs, { options: Object.fromEntries(shared) }));
  const requestTimeoutMs = config.getInt('request.timeout.ms');
  const connections = new Connections({
    clock,
    requestTimeoutMs,
    connectTimeoutMs: config.getInt('socket.connection.setup.timeout.ms'),
    maxReconnectBackoffMs: config.getInt('reconnect.backoff.max.ms'),
    ...channelIdentity(config),
    ...options.channel,
  });
  const metadata = new ClusterMetadata({
    connections,
    bootstrap,
    clock,
    random,
    requestTimeoutMs,
    maxAgeMs: config.getInt('metadata.max.age.ms'),
    retryBackoff: {
      firstMs: config.getInt('retry.backoff.ms'),
      maxMs: config.getInt('retry.backoff.max.ms'),
    },
  });
  return { clock, random, connections, metadata };
}
