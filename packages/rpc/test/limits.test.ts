import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { status } from '@grpc/grpc-js';
import {
  defaultGrpcLimits,
  GrpcListener,
  HealthRegistry,
  healthHandlers,
  healthService,
  type GrpcLimits,
} from '@tidemark/rpc';

describe('a listener under pressure', () => {
  let listener: GrpcListener | undefined;
  let port: number;
  const sockets: Socket[] = [];

  const start = async (limits: Partial<GrpcLimits>): Promise<void> => {
    listener = new GrpcListener({ ...defaultGrpcLimits, ...limits });
    port = await listener.listen('127.0.0.1', 0);
    const health = new HealthRegistry();
    health.set('', 'SERVING');
    listener.serve([healthHandlers(health)]);
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
});
