import { EventEmitter } from 'node:events';
import { constants } from 'node:http2';
import { expect } from 'chai';
import { status } from '@grpc/grpc-js';
import { SimClock } from '@tidemark/simulation';
import { OpenStreams } from '../src/security/open-streams.ts';
import type { AnyCall } from '../src/security/gated-services.ts';
import type { TokenSession, TokenSessions } from '../src/security/token-sessions.ts';

describe('streams of a session that is over', () => {
  const session = {} as TokenSession;
  let isGood: boolean;
  let clock: SimClock;
  let streams: OpenStreams;
  const told: unknown[] = [];
  const resets: number[] = [];

  /** Of a call, what is used of it. */
  const watched = (): EventEmitter => {
    const call = new EventEmitter();
    call.on('error', ({ code }: { code: number }) => told.push(code));
    Object.assign(call, { call: { stream: { close: (code: number) => resets.push(code) } } });
    streams.watch(call as unknown as AnyCall, session);
    return call;
  };

  beforeEach(() => {
    isGood = true;
    clock = new SimClock();
    streams = new OpenStreams(clock, { isGood: () => isGood } as unknown as TokenSessions);
    told.length = 0;
    resets.length = 0;
  });
  afterEach(() => {
    streams.close();
  });

  it('are told so, once, and end', async () => {
    const call = watched();
    await clock.advance(5_000);
    expect(told).to.deep.equal([]);
    isGood = false;
    await clock.advance(1_000);
    expect(told).to.deep.equal([status.UNAUTHENTICATED]);
    call.emit('cancelled');
    await clock.advance(5_000);
    expect([told.length, resets]).to.deep.equal([1, []]);
  });

  it('are reset when the answer waits behind what the client does not read', async () => {
    watched();
    isGood = false;
    await clock.advance(2_000);
    expect(told).to.deep.equal([status.UNAUTHENTICATED]);
    expect(resets).to.deep.equal([constants.NGHTTP2_ENHANCE_YOUR_CALM]);
    await clock.advance(5_000);
    expect([told.length, resets.length]).to.deep.equal([1, 1]);
  });
});
