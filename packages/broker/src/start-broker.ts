// The composition root: puts one node together in the order in which its parts may rely on each other, and takes it apart in the
// reverse. Whoever calls this owns the process: nothing here reads the environment, sets exit codes or listens for signals.
//
// Order of starting: bind ports -> check whose folder it is -> lock and recover it -> serve peers -> join the quorum and replay the
// metadata -> as a broker: register (fenced, with the ports) -> open the partitions -> heartbeat, until the controller unfences
// it, so that leaders are elected only where the logs are open -> serve clients. Order of closing: hand over what is led -> refuse ->
// answer what is under way -> partitions -> metadata -> folder, whose last act is the clean-shutdown marker.

import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import type { BrokerConfig, BrokerId, Clock, Disk, KeyValueStore, Prng } from '@tidemark/core';
import type { Tracer } from '@opentelemetry/api';
import { HealthRegistry } from '@tidemark/rpc';
import type { Logger } from 'pino';
import type { BrokerContext, NodeContext } from './broker-context.ts';
import { FailureSignal } from './failure-signal.ts';
import { forwardedReads } from './handlers/forwarded-reads.ts';
import { Listeners } from './listeners.ts';
import { createLogger } from './logger.ts';
import { warnOfMemory } from './memory-sizing.ts';
import { MetricsPage } from './metrics/metrics-page.ts';
import { ReplicationMetrics } from './metrics/replication-metrics.ts';
import { RequestMetrics } from './metrics/request-metrics.ts';
import { StorageMetrics } from './metrics/storage-metrics.ts';
import { NodeClock } from './node-clock.ts';
import { NodeDisk } from './node-disk.ts';
import { NodePrng } from './node-prng.ts';
import { levelStoreAt } from './open-metadata.ts';
import { openNode, type OpenNode } from './open-node.ts';
import { ClientQuotas } from './quotas/client-quotas.ts';
import { Readiness } from './readiness.ts';
import { authorizerOf, NodeSecurity, peersOnly } from './security/node-security.ts';
import { ServingWatch } from './serving-watch.ts';
import { clientServices, peerServices, PUBLIC_SERVICES } from './services.ts';
import { registeredTracer, Tracing } from './tracing.ts';
import { VERSION } from './version.ts';

export interface BrokerOptions {
  readonly config: BrokerConfig;
  /** Where the node logs; JSON lines on stderr at `logging.level` if absent. */
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly prng?: Prng;
  /** Whoever wants spans; the one registered with OpenTelemetry's API if absent. */
  readonly tracer?: Tracer;
  /** The disk under a folder; the real file system if absent. */
  readonly diskAt?: (folder: string) => Disk;
  /** The metadata store in a folder; LevelDB if absent. */
  readonly storeAt?: (folder: string) => Promise<KeyValueStore>;
}

export interface RunningBroker {
  readonly nodeId: BrokerId;
  readonly clusterId: string;
  /** Bound ports by listener name: CLIENT, PEER, HTTP. */
  readonly ports: ReadonlyMap<string, number>;
  /** `host:port` by listener name. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Resolves with the cause when the node cannot go on: a bug, or a failed disk. Then it must be closed, and the process end. */
  readonly failed: Promise<unknown>;
  /** Finishes what is under way, flushes, and leaves the folder cleanly. `graceMs`: how long calls may take to finish. */
  close(graceMs?: number): Promise<void>;
}

const DEFAULT_GRACE_MS = 5_000;
/** How long a leader of the quorum that shuts down waits for another to take over. */
const TRANSFER_MS = 1_000;

/** Starts a node. Throws `StartupError` when it should not start; then nothing was changed and nothing is left open. */
export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { config } = options;
  const clock = options.clock ?? new NodeClock();
  const prng = options.prng ?? new NodePrng();
  const log = options.log ?? createLogger(config.get('logging.level'), { node: config.get('node.id') });
  const health = new HealthRegistry();
  for (const service of ['', ...PUBLIC_SERVICES]) health.set(service, 'NOT_SERVING');
  const readiness = new Readiness(health);
  readiness.block('starting', 'the node is starting');
  let page: MetricsPage | undefined;
  const requests = new RequestMetrics();
  warnOfMemory(config, log);
  const listeners = await Listeners.bind({
    ...{ config, clock, log, metrics: requests.security },
    http: {
      readiness,
      metrics: () => page?.render() ?? Promise.resolve({ contentType: 'text/plain', text: '# starting\n' }),
      onError: (cause) => log.error({ err: cause }, 'an HTTP request failed'),
    },
  });
  const failure = new FailureSignal(log);
  try {
    const storage = new StorageMetrics();
    const replication = new ReplicationMetrics();
    const tracing = new Tracing(() => options.tracer ?? registeredTracer(), clock);
    const diskAt =
      options.diskAt ??
      ((folder: string) => new NodeDisk(folder, (durationMs) => storage.fsync.observe(durationMs)));
    const storeAt = options.storeAt ?? levelStoreAt;
    const node = await openNode({
      ...{
        config,
        clock,
        prng,
        diskAt,
        storeAt,
        log,
        failure,
        listeners,
        observer: tracing.beside(replication),
      },
      onStage: (stage) => readiness.block('starting', stage),
      servePeers: (network) =>
        listeners.serve('PEER', (_listener, connectionOf) =>
          peersOnly(peerServices(network, health), connectionOf, { config, clock, log, metrics: requests }),
        ),
    });
    const { broker, metadata } = node;
    const closing = new AbortController();
    setMaxListeners(0, closing.signal);
    const context = contextOf(node, {
      ...{ config, clock, tracing, log, metrics: requests },
      closing: closing.signal,
      onFatal: (cause) => failure.raise(cause, 'a bug was met; the process ends'),
    });
    metadata.serveForwarded(forwardedReads(context));
    page = new MetricsPage({
      ...{ context, readiness, storage, replication, network: node.network },
      connections: () => listeners.connectionCount,
      received: listeners.received,
      folder: resolve(config.get('log.dirs')[0]!),
    });
    const security = new NodeSecurity(context);
    security.serve(listeners, context, (own) => clientServices(own, health));
    const serving = new ServingWatch({ clock, config, readiness, metadata, lifecycle: broker?.lifecycle });
    readiness.clear('starting');
    let closed: Promise<void> | undefined;
    const close = async (graceMs: number): Promise<void> => {
      serving.close();
      readiness.block('draining', 'the node is shutting down');
      // A node that failed has nothing more to say, and nobody would hear of what it leads from it.
      if (broker !== undefined && config.get('controlled.shutdown.enable') && !failure.isRaised) {
        const isControlled = await broker.lifecycle.shutDown(config.get('controlled.shutdown.timeout.ms'));
        if (!isControlled) log.warn('the controller did not take over what this broker leads in time');
      }
      health.close();
      closing.abort();
      security.close();
      // Members that wait for a rebalance would wait longer than calls may take to finish.
      await broker?.groups.close();
      broker?.replicas.drain();
      await listeners.closeClients(graceMs);
      // The others need not find out by themselves.
      if (metadata.isActive && metadata.quorum.voters.length > 1 && !failure.isRaised) {
        await metadata.transferLeadership(undefined, TRANSFER_MS);
      }
      await node.close();
      page?.close();
      await listeners.close(0);
    };
    return {
      nodeId: node.self,
      clusterId: node.clusterId,
      ports: listeners.ports,
      addresses: listeners.addresses,
      failed: failure.raised,
      close: (graceMs = DEFAULT_GRACE_MS) => (closed ??= close(graceMs)),
    };
  } catch (thrown) {
    await listeners.close(0);
    throw thrown;
  }
}

type OwnContext = Pick<
  NodeContext,
  'config' | 'clock' | 'tracing' | 'log' | 'metrics' | 'closing' | 'onFatal'
>;

/** What handlers are given. */
function contextOf(node: OpenNode, own: OwnContext): NodeContext | BrokerContext {
  const { self, clusterId, metadata, codecs, broker } = node;
  const { config, clock, metrics } = own;
  const shared: NodeContext = {
    ...own,
    ...{ self, clusterId, metadata },
    replicas: undefined,
    authorizer: authorizerOf({ config, metadata }),
    quotas: new ClientQuotas(clock, () => metadata.image.access, metrics.security),
    version: VERSION,
    listenerName: 'CLIENT',
  };
  if (broker === undefined) return shared;
  const { replicas, producerIds, groups, offsetsTopic } = broker;
  return { ...shared, codecs, replicas, producerIds, groups, offsetsTopic };
}
