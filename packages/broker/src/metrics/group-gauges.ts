// Sums over the groups this broker coordinates; `consumer-group-metrics.ts` counts and shows the groups themselves.

import { isBrokerContext, type NodeContext } from '../broker-context.ts';
import { one, type AddGauge } from './gauge.ts';

export function addGroupGauges(add: AddGauge, context: NodeContext): void {
  if (!isBrokerContext(context)) return;
  const { groups } = context;
  add(
    'tidemark_group_partitions',
    'Partitions of __consumer_offsets this broker leads: loading, active, or failed (its log says why).',
    ['state'],
    function* () {
      const { loading, active, failed } = groups.status.partitions;
      for (const [state, value] of Object.entries({ loading, active, failed })) {
        yield { labels: { state }, value };
      }
    },
  );
  add('tidemark_group_waiting_requests', 'Requests that wait for a rebalance or for a commit.', [], () =>
    one(groups.status.waitingRequests),
  );
  add('tidemark_group_uncommitted_bytes', 'Bytes of groups that are written and not committed.', [], () =>
    one(groups.status.uncommittedBytes),
  );
}
