// ClusterService.WatchMetadata: the metadata asked for, and again whenever it changes. A watcher that is slow gets the latest
// state when it is ready and not every state between: at most one message is under way to it. A broker that has lost the controller
// has no news for anybody: it ends the watch with UNAVAILABLE, and refuses others, so that clients watch another broker. What it
// knows it still answers to GetMetadata: without any controller that is what clients have.

import { status, type ServerWritableStream } from '@grpc/grpc-js';
import {
  MalformedRequest,
  UndecodableRequest,
  type WatchMetadataRequestOutput,
  type WatchMetadataResponse,
} from '@tidemark/rpc';
import type { NodeContext } from '../broker-context.ts';
import { callEnded, endWhenClosing, endWith, writeMessage } from '../grpc-call.ts';
import { topicPermission } from '../security/topic-permission.ts';
import { metadataAnswer } from './metadata-answers.ts';

type Call = ServerWritableStream<WatchMetadataRequestOutput | UndecodableRequest, WatchMetadataResponse>;

const controllerOf = ({ metadata }: NodeContext): number => metadata.leader?.nodeId ?? -1;

export function watchMetadata(context: NodeContext): (call: Call) => void {
  const metrics = context.metrics.rpc('WatchMetadata');
  return (call) => {
    const { request } = call;
    if (request instanceof UndecodableRequest) {
      endWith(context, call, new MalformedRequest(request.reason));
      return;
    }
    const ended = callEnded(call);
    endWhenClosing(context, call, ended);
    metrics.streams += 1;
    const permission = topicPermission(context, call, 'describe');
    const { replicas } = context;
    const endIsolated = (): void => {
      const details = 'this broker has not heard the controller for as long as a session: watch another one';
      if (!call.cancelled) call.emit('error', { code: status.UNAVAILABLE, details });
    };
    const stopIsolated = replicas?.onIsolated(endIsolated);
    let over = false;
    let sending = false;
    let shown = '';
    let controllerId = -1;
    const show = async (): Promise<void> => {
      if (sending) return;
      sending = true;
      while (!over) {
        const metadata = metadataAnswer(context, request, permission);
        // The offset moves with every change in the cluster; only what was asked for is news.
        const seen = JSON.stringify({ ...metadata, metadataOffset: 0 });
        if (seen === shown) break;
        shown = seen;
        controllerId = metadata.controllerId ?? -1;
        await writeMessage(call, { metadata });
      }
      sending = false;
    };
    const changed = (): void => {
      show().catch((thrown: unknown) => endWith(context, call, thrown));
    };
    const stop = context.metadata.onImage((image, previous) => {
      const { parts } = image;
      // ACLs decide what is shown.
      const isSame =
        parts.topics === previous.parts.topics &&
        parts.brokers === previous.parts.brokers &&
        parts.access.acls === previous.parts.access.acls;
      // Offsets of producers' ids, quotas and the like: nobody's metadata.
      if (!isSame || controllerOf(context) !== controllerId) changed();
    });
    void ended.then(() => {
      over = true;
      metrics.streams -= 1;
      stop();
      stopIsolated?.();
    });
    if (replicas?.isIsolated === true) endIsolated();
    else changed();
  };
}
