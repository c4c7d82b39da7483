// AdminService.UnregisterBroker: decided by the active controller, wherever it is.

import { isFailure, type BrokerId } from '@tidemark/core';
import type { UnregisterBrokerRequestOutput, UnregisterBrokerResponse } from '@tidemark/rpc';
import type { QuorumContext } from '../quorum-context.ts';
import { quorumError } from './controller-hint.ts';
import { timeoutOf } from './within-time.ts';

export async function unregisterBroker(
  context: QuorumContext,
  request: UnregisterBrokerRequestOutput,
): Promise<UnregisterBrokerResponse> {
  const brokerId = request.brokerId as BrokerId;
  const answer = await context.metadata.submit({ type: 'unregisterBroker', brokerId }, timeoutOf(request));
  return isFailure(answer) ? { error: quorumError(context, answer) } : {};
}
