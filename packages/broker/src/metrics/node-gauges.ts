// This node alone: is it fit to serve, what it leads and holds, how full its memory and its disk are.

import { statfs } from 'node:fs/promises';
import type { NodeContext } from '../broker-context.ts';
import type { ReceiveMemories } from '../listeners.ts';
import type { Readiness } from '../readiness.ts';
import { one, type AddGauge } from './gauge.ts';
import { followerLag } from './partition-metrics.ts';

export interface NodeGaugeSources {
  readonly context: NodeContext;
  readonly readiness: Readiness;
  readonly connections: () => number;
  readonly received: ReceiveMemories;
  /** `log.dirs`, absolute. */
  readonly folder: string;
}

export function addNodeGauges(add: AddGauge, sources: NodeGaugeSources): void {
  const { context, readiness, connections, folder, received } = sources;
  const { version, clusterId, self } = context;
  add(
    'tidemark_build_info',
    'Version of the process; always 1.',
    ['version', 'node_version', 'cluster_id', 'node_id'],
    () => [
      { labels: { version, node_version: process.version, cluster_id: clusterId, node_id: self }, value: 1 },
    ],
  );
  add('tidemark_ready', '1 when /readyz says ready.', [], () => one(readiness.ready ? 1 : 0));
  add('tidemark_connections', 'Open gRPC connections, of clients and other nodes.', [], () =>
    one(connections()),
  );
  add(
    'tidemark_request_bytes_arriving',
    'Bytes of requests that have come and that no handler has yet; at most queued.max.request.bytes of each.',
    ['of'],
    () => [
      { labels: { of: 'clients' }, value: received.CLIENT.usedBytes },
      { labels: { of: 'nodes' }, value: received.PEER.usedBytes },
    ],
  );
  add(
    'tidemark_requests_given_up',
    'Calls ended since the start because too much was arriving, and most of it in them.',
    ['of'],
    () => [
      { labels: { of: 'clients' }, value: received.CLIENT.givenUpCount },
      { labels: { of: 'nodes' }, value: received.PEER.givenUpCount },
    ],
  );
  add(
    'tidemark_disk_free_bytes',
    'Bytes this user may still write to the disk of log.dirs.',
    [],
    async () => {
      const { bavail, bsize } = await statfs(folder);
      return one(bavail * bsize);
    },
  );
  add('tidemark_disk_size_bytes', 'Bytes of the disk of log.dirs.', [], async () => {
    const { blocks, bsize } = await statfs(folder);
    return one(blocks * bsize);
  });
  if (context.replicas !== undefined) addReplicaGauges(add, context.replicas, context);
}

function addReplicaGauges(
  add: AddGauge,
  replicas: NonNullable<NodeContext['replicas']>,
  { config }: NodeContext,
): void {
  const all = () => replicas.describeReplicas();
  add('tidemark_hosted_partitions', 'Replicas on this node.', [], () => one(all().length));
  add('tidemark_leader_partitions', 'Partitions led by this node.', [], () =>
    one(all().filter(({ isLeader }) => isLeader).length),
  );
  add('tidemark_log_size_bytes', 'Bytes of all partitions on this node.', [], () =>
    one(all().reduce((sum, each) => sum + each.sizeBytes, 0)),
  );
  add('tidemark_log_segments', 'Segments of all partitions on this node.', [], () =>
    one(all().reduce((sum, each) => sum + each.segmentCount, 0)),
  );
  add(
    'tidemark_max_follower_lag_records',
    'The furthest any follower is behind a partition led here.',
    [],
    () => one(all().reduce((most, each) => Math.max(most, followerLag(each)), 0)),
  );
  add('tidemark_request_bytes_in_flight', 'Produce bytes taken and not yet done with.', [], () =>
    one(replicas.requestBudget.usedBytes),
  );
  add('tidemark_request_bytes_limit', 'queued.max.request.bytes.', [], () =>
    one(config.get('queued.max.request.bytes')),
  );
  add('tidemark_response_bytes_in_flight', 'Fetched bytes not yet sent.', [], () =>
    one(replicas.responseBudget.usedBytes),
  );
  add('tidemark_response_bytes_limit', 'queued.max.response.bytes.', [], () =>
    one(config.get('queued.max.response.bytes')),
  );
  add('tidemark_memory_waiters', 'Requests and fetches that wait for memory.', ['of'], () => [
    { labels: { of: 'request' }, value: replicas.requestBudget.waiterCount },
    { labels: { of: 'response' }, value: replicas.responseBudget.waiterCount },
  ]);
  add('tidemark_waiting_fetches', 'Long polls that wait.', [], () => one(replicas.waitingFetches));
  add('tidemark_log_tail_bytes', 'Newest batches held in memory for readers.', [], () =>
    one(replicas.logMemory.tailBytes),
  );
  add('tidemark_log_pending_bytes', 'Bytes taken by logs and not yet written.', [], () =>
    one(replicas.logMemory.pendingBytes),
  );
}
