// ClusterService.WatchMetadata: the metadata asked for, and again whenever it changes. A watcher that is slow gets the latest
// state when it is ready and not every state between: at most one message is under way to it.

import type { ServerWritableStream } from '@grpc/grpc-js';
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
    let over = false;
    let sending = false;
    let shown = '';
    const show = async (): Promise<void> => {
      if (sending) return;
      sending = true;
      while (!over) {
        const metadata = metadataAnswer(context, request, permission);
        // The offset moves with every change in the cluster; only what was asked for is news.
        const seen = JSON.stringify({ ...metadata, metadataOffset: 0 });
        if (seen === shown) break;
        shown = seen;
        await writeMessage(call, { metadata });
      }
      sending = false;
    };
    const changed = (): void => {
      show().catch((thrown: unknown) => endWith(context, call, thrown));
    };
    const stop = context.metadata.onImage(changed);
    void ended.then(() => {
      over = true;
      metrics.streams -= 1;
      stop();
    });
    changed();
  };
}
