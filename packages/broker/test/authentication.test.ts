import { connect as connectHttp2 } from 'node:http2';
import { expect } from 'chai';
import { status, type ServiceError } from '@grpc/grpc-js';
import {
  authService,
  clusterService,
  healthService,
  logService,
  ScramClient,
  securityService,
} from '@tidemark/rpc';
import { batchOf } from './harness.ts';
import { SecuredBroker, type TestCaller } from './security-harness.ts';

const statusOf = (promise: Promise<unknown>): Promise<status | 'served'> =>
  promise.then(
    () => 'served' as const,
    (error: unknown) => (error as ServiceError).code,
  );
const describe_ = (caller: TestCaller): Promise<status | 'served'> =>
  statusOf(caller.call(clusterService.DescribeCluster, { allowStale: true }));

describe('a listener that wants to know who calls', () => {
  let secured: SecuredBroker;

  before(async () => {
    secured = await SecuredBroker.start();
  });
  after(() => secured.stop());

  it('serves who has authenticated, by either mechanism, and nobody else but health probes', async () => {
    await secured.createUser('ann', 'secret');
    await secured.createUser('bob', 'hidden', 'SCRAM-SHA-512');
    for (const [user, password, mechanism] of [
      ['ann', 'secret', 'SCRAM-SHA-256'],
      ['bob', 'hidden', 'SCRAM-SHA-512'],
    ] as const) {
      const { token } = await secured.authenticate(user, password, mechanism);
      expect(await describe_(secured.caller('CLIENT_SASL', { authorization: `Bearer ${token}` }))).to.equal(
        'served',
      );
    }
    expect(await describe_(secured.caller())).to.equal(status.UNAUTHENTICATED);
    for (const wrong of ['Bearer ', 'Bearer x', `Bearer ${'a'.repeat(43)}`, 'Basic YTpi']) {
      const caller = secured.caller('CLIENT_SASL', { authorization: wrong });
      expect(await describe_(caller), wrong).to.equal(status.UNAUTHENTICATED);
    }
    expect(await statusOf(secured.caller().call(healthService.Check, { service: '' }))).to.equal('served');
    // There is nothing to authenticate with where nobody is asked.
    const begin = { mechanism: 'SCRAM-SHA-256', clientFirst: Buffer.from('n,,n=ann,r=x') };
    expect(await statusOf(secured.admin.call(authService.StartAuthentication, begin))).to.equal(
      status.UNIMPLEMENTED,
    );
  });

  it('answers a wrong password, an unknown user and a wrong mechanism alike', async () => {
    await secured.createUser('ann', 'secret');
    const failures = await Promise.all([
      secured.authenticate('ann', 'Secret'),
      secured.authenticate('nobody', 'secret'),
      secured.authenticate('ann', 'secret', 'SCRAM-SHA-512'),
    ]);
    expect(failures.map(({ error }) => error)).to.deep.equal(Array(3).fill('SASL_AUTHENTICATION_FAILED'));
    const saltOf = ({ serverFirst }: { serverFirst: string }): string =>
      /,(s=[^,]+,i=\d+)$/.exec(serverFirst)![1]!;
    // A user who does not exist has a salt, of the length of real ones and always the same.
    expect(saltOf(failures[1])).to.have.length(saltOf(failures[0]).length);
    expect(saltOf(await secured.authenticate('nobody', 'other'))).to.equal(saltOf(failures[1]));
    expect(saltOf(await secured.authenticate('anybody', 'other'))).to.not.equal(saltOf(failures[1]));
  });

  it('takes an exchange once, and refuses what is none', async () => {
    await secured.createUser('ann', 'secret');
    const caller = secured.caller();
    const client = new ScramClient('SCRAM-SHA-256', 'ann', 'secret');
    const first = await caller.call(authService.StartAuthentication, {
      mechanism: 'SCRAM-SHA-256',
      clientFirst: client.first,
    });
    const clientFinal = await client.final(first.serverFirst);
    const finish = { exchangeId: first.exchangeId, clientFinal };
    expect((await caller.call(authService.FinishAuthentication, finish)).token).to.match(/^[\w-]{43}$/);
    expect((await caller.call(authService.FinishAuthentication, finish)).error?.name).to.equal(
      'ILLEGAL_SASL_STATE',
    );
    const unknown = { mechanism: 'PLAIN', clientFirst: Buffer.from('\0ann\0secret') };
    expect((await caller.call(authService.StartAuthentication, unknown)).error?.name).to.equal(
      'UNSUPPORTED_SASL_MECHANISM',
    );
    const noise = { mechanism: 'SCRAM-SHA-256', clientFirst: Buffer.from('hello') };
    expect((await caller.call(authService.StartAuthentication, noise)).error?.name).to.equal(
      'SASL_AUTHENTICATION_FAILED',
    );
  });

  it('listens no more to an address that fails again and again at a user’s name, and goes on with others', async () => {
    await secured.createUser('carl', 'secret');
    await secured.createUser('dora', 'secret');
    const caller = secured.caller();
    const client = new ScramClient('SCRAM-SHA-256', 'carl', 'secret');
    const begun = await caller.call(authService.StartAuthentication, {
      mechanism: 'SCRAM-SHA-256',
      clientFirst: client.first,
    });
    const failures: (string | undefined)[] = [];
    for (let tries = 0; tries < 31; tries++) failures.push((await secured.authenticate('carl', 'x')).error);
    expect(failures.slice(0, 30)).to.deep.equal(Array(30).fill('SASL_AUTHENTICATION_FAILED'));
    expect(failures.at(-1)).to.equal('THROTTLING_QUOTA_EXCEEDED');
    expect((await secured.authenticate('carl', 'secret')).error).to.equal('THROTTLING_QUOTA_EXCEEDED');
    // Nor does it help to have begun before.
    const last = await caller.call(authService.FinishAuthentication, {
      exchangeId: begun.exchangeId,
      clientFinal: await client.final(begun.serverFirst),
    });
    expect(last.error?.name).to.equal('THROTTLING_QUOTA_EXCEEDED');
    expect(last.token).to.equal('');
    expect((await secured.authenticate('dora', 'secret')).error).to.equal(undefined);
    const noise = { mechanism: 'SCRAM-SHA-256', clientFirst: Buffer.from('hello') };
    expect((await caller.call(authService.StartAuthentication, noise)).error?.name).to.equal(
      'SASL_AUTHENTICATION_FAILED',
    );
  });

  it('forgets a user whose password changed or was taken away, open streams included', async () => {
    const eve = await secured.as('eve');
    await secured.allow({
      resourceType: 'topic',
      resourceName: '*',
      principal: 'User:eve',
      operation: 'all',
    });
    const { path, requestSerialize, responseDeserialize } = logService.ProduceStream;
    const stream = eve.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const ended = new Promise<ServiceError>((resolve) => stream.once('error', resolve));
    stream.write({ correlationId: 1, request: { partitions: [] } });
    await new Promise((resolve) => stream.once('data', resolve));
    expect(await describe_(eve)).to.equal('served');
    await secured.createUser('eve', 'another');
    expect(await describe_(eve)).to.equal(status.UNAUTHENTICATED);
    expect((await ended).code).to.equal(status.UNAUTHENTICATED);
    const { token } = await secured.authenticate('eve', 'another');
    const again = secured.caller('CLIENT_SASL', { authorization: `Bearer ${token}` });
    expect(await describe_(again)).to.equal('served');
    await secured.admin.call(securityService.AlterScramCredentials, {
      deletions: [{ user: 'eve', mechanism: 'SCRAM-SHA-256' }],
    });
    expect(await describe_(again)).to.equal(status.UNAUTHENTICATED);
    expect(await secured.authenticate('eve', 'another')).to.have.property(
      'error',
      'SASL_AUTHENTICATION_FAILED',
    );
  });

  it('ends the stream of a user who was taken away although he never reads', async () => {
    await secured.broker.createTopic('his');
    await secured.createUser('mallory', 'secret');
    await secured.allow(
      ...[
        {
          resourceType: 'topic',
          resourceName: 'his',
          principal: 'User:mallory',
          operation: 'write',
        } as const,
      ],
    );
    const { token } = await secured.authenticate('mallory', 'secret');
    // Not a byte may be sent to him.
    const settings = { initialWindowSize: 0 };
    const session = connectHttp2(`http://127.0.0.1:${secured.port('CLIENT_SASL')}`, { settings });
    const stream = session.request({
      ':method': 'POST',
      ':path': logService.ProduceStream.path,
      'content-type': 'application/grpc',
      authorization: `Bearer ${token}`,
    });
    stream.on('error', () => undefined);
    const send = (acks: 'ACKS_NONE' | 'ACKS_LEADER'): void => {
      const partitions = [{ topic: 'his', batches: batchOf(['x']) }];
      const message = logService.ProduceStream.requestSerialize({
        correlationId: 1,
        request: { acks, partitions },
      });
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      if (!stream.destroyed) stream.write(Buffer.concat([head, message]));
    };
    const end = async (): Promise<number> => (await secured.broker.fetch({ topic: 'his' })).highWatermark;
    send('ACKS_LEADER');
    while ((await end()) < 1) await new Promise(setImmediate);
    await secured.admin.call(securityService.AlterScramCredentials, {
      deletions: [{ user: 'mallory', mechanism: 'SCRAM-SHA-256' }],
    });
    // It is found out within a second, and ended within another.
    const untilMs = performance.now() + 5_000;
    while (!stream.destroyed && performance.now() < untilMs) {
      send('ACKS_NONE');
      await end();
    }
    const isEnded = stream.destroyed;
    session.destroy();
    expect(isEnded, `the last record he wrote is ${await end()}`).to.equal(true);
  });

  it('knows nobody for longer than connections.max.reauth.ms', async () => {
    const brief = await SecuredBroker.start({ 'connections.max.reauth.ms': '300' });
    try {
      const ann = await brief.as('ann');
      expect(await describe_(ann)).to.equal('served');
      const deadline = performance.now() + 5_000;
      while ((await describe_(ann)) === 'served' && performance.now() < deadline)
        await new Promise(setImmediate);
      expect(await describe_(ann)).to.equal(status.UNAUTHENTICATED);
    } finally {
      await brief.stop();
    }
  });

  it('tells nobody a salt or a key', async () => {
    await secured.createUser('ann', 'secret');
    const { credentials } = await secured.admin.call(securityService.DescribeScramCredentials, {
      users: ['ann'],
    });
    expect(credentials).to.deep.equal([{ user: 'ann', mechanism: 'SCRAM-SHA-256', iterations: 4096 }]);
  });
});
