// Ends a call at once, whatever is still to be sent. What grpc-js has for that, a status, goes out behind the messages before it, and so
// never to a peer that does not read; hence the stream is looked for in its private parts.

import { invariant } from '@tidemark/core';
import { constants } from 'node:http2';

interface InterceptingCall {
  readonly nextCall?: InterceptingCall;
  readonly stream?: { close(code: number): void };
}

/** `call`: as a handler was given it. Its client hears RESOURCE_EXHAUSTED, once it reads. */
export function resetCall(call: object): void {
  let inner = (call as { readonly call?: InterceptingCall }).call;
  while (inner?.nextCall !== undefined) inner = inner.nextCall;
  const stream = inner?.stream;
  invariant(stream !== undefined, 'grpc-js has an HTTP/2 stream under a call');
  stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
}
