// The thin shell around every handler: measures it, turns what it throws into a gRPC status, and hands bugs to the process.

import {
  status,
  type handleUnaryCall,
  type Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import { grpcStatus, MalformedRequest, UndecodableRequest } from '@tidemark/rpc';
import type { NodeContext } from './broker-context.ts';
import { requestIdOf } from './request-id.ts';
import { callerOf, type Caller } from './security/callers.ts';
import { traceParentOf } from './tracing.ts';

export interface UnaryCallInfo {
  /** Calls back once: when the answer is out or the client is gone. */
  onEnd(listener: () => void): void;
  /** The client cancelled or its connection broke before it was answered. */
  readonly cancelled: boolean;
  /** Where the client is: an address without the port. */
  readonly peerHost: string;
  /** Where the trace goes on that the call belongs to, as it was sent. */
  readonly traceParent: string | undefined;
  /** Undefined for a call that came by no gate. */
  readonly caller: Caller | undefined;
  /** For what is asked about a call by identity. */
  readonly call: object;
}

export type UnaryHandler<Context, Request, Response> = (
  context: Context,
  request: Request,
  call: UnaryCallInfo,
) => Promise<Response> | Response;

/** A status for what a handler threw. What is no operating error is a bug: the process is told, the client only how to ask for it. */
export function statusOf(
  context: NodeContext,
  thrown: unknown,
  metadata: Metadata,
): { readonly code: status; readonly details: string } {
  const known = grpcStatus(thrown);
  if (known !== undefined) return known;
  const requestId = requestIdOf(metadata);
  context.log.error({ requestId }, 'a request met a bug');
  context.onFatal(thrown);
  const details = `internal error; the log of this broker has the cause, under request id ${requestId}`;
  return { code: status.INTERNAL, details };
}

/** True when an answer carries an error for any of its items. */
function hasError(response: unknown): boolean {
  if (typeof response !== 'object' || response === null) return false;
  const { results, error } = response as { results?: readonly { error?: unknown }[]; error?: unknown };
  return error != null || (results?.some((each) => each.error != null) ?? false);
}

export function unary<Context extends NodeContext, Request, Response>(
  context: Context,
  name: string,
  handler: UnaryHandler<Context, Request, Response>,
): handleUnaryCall<Request, Response> {
  const metrics = context.metrics.rpc(name);
  return (call: ServerUnaryCall<Request, Response>, callback) => {
    const startedMs = context.clock.monotonicMs();
    const info: UnaryCallInfo = {
      // grpc-js says 'cancelled' at the end of every call, the answered ones too.
      onEnd: (listener) => {
        if (call.cancelled) listener();
        else call.once('cancelled', listener);
      },
      get cancelled() {
        return call.cancelled;
      },
      get peerHost() {
        const peer = call.getPeer();
        return peer.slice(0, Math.max(0, peer.lastIndexOf(':')));
      },
      get traceParent() {
        return traceParentOf(call.metadata);
      },
      caller: callerOf(call),
      call,
    };
    const observe = (failed: boolean): void => {
      const durationMs = context.clock.monotonicMs() - startedMs;
      metrics.observe(durationMs, failed);
      if (!context.log.isLevelEnabled('debug')) return;
      const requestId = requestIdOf(call.metadata);
      context.log.debug({ rpc: name, requestId, peer: call.getPeer(), durationMs, failed }, 'answered');
    };
    const answer = async (): Promise<void> => {
      try {
        const { request } = call;
        if (request instanceof UndecodableRequest) throw new MalformedRequest(request.reason);
        const response = await handler(context, request, info);
        observe(hasError(response));
        callback(null, response);
      } catch (thrown) {
        observe(true);
        callback(statusOf(context, thrown, call.metadata));
      }
    };
    void answer();
  };
}

type AnyStream = ServerDuplexStream<unknown, unknown> | ServerWritableStream<unknown, unknown>;

/** Ends a stream with the status of what was thrown. */
export function endWith(context: NodeContext, call: AnyStream, thrown: unknown): void {
  if (!call.cancelled) call.emit('error', statusOf(context, thrown, call.metadata));
}

/**
 * Writes one message and resolves when HTTP/2 has taken it, or when the call is over: grpc-js drops the callback of a write to a
 * call that ended meanwhile.
 */
export function writeMessage<Message>(
  call: Pick<AnyStream, 'once' | 'removeListener' | 'cancelled'> & {
    write(message: Message, flushed: () => void): boolean;
  },
  message: Message,
): Promise<void> {
  if (call.cancelled) return Promise.resolve();
  return new Promise<void>((resolve) => {
    // A race against one promise for the end of the call would leave a reaction on it for every message: a stream lasts for days.
    const done = (): void => {
      call.removeListener('cancelled', done);
      call.removeListener('close', done);
      resolve();
    };
    call.once('cancelled', done);
    call.once('close', done);
    call.write(message, done);
  });
}

/** Ends a stream because the node is going; the client finds another or comes again. */
export function endWhenClosing(
  context: NodeContext,
  call: AnyStream,
  ended: Promise<void>,
  before = noWork,
): void {
  const { closing } = context;
  const end = (): void => {
    void before().then(() => {
      if (!call.cancelled) {
        call.emit('error', { code: status.UNAVAILABLE, details: 'this broker is shutting down' });
      }
    });
  };
  if (closing.aborted) {
    end();
    return;
  }
  const ends = endsAt(closing);
  ends.add(end);
  void ended.then(() => ends.delete(end));
}

const streamEnds = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * What is done for the streams that are open when the node closes. One listener for all of them: an event target looks through its
 * listeners whenever one is added or removed, which somebody with ten thousand streams makes it do ten thousand times.
 */
function endsAt(closing: AbortSignal): Set<() => void> {
  const known = streamEnds.get(closing);
  if (known !== undefined) return known;
  const ends = new Set<() => void>();
  streamEnds.set(closing, ends);
  closing.addEventListener('abort', () => {
    for (const end of [...ends]) end();
  });
  return ends;
}

const noWork = (): Promise<void> => Promise.resolve();

/** Resolves when the call is over, however it ended. */
export function callEnded(call: AnyStream): Promise<void> {
  return new Promise((resolve) => {
    if (call.cancelled) resolve();
    call.once('cancelled', () => resolve());
    call.once('close', () => resolve());
  });
}
