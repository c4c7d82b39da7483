// Has the active controller decide, wherever it is, and then waits until this node's metadata shows it: whoever asks this node
// next must not be told the contrary.

import type { ControllerCommand, ResponseTo } from '@tidemark/controller';
import { type Failure, isFailure, type TopicId } from '@tidemark/core';
import type { NodeContext } from '../broker-context.ts';
import { timeoutOf } from './within-time.ts';

export async function decided<C extends ControllerCommand>(
  context: NodeContext,
  command: C,
  timeoutMs: number,
): Promise<ResponseTo<C> | Failure> {
  const { metadata, clock } = context;
  const limitMs = timeoutOf({ timeoutMs });
  const startedMs = clock.monotonicMs();
  const answer = await metadata.submit(command, limitMs);
  if (isFailure(answer) || metadata.isActive) return answer;
  // It is decided; that this node hears of it late is no reason to say otherwise.
  await metadata.readBarrier(Math.max(1, limitMs - (clock.monotonicMs() - startedMs)));
  return answer;
}

/** What became of each thing asked: why it was not put to the controller, why nothing was decided, or what was, in the order asked. */
export function inPlace<R>(
  asked: readonly object[],
  response: { readonly results: readonly R[] } | Failure,
): readonly (R | Failure)[] {
  let next = 0;
  return asked.map((each) =>
    isFailure(each) ? each : isFailure(response) ? response : response.results[next++]!,
  );
}

/** Resolves when what this broker hosts of the topics is open. */
export async function whenHosted(context: NodeContext, topics: readonly TopicId[]): Promise<void> {
  const { replicas } = context;
  if (replicas !== undefined) await Promise.all(topics.map((id) => replicas.whenHosted(id)));
}
