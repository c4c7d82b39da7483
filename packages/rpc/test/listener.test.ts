import { once } from 'node:events';
import { connect, Server } from 'node:net';
import { expect } from 'chai';
import { Client, credentials, status, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import {
  defaultGrpcLimits,
  GrpcListener,
  HealthRegistry,
  healthHandlers,
  healthService,
  reflectionHandlers,
  reflectionService,
  type ServerReflectionRequest,
  type ServerReflectionResponseOutput,
} from '@tidemark/rpc';

type Stream = ClientDuplexStream<ServerReflectionRequest, ServerReflectionResponseOutput>;

/** The TCP server that begins to listen meanwhile. */
async function listening(begin: () => Promise<unknown>): Promise<Server> {
  const prototype = Server.prototype as { listen: unknown };
  const { listen } = prototype;
  const found: Server[] = [];
  prototype.listen = function (this: Server, ...options: unknown[]) {
    found.push(this);
    return Reflect.apply(listen as () => Server, this, options) as Server;
  };
  try {
    await begin();
  } finally {
    prototype.listen = listen;
  }
  return found[0]!;
}

async function eventuallyConnected(listener: GrpcListener): Promise<void> {
  while (listener.connectionCount === 0) await new Promise(setImmediate);
}

describe('a listener', () => {
  let listener: GrpcListener;
  let client: Client;
  let health: HealthRegistry;
  let tcp: Server;
  let notAccepted: Error[];

  beforeEach(async () => {
    health = new HealthRegistry();
    health.set('', 'SERVING');
    notAccepted = [];
    listener = new GrpcListener(defaultGrpcLimits, undefined, undefined, (cause) => notAccepted.push(cause));
    let port = 0;
    tcp = await listening(async () => {
      port = await listener.listen('127.0.0.1', 0);
    });
    listener.serve([healthHandlers(health), ...reflectionHandlers(() => ['grpc.health.v1.Health'])]);
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  });

  afterEach(async () => {
    client.close();
    await listener.close(0);
  });

  const check = (service: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = healthService.Check;
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, (error, answer) => {
        if (error) reject(error);
        else resolve((answer as { status: string }).status);
      });
    });

  it('answers for a service whose name would not fit into a status', async () => {
    for (const name of ['x'.repeat(1_000_000), `${'x'.repeat(63)}\u{1f600}`]) {
      const error = await check(name).then(
        () => undefined,
        (each: unknown) => each as ServiceError,
      );
      expect(error?.code).to.equal(status.NOT_FOUND);
    }
  });

  it('goes on after a connection that it could not accept, and says why', async () => {
    // What Node does when the process is out of descriptors, or the kernel out of memory.
    const cause = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' });
    tcp.emit('error', cause);
    expect(notAccepted).to.deep.equal([cause]);
    expect(await check('')).to.equal('SERVING');
  });

  it('answers health checks, and NOT_FOUND for a service nobody registered', async () => {
    expect(await check('')).to.equal('SERVING');
    health.set('', 'NOT_SERVING');
    expect(await check('')).to.equal('NOT_SERVING');
    const error = await check('no.such.Service').then(
      () => undefined,
      (each: unknown) => each as ServiceError,
    );
    expect(error?.code).to.equal(status.NOT_FOUND);
  });

  it('tells a watcher every change, and of a service that appears later', async () => {
    const { path, requestSerialize, responseDeserialize } = healthService.Watch;
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
      service: 'late',
    });
    call.on('error', () => undefined);
    const messages = call[Symbol.asyncIterator]() as AsyncIterator<{ status: string }>;
    const next = async (): Promise<string | undefined> =>
      ((await messages.next()).value as { status: string }).status;
    expect(await next()).to.equal('SERVICE_UNKNOWN');
    health.set('late', 'SERVING');
    expect(await next()).to.equal('SERVING');
    health.setAll('NOT_SERVING');
    expect(await next()).to.equal('NOT_SERVING');
    call.cancel();
  });

  const reflect = async (
    call: Stream,
    request: ServerReflectionRequest,
  ): Promise<ServerReflectionResponseOutput> => {
    const answer = new Promise<ServerReflectionResponseOutput>((resolve, reject) => {
      call.once('data', resolve);
      call.once('error', reject);
    });
    call.write(request);
    return answer;
  };

  it('reflects its services and the raw descriptors, each file once a stream', async () => {
    const { path, requestSerialize, responseDeserialize } = reflectionService.ServerReflectionInfo;
    for (const name of [path, path.replace('.v1.', '.v1alpha.')]) {
      const call = client.makeBidiStreamRequest(name, requestSerialize, responseDeserialize);
      const listed = await reflect(call, { listServices: '' });
      expect(listed.listServicesResponse).to.deep.equal({ service: [{ name: 'grpc.health.v1.Health' }] });
      const files = async (request: ServerReflectionRequest): Promise<number | undefined> =>
        (await reflect(call, request)).fileDescriptorResponse?.fileDescriptorProto.length;
      // log.proto imports error.proto.
      expect(await files({ fileContainingSymbol: 'tidemark.v1.LogService' })).to.equal(2);
      // The same file again, but error.proto is known already.
      expect(await files({ fileContainingSymbol: 'tidemark.v1.LogService.Produce' })).to.equal(1);
      expect(
        await files({ fileContainingSymbol: 'grpc.health.v1.HealthCheckResponse.ServingStatus' }),
      ).to.equal(1);
      expect(await files({ fileByFilename: 'tidemark/v1/error.proto' })).to.equal(1);
      const missing = await reflect(call, { fileContainingSymbol: 'no.Such' });
      expect(missing.errorResponse?.errorCode).to.equal(status.NOT_FOUND);
      call.end();
    }
  });

  it('answers a client that was early, and sends away one that would wait for long', async () => {
    const early = new GrpcListener(defaultGrpcLimits);
    const port = await early.listen('127.0.0.1', 0);
    const waiting = connect(port, '127.0.0.1').on('error', () => undefined);
    await once(waiting, 'close');
    client.close();
    client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const answer = check('');
    await eventuallyConnected(early);
    early.serve([healthHandlers(health)]);
    expect(await answer).to.equal('SERVING');
    await early.close(0);
  });

  it('says which errno kept it from a port that is taken', async () => {
    const first = new GrpcListener(defaultGrpcLimits);
    const port = await first.listen('127.0.0.1', 0);
    const second = new GrpcListener(defaultGrpcLimits);
    const error = await second.listen('127.0.0.1', port).then(
      () => undefined,
      (each: unknown) => each as NodeJS.ErrnoException,
    );
    expect(error?.code).to.equal('EADDRINUSE');
    await first.close(0);
    await second.close(0);
  });
});
