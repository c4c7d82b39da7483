// The metadata quorum as this node sees it. Names of our own: Kafka's are JMX beans.

import type { NodeContext } from '../broker-context.ts';
import { one, type AddGauge } from './gauge.ts';

export function addQuorumGauges(add: AddGauge, { metadata, self }: NodeContext): void {
  add('tidemark_quorum_term', 'Term of the metadata quorum.', [], () => one(metadata.term));
  add('tidemark_quorum_leader_id', 'Node that leads the metadata quorum; -1 when none is known.', [], () =>
    one(metadata.leader?.nodeId ?? -1),
  );
  add('tidemark_quorum_voters', 'Voters of the metadata quorum.', [], () =>
    one(metadata.quorum.voters.length),
  );
  add('tidemark_active_controller', '1 on the active controller.', [], () => one(metadata.isActive ? 1 : 0));
  add('tidemark_metadata_commit_offset', 'End of what is committed, as far as this node knows.', [], () =>
    one(metadata.quorum.commitOffset),
  );
  add('tidemark_metadata_applied_offset', 'End of what this node has applied.', [], () =>
    one(metadata.appliedOffset),
  );
  add('tidemark_metadata_snapshot_offset', 'End of what is in the stored image.', [], () =>
    one(metadata.quorum.snapshotOffset),
  );
  add('tidemark_metadata_lag_records', 'Committed metadata records this node has not applied.', [], () =>
    one(Math.max(0, metadata.quorum.commitOffset - metadata.appliedOffset)),
  );
  add(
    'tidemark_quorum_replica_lag_records',
    'Metadata records a replica lacks, as the leader of the quorum knows it; told by the leader.',
    ['node', 'votes'],
    function* () {
      const { logEndOffset, replicas } = metadata.quorum;
      for (const { key, isVoter, matchOffset } of replicas) {
        if (key.nodeId === (self as number)) continue;
        const labels = { node: key.nodeId, votes: String(isVoter) };
        yield { labels, value: Math.max(0, logEndOffset - Math.max(0, matchOffset)) };
      }
    },
  );
}
