// What an operating error of the metadata quorum looks like in an answer: with NOT_CONTROLLER it says where to go instead.

import { failure, type Failure } from '@tidemark/core';
import { failureDetail, type ControllerHint, type WireError } from '@tidemark/rpc';
import type { QuorumContext } from '../quorum-context.ts';
import { clientEndpoint } from './metadata-answers.ts';

/** The active controller's address of the listener the request came by, or of its first client listener. */
export function controllerHint({ metadata, listenerName }: QuorumContext): ControllerHint | undefined {
  const leader = metadata.quorum.leader;
  if (leader === undefined) return undefined;
  const broker = metadata.image.broker(leader.nodeId);
  const endpoint = broker === undefined ? undefined : clientEndpoint(broker, listenerName);
  return { leaderId: leader.nodeId, host: endpoint?.host ?? '', port: endpoint?.port ?? 0 };
}

export function quorumError(context: QuorumContext, reason: Failure): WireError {
  const detail = failureDetail(reason);
  if (reason.error !== 'NOT_CONTROLLER') return detail;
  const controller = controllerHint(context);
  return controller === undefined ? detail : { ...detail, controller };
}

/** For what only the active controller can answer. */
export function notController(context: QuorumContext): WireError {
  const { self, quorum } = context.metadata;
  const who =
    quorum.leader === undefined
      ? 'and knows of none: a majority of the voters must be up'
      : `node ${quorum.leader.nodeId} is`;
  return quorumError(
    context,
    failure('NOT_CONTROLLER', `node ${self.nodeId} is not the active controller, ${who}`),
  );
}
