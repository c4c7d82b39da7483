// A deadline for the one message of a call that has one, and for the end behind it: grpc-js waits for both without end, and a peer that
// sends a byte at a time, or everything but the end, would hold a stream, and what it has sent so far, for as long as it likes. Streams
// of messages pass by untouched.

import { ServerInterceptingCall, ServerListenerBuilder, status, type ServerInterceptor } from '@grpc/grpc-js';

export function messageDeadline(timeoutMs: number): ServerInterceptor {
  return (method, call) => {
    // Not even a wrapper: their messages are the hot path. grpc-js asks for the class, and uses what the interface has.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- as above
    if (method.requestStream) return call as ServerInterceptingCall;
    let deadline: NodeJS.Timeout | undefined;
    const came = (): void => clearTimeout(deadline);
    const listener = new ServerListenerBuilder()
      .withOnReceiveHalfClose((next) => {
        came();
        next();
      })
      .withOnCancel(came)
      .build();
    return new ServerInterceptingCall(call, {
      start: (next) => {
        deadline = setTimeout(() => {
          call.sendStatus({
            code: status.DEADLINE_EXCEEDED,
            details: `the request did not come within ${timeoutMs} ms`,
          });
        }, timeoutMs);
        next(listener);
      },
    });
  };
}
