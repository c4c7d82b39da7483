// What waits for other nodes, and what was not taken for them. A label for each node of the cluster this one has sent to.

import type { GrpcNetwork, PeerQueue } from '../grpc-network.ts';
import type { Exposition } from './exposition.ts';

export function writePeerMetrics(page: Exposition, network: Pick<GrpcNetwork, 'queues'>): void {
  const queues = network.queues();
  const rows = (name: string, value: (of: PeerQueue) => number): readonly string[] =>
    queues.map((each) => `${name}{peer="${each.peer}",lane="${each.lane}"} ${value(each)}`);
  const queued = 'tidemark_peer_queued_bytes';
  page.family(
    queued,
    'gauge',
    'Bytes that wait to be sent to a node: votes and requests (control), records (bulk).',
    rows(queued, ({ queuedBytes }) => queuedBytes),
  );
  const dropped = 'tidemark_peer_messages_dropped_total';
  page.family(
    dropped,
    'counter',
    'Messages not taken for a node: it had failed a moment before, or too much waited for it.',
    rows(dropped, (each) => each.dropped),
  );
}
