import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { createGunzip, gzipSync, type Gunzip } from 'node:zlib';
import { expect } from 'chai';
import { status } from '@grpc/grpc-js';
import {
  defaultGrpcLimits,
  GrpcListener,
  HealthRegistry,
  ReceiveMemory,
  healthHandlers,
  healthService,
  reflectionHandlers,
  type GrpcLimits,
} from '@tidemark/rpc';

/** Counts what every inflater of this process puts out, and says when the last of them has ended. */
function countInflated(): { bytes(): number; idle(): Promise<void>; stop(): void } {
  const prototype = Object.getPrototypeOf(createGunzip()) as Pick<Gunzip, 'push'>;
  const inflaters = new Set<Gunzip>();
  const { push } = prototype;
  let bytes = 0;
  prototype.push = function (this: Gunzip, part: Buffer | null) {
    inflaters.add(this);
    bytes += part?.length ?? 0;
    return push.call(this, part);
  };
  return {
    bytes: () => bytes,
    idle: async () => {
      while ([...inflaters].some((each) => !each.destroyed)) await new Promise(setImmediate);
    },
    stop: () => {
      prototype.push = push;
    },
  };
}

describe('a listener under pressure', () => {
  let listener: GrpcListener | undefined;
  let port: number;
  const sockets: Socket[] = [];

  const start = async (limits: Partial<GrpcLimits>, received?: ReceiveMemory): Promise<void> => {
    listener = new GrpcListener({ ...defaultGrpcLimits, ...limits }, undefined, received);
    port = await listener.listen('127.0.0.1', 0);
    const health = new HealthRegistry();
    health.set('', 'SERVING');
    listener.serve([healthHandlers(health), ...reflectionHandlers(() => [])]);
  };
  const open = (localAddress = '127.0.0.1'): Socket => {
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    socket.on('error', () => undefined);
    // Only who reads hears that it was closed.
    socket.resume();
    sockets.push(socket);
    return socket;
  };

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await listener?.close(0);
  });

  it('closes a connection above the limit of its address, and counts others apart', async () => {
    await start({ maxConnectionsPerIp: 2 });
    const first = open('127.0.0.2');
    await once(first, 'connect');
    const second = open('127.0.0.2');
    await once(second, 'connect');
    await once(open('127.0.0.2'), 'close');
    const other = open('127.0.0.3');
    await once(other, 'connect');
    first.destroy();
    while (listener!.connectionCount > 2) await new Promise(setImmediate);
    const again = open('127.0.0.2');
    await once(again, 'connect');
    // Still there when the one from elsewhere has been answered.
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await once(session, 'remoteSettings');
    session.destroy();
    expect(again.destroyed).to.equal(false);
  });

  it('closes a connection that nobody uses', async () => {
    await start({ maxIdleMs: 100 });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await once(session, 'remoteSettings');
    await once(session, 'close');
  });

  it('closes a connection that says nothing, or something else', async () => {
    await start({ beginTimeoutMs: 50 });
    const silent = open();
    const brief = open();
    brief.write('PRI * HT');
    await Promise.all([once(silent, 'close'), once(brief, 'close')]);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await once(session, 'remoteSettings');
    const stream = session.request({
      ':method': 'POST',
      ':path': healthService.Check.path,
      'content-type': 'application/grpc',
    });
    stream.resume();
    // Declares a message and does not send it.
    stream.write(Buffer.from([0, 0, 0, 1, 0, 1]));
    // Without a message before it, the status is in the headers.
    const [headers] = (await once(stream, 'response')) as [Record<string, string>];
    expect(Number(headers['grpc-status'])).to.equal(status.DEADLINE_EXCEEDED);
    expect(session.destroyed).to.equal(false);
    session.destroy();
  });

  it('gives up the call that holds the most when too much is arriving, and goes on with the others', async () => {
    const received = new ReceiveMemory(1_000_000);
    await start({}, received);
    const ask = (session: ClientHttp2Session): ClientHttp2Stream => {
      const stream = session.request({
        ':method': 'POST',
        ':path': healthService.Check.path,
        'content-type': 'application/grpc',
      });
      stream.on('error', () => undefined);
      return stream;
    };
    const sessions = [connectHttp2(`http://127.0.0.1:${port}`), connectHttp2(`http://127.0.0.1:${port}`)];
    const [greedy, modest] = sessions.map(ask);
    // Both are half a message; one is larger.
    const declared = (length: number): Buffer =>
      Buffer.from([0, 0, length >> 16, (length >> 8) & 255, length & 255]);
    modest!.write(Buffer.concat([declared(200_000), Buffer.alloc(100_000)]));
    while (received.usedBytes < 100_000) await new Promise(setImmediate);
    greedy!.write(Buffer.concat([declared(0xff_ffff), Buffer.alloc(1_040_000)]));
    const [headers] = (await once(greedy!, 'response')) as [Record<string, string>];
    expect(Number(headers['grpc-status'])).to.equal(status.RESOURCE_EXHAUSTED);
    expect(received.givenUpCount).to.equal(1);
    expect(received.usedBytes).to.be.within(100_000, 200_005);
    expect(modest!.closed).to.equal(false);
    // And a whole one is answered beside it, and leaves nothing behind.
    const whole = ask(sessions[1]!);
    whole.end(Buffer.alloc(5));
    const [answer] = (await once(whole, 'response')) as [Record<string, string>];
    expect(answer[':status']).to.equal(200);
    for (const session of sessions) session.destroy();
    while (received.usedBytes > 0) await new Promise(setImmediate);
  });

  it('ends a call whose message came and whose end does not, and counts the message until then', async () => {
    const received = new ReceiveMemory(1_000_000);
    await start({ beginTimeoutMs: 200 }, received);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': healthService.Check.path,
      'content-type': 'application/grpc',
    });
    stream.resume();
    const answered = once(stream, 'response') as Promise<[Record<string, string>]>;
    const message = Buffer.alloc(5 + 60_000);
    message.writeUInt32BE(60_000, 1);
    // A field that nobody knows, as long as the rest.
    message.set([0xfa, 0x01, 0xdb, 0xd4, 0x03], 5);
    // All of it, and no END_STREAM: nobody may answer yet.
    stream.write(message);
    while (received.usedBytes < message.length) await new Promise(setImmediate);
    const [headers] = await answered;
    expect(Number(headers['grpc-status'])).to.equal(status.DEADLINE_EXCEEDED);
    expect(received.usedBytes).to.equal(0);
    session.destroy();
  });

  it('counts what a message is inflated to', async () => {
    const received = new ReceiveMemory(1_000_000);
    await start({}, received);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': healthService.Check.path,
      'content-type': 'application/grpc',
      'grpc-encoding': 'gzip',
    });
    stream.on('error', () => undefined);
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const head = Buffer.from([1, 0, 0, 0, 0]);
    head.writeUInt32BE(bomb.length, 1);
    stream.end(Buffer.concat([head, bomb]));
    const [headers] = (await once(stream, 'response')) as [Record<string, string>];
    expect(Number(headers['grpc-status'])).to.equal(status.RESOURCE_EXHAUSTED);
    expect([received.givenUpCount, received.usedBytes]).to.deep.equal([1, 0]);
    session.destroy();
  });

  it('stops inflating every message of a call that it gives up, not the last alone', async () => {
    const limitBytes = 1_000_000;
    const received = new ReceiveMemory(limitBytes);
    await start({}, received);
    const counted = countInflated();
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      'content-type': 'application/grpc',
      'grpc-encoding': 'gzip',
    });
    stream.on('error', () => undefined);
    const packed = (plain: Buffer): Buffer => {
      const bytes = gzipSync(plain);
      const head = Buffer.from([1, 0, 0, 0, 0]);
      head.writeUInt32BE(bytes.length, 1);
      return Buffer.concat([head, bytes]);
    };
    try {
      // In one frame: the large one is being inflated while the small ones begin, and end.
      const small = packed(Buffer.alloc(0));
      stream.end(Buffer.concat([packed(Buffer.alloc(10_000_000)), small, small]));
      const [headers] = (await once(stream, 'response')) as [Record<string, string>];
      expect(Number(headers['grpc-status'])).to.equal(status.RESOURCE_EXHAUSTED);
      await counted.idle();
      expect(counted.bytes()).to.be.below(limitBytes + 100_000);
      expect(received.usedBytes).to.equal(0);
    } finally {
      counted.stop();
      session.destroy();
    }
  });

  it('closes a connection whose message comes in crumbs', async () => {
    await start({});
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    const stream = session.request({
      ':method': 'POST',
      ':path': healthService.Check.path,
      'content-type': 'application/grpc',
    });
    stream.on('error', () => undefined);
    const closed = once(session, 'close');
    stream.write(Buffer.from([0, 0, 0x10, 0, 0]));
    while (!session.destroyed) await new Promise((resolve) => stream.write(Buffer.alloc(1), resolve));
    await closed;
  });
});
