import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { TidemarkError } from '@tidemark/core';
import type { Clock, Timer } from '@tidemark/core';
import {
  Channel,
  clusterService,
  errorFromStatus,
  failureFromDetail,
  logService,
  nodeClock,
} from '@tidemark/rpc';

/** Node's time, but timers run only when the test says so. */
class HandClock implements Clock {
  readonly timers = new Set<{ readonly delayMs: number; readonly callback: () => void }>();

  wallMs(): number {
    return nodeClock.wallMs();
  }

  monotonicMs(): number {
    return nodeClock.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { delayMs, callback };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer) };
  }

  fire(delayMs: number): void {
    for (const timer of this.timers) {
      if (timer.delayMs !== delayMs) continue;
      this.timers.delete(timer);
      timer.callback();
    }
  }
}

async function rejection(promise: Promise<unknown>): Promise<TidemarkError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof TidemarkError) return error;
    throw error;
  }
  throw new Error('it was fulfilled');
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

interface Mute {
  readonly address: string;
  readonly port: number;
  readonly sockets: Socket[];
  /** Accepts no more; what it has accepted stays. */
  readonly stopListening: () => Promise<void>;
  readonly stop: () => void;
}

/** Accepts TCP and never says a word. */
async function startMute(port = 0): Promise<Mute> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const bound = (server.address() as AddressInfo).port;
  // Its callback waits for the sockets; the port is free at once.
  const stopListening = (): Promise<void> => {
    server.close();
    return new Promise((resolve) => setImmediate(resolve));
  };
  const stop = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { address: `127.0.0.1:${bound}`, port: bound, sockets, stopListening, stop };
}

describe('a channel', () => {
  const clock = new HandClock();
  const closing: (() => void)[] = [];
  const channelTo = (address: string): Channel => {
    const channel = new Channel(address, { clock, requestTimeoutMs: 3000, connectTimeoutMs: 700 });
    closing.push(() => channel.close());
    return channel;
  };
  afterEach(() => {
    for (const close of closing.splice(0).reverse()) close();
    expect(clock.timers.size, 'no timer outlives its channel').to.equal(0);
  });

  type Describe = 'answer' | 'hang' | 'refuse' | 'throttle';
  async function startServer(describe: Describe = 'answer', onPort = 0): Promise<string> {
    const server = new Server({ 'grpc.max_receive_message_length': 1_000 });
    server.addService(clusterService, {
      GetMetadata: () => undefined,
      WatchMetadata: () => undefined,
      DescribeCluster: (_call: unknown, callback: (error: object | null, answer?: object) => void) => {
        if (describe === 'answer') callback(null, { clusterId: 'c' });
        if (describe === 'throttle') callback({ code: status.RESOURCE_EXHAUSTED, details: 'come again' });
        if (describe === 'refuse') callback({ code: status.INVALID_ARGUMENT, details: 'no' });
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${onPort}`, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    closing.push(() => server.forceShutdown());
    return `127.0.0.1:${port}`;
  }

  it('answers what the server answers', async () => {
    const answer = await channelTo(await startServer()).unary(clusterService.DescribeCluster, {});
    expect(answer.clusterId).to.equal('c');
  });

  it('tells a message that is too large from a server that has no room at the moment', async () => {
    const topics = Array.from({ length: 100 }, (_, n) => ({ name: `a-topic-with-a-long-name-${n}` }));
    const tooLarge = channelTo(await startServer()).unary(clusterService.GetMetadata, { topics });
    const busy = channelTo(await startServer('throttle')).unary(clusterService.DescribeCluster, {});
    const errors = [await rejection(tooLarge), await rejection(busy)];
    expect(errors.map(({ error, retriable }) => [error, retriable])).to.deep.equal([
      ['MESSAGE_TOO_LARGE', false],
      ['THROTTLING_QUOTA_EXCEEDED', true],
    ]);
  });

  it('gives up a call at its deadline', async () => {
    const channel = channelTo(await startServer('hang'));
    const call = rejection(channel.unary(clusterService.DescribeCluster, {}));
    clock.fire(3000);
    const error = await call;
    expect([error.error, error.retriable]).to.deep.equal(['REQUEST_TIMED_OUT', true]);
    expect(error.message).to.match(/no answer to .*DescribeCluster in 3000 ms/);
  });

  it('says when nobody listens', async () => {
    const mute = await startMute();
    mute.stop();
    const error = await rejection(channelTo(mute.address).unary(clusterService.DescribeCluster, {}));
    expect(error.error).to.equal('NETWORK_EXCEPTION');
    expect(error.message).to.contain(mute.address);
  });

  it('keeps the server’s reason for refusing a call', async () => {
    const error = await rejection(
      channelTo(await startServer('refuse')).unary(clusterService.DescribeCluster, {}),
    );
    expect([error.error, error.retriable]).to.deep.equal(['INVALID_REQUEST', false]);
    expect(error.message).to.contain('no (gRPC INVALID_ARGUMENT)');
  });

  it('throws away a connection whose peer accepts and never speaks, and tries anew (grpc-node#2785)', async () => {
    const mute = await startMute();
    closing.push(mute.stop);
    const channel = channelTo(mute.address);
    const call = rejection(channel.unary(clusterService.DescribeCluster, {}));
    await until(() => mute.sockets.length === 1);
    clock.fire(700);
    expect((await call).error).to.equal('NETWORK_EXCEPTION');
    expect(channel.recreated).to.equal(1);
    const again = rejection(channel.unary(clusterService.DescribeCluster, {}));
    await until(() => mute.sockets.length === 2);
    clock.fire(3000);
    expect((await again).error).to.equal('REQUEST_TIMED_OUT');
  });

  it('tries anew, too, when the peer refused a connection before it fell silent', async () => {
    const gone = await startMute();
    gone.stop();
    const channel = channelTo(gone.address);
    const ask = (): Promise<TidemarkError> => rejection(channel.unary(clusterService.DescribeCluster, {}));
    expect((await ask()).error).to.equal('NETWORK_EXCEPTION');
    const mute = await startMute(gone.port);
    closing.push(mute.stop);
    await until(() => mute.sockets.length === 1);
    await mute.stopListening();
    await startServer('answer', gone.port);
    expect((await ask()).error, 'its attempt is stuck').to.equal('NETWORK_EXCEPTION');
    clock.fire(700);
    expect(channel.recreated).to.equal(1);
    expect((await channel.unary(clusterService.DescribeCluster, {})).clusterId).to.equal('c');
  });

  it('leaves a connection alone that came up in time', async () => {
    const channel = channelTo(await startServer());
    await channel.unary(clusterService.DescribeCluster, {});
    clock.fire(700);
    expect(channel.recreated).to.equal(0);
    expect((await channel.unary(clusterService.DescribeCluster, {})).clusterId).to.equal('c');
  });

  it('ends calls and streams when it is closed, and takes no more', async () => {
    const channel = channelTo(await startServer('hang'));
    const call = rejection(channel.unary(clusterService.DescribeCluster, {}));
    const stream = channel.stream(logService.ProduceStream);
    const ended = new Promise<unknown>((resolve) => stream.on('error', resolve));
    channel.close();
    expect(errorFromStatus(await ended, 'x').error).to.equal('NETWORK_EXCEPTION');
    expect((await call).error).to.equal('NETWORK_EXCEPTION');
    expect((await rejection(channel.unary(clusterService.DescribeCluster, {}))).message).to.contain(
      'is closed',
    );
    expect(() => channel.stream(logService.ProduceStream)).to.throw(/is closed/);
  });

  it('gives up a call when its signal says so', async () => {
    const channel = channelTo(await startServer('hang'));
    const stop = new AbortController();
    const call = channel.unary(clusterService.DescribeCluster, {}, { signal: stop.signal });
    stop.abort(new Error('enough'));
    expect(await call.catch((error: unknown) => String(error))).to.equal('Error: enough');
  });
});

describe('an error from the wire', () => {
  it('is the table’s, with the server’s words', () => {
    expect(failureFromDetail(null)).to.equal(undefined);
    const detail = { code: 6, name: 'NOT_LEADER_OR_FOLLOWER', message: 'broker 3 leads', retriable: true };
    expect(failureFromDetail(detail)).to.deep.equal({
      ok: false,
      error: 'NOT_LEADER_OR_FOLLOWER',
      message: 'broker 3 leads',
    });
  });

  it('keeps name and code when this version does not know them', () => {
    const detail = { code: 4711, name: 'TOO_MOIST', message: 'it drips', retriable: false };
    expect(failureFromDetail(detail)).to.deep.equal({
      ok: false,
      error: 'UNKNOWN_SERVER_ERROR',
      message: 'TOO_MOIST (code 4711): it drips',
    });
  });
});
