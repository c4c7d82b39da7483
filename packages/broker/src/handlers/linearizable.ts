// Reads that see every change that was acknowledged before they were asked, on whichever node they are asked (read index, Raft
// thesis 6.4). A request that says `allow_stale` does without.

import { type Failure, isFailure } from '@tidemark/core';
import type { DescribeConfigsRequestOutput, DescribeConfigsResponse, WireError } from '@tidemark/rpc';
import type { QuorumContext } from '../quorum-context.ts';
import { quorumError } from './controller-hint.ts';
import { timeoutOf } from './within-time.ts';

/** Waits until this node's metadata is as new as the quorum's, unless stale will do. Answers why it could not. */
export async function whenCurrent(
  context: QuorumContext,
  request: { readonly allowStale: boolean; readonly timeoutMs: number },
): Promise<WireError | undefined> {
  if (request.allowStale) return undefined;
  const barrier: { readonly ok: true } | Failure = await context.metadata.readBarrier(timeoutOf(request));
  return isFailure(barrier) ? quorumError(context, barrier) : undefined;
}

/** DescribeConfigs behind a read barrier; when that fails each resource is answered with the reason. */
export function describeConfigsWhenCurrent<Context extends QuorumContext>(
  describe: (context: Context, request: DescribeConfigsRequestOutput) => DescribeConfigsResponse,
): (context: Context, request: DescribeConfigsRequestOutput) => Promise<DescribeConfigsResponse> {
  return async (context, request) => {
    const error = await whenCurrent(context, { allowStale: request.allowStale, timeoutMs: 0 });
    if (error === undefined) return describe(context, request);
    return { results: request.resources.map((resource) => ({ resource, error })) };
  };
}
