// ClusterService.DescribeClusterHealth. Only the active controller sees everything; where none is known any node says that much.

import type { DescribeClusterHealthRequestOutput, DescribeClusterHealthResponse } from '@tidemark/rpc';
import type { QuorumContext } from '../quorum-context.ts';
import { healthReasons } from './cluster-health.ts';
import { notController } from './controller-hint.ts';
import { leads } from './describe-quorum.ts';
import { whenCurrent } from './linearizable.ts';

export async function describeClusterHealth(
  context: QuorumContext,
  request: DescribeClusterHealthRequestOutput,
): Promise<DescribeClusterHealthResponse> {
  if (!mayAnswer(context, request)) return { error: notController(context) };
  // A leader that has lost its majority and does not know it yet finds out here; then it is no leader any more, or says why.
  if (leads(context)) {
    const error = await whenCurrent(context, request);
    if (error !== undefined) return { error };
    if (!mayAnswer(context, request)) return { error: notController(context) };
  }
  const { metadata, config } = context;
  const { self, image, quorum } = metadata;
  const reasons = healthReasons({ self, image, quorum, config });
  return {
    healthy: reasons.length === 0,
    reasons: reasons.map(({ severity, ...rest }) => ({
      severity: severity === 'critical' ? 'HEALTH_SEVERITY_CRITICAL' : 'HEALTH_SEVERITY_WARNING',
      ...rest,
    })),
    complete: leads(context),
    nodeId: self.nodeId,
    controllerId: quorum.leader?.nodeId ?? -1,
    metadataOffset: image.offset,
  };
}

function mayAnswer(context: QuorumContext, { allowStale }: { readonly allowStale: boolean }): boolean {
  return allowStale || leads(context) || context.metadata.quorum.leader === undefined;
}
