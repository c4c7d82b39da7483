// A cluster with users, over TLS, from the outside: an operator with a certificate makes users and says what they may; clients with a
// properties file produce and consume, and go on when their session ends.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Admin, Consumer, Producer } from '@tidemark/client';
import { Channel, clusterService, readTlsMaterial, tlsCredentials } from '@tidemark/rpc';
import { Authority, type Identity } from './certificates.ts';
import { eventually } from './cluster.ts';
import { runCommand, startServer, type CommandResult, type ServerProcess } from './start-server.ts';

describe('a cluster with users', function () {
  this.timeout(60_000);
  let folder: string;
  let authority: Authority;
  let operator: Identity;
  let server: ServerProcess;
  /** The same by the library. */
  let library: Admin;
  let addresses: Readonly<Record<string, string>>;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-sasl-'));
    authority = new Authority(folder, 'authority');
    operator = authority.issue({ commonName: 'operator' });
    const node = authority.issue({ commonName: 'node-1', names: ['127.0.0.1'] });
    server = await startServer({
      settings: {
        listeners: 'CLIENT://127.0.0.1:0,CLIENT_ADMIN://127.0.0.1:0',
        'listener.security.protocol.map': 'CLIENT:SASL_SSL,CLIENT_ADMIN:SSL',
        'ssl.keystore.location': node.certificate,
        'ssl.keystore.key.location': node.key,
        'ssl.truststore.location': authority.file,
        'listener.name.client_admin.ssl.client.auth': 'required',
        'authorizer.class.name': 'StandardAuthorizer',
        'super.users': 'User:CN=operator,O=Test',
        'connections.max.reauth.ms': '700',
        'group.initial.rebalance.delay.ms': '0',
      },
    });
    addresses = server.listeners as unknown as Readonly<Record<string, string>>;
    library = new Admin({
      brokers: [addresses['CLIENT_ADMIN']!],
      config: {
        'security.protocol': 'SSL',
        'ssl.truststore.location': authority.file,
        'ssl.keystore.location': operator.certificate,
        'ssl.keystore.key.location': operator.key,
      },
    });
  });

  after(async () => {
    await library.close();
    await server.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const operate = (args: readonly string[], input?: string): Promise<CommandResult> =>
    runCommand(
      [
        ...args,
        ...['--brokers', addresses['CLIENT_ADMIN']!, '--tls-ca', authority.file],
        ...['--tls-cert', operator.certificate, '--tls-key', operator.key],
      ],
      input === undefined ? {} : { input },
    );
  const must = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await operate(args, input);
    expect(stderr, args.join(' ')).to.equal('');
    expect(code).to.equal(0);
    return stdout;
  };

  const properties = (): string => join(folder, 'client.properties');
  const asAnn = (args: readonly string[], input?: string): Promise<CommandResult> =>
    runCommand(
      [...args, '--brokers', addresses['CLIENT']!, '--command-config', properties()],
      input === undefined ? {} : { input },
    );
  const asAnnIs = () => ({
    'security.protocol': 'SASL_SSL',
    'sasl.username': 'ann',
    'sasl.password': 'secret',
    'ssl.truststore.location': authority.file,
  });

  it('is run by an operator, and used by whom he lets', async () => {
    await library.createTopics([{ name: 'orders', partitions: 1 }]);
    await must(['user', 'create', 'ann'], 'secret\n');
    expect(await must(['user', 'list'])).to.contain('ann   SCRAM-SHA-256        4096');
    const jaas =
      'org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="secret";';
    writeFileSync(
      properties(),
      `security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config=${jaas}\nssl.truststore.location=${authority.file}\n`,
    );
    const refused = await asAnn(['produce', 'orders'], 'a\n');
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.contain('TOPIC_AUTHORIZATION_FAILED');
    await must([
      'acl',
      'add',
      '--allow',
      'User:ann',
      '--topic',
      'orders',
      '--operation',
      'write',
      '--operation',
      'read',
    ]);
    expect(await must(['acl', 'list', '--topic', 'orders'])).to.match(/allow +User:ann +read +topic +orders/);
    const produced = await asAnn(['produce', 'orders'], 'a\nb\n');
    expect(produced.stderr).to.not.contain('error');
    expect(produced.code).to.equal(0);
    const consumed = await asAnn(['consume', 'orders', '--from', 'start', '-e', '-f', '%v\\n']);
    expect(consumed.stdout).to.equal('a\nb\n');
  });

  it('lets members into groups they may read, by the library and by the command', async () => {
    const join = () => {
      const consumer = new Consumer({
        brokers: [addresses['CLIENT']!],
        groupId: 'app',
        config: { ...asAnnIs(), 'auto.offset.reset': 'earliest' },
      });
      consumer.subscribe(['orders']);
      return consumer;
    };
    const outsider = join();
    const refused = await outsider.poll({ timeoutMs: 10_000 }).then(
      (records) => `${records.length} records`,
      (error: unknown) => String(error),
    );
    expect(refused).to.contain('GROUP_AUTHORIZATION_FAILED');
    await outsider.close();
    const who = { principal: 'User:ann', host: '*', permission: 'allow' };
    await library.security.createAcls([
      { ...who, resourceType: 'group', resourceName: 'ap', patternType: 'prefixed', operation: 'read' },
    ]);
    const member = join();
    const records = await member.poll({ timeoutMs: 20_000 });
    expect(records.map(({ value }) => Buffer.from(value!).toString())).to.deep.equal(['a', 'b']);
    await member.commit();
    await member.close();
    expect((await asAnn(['group', 'describe', 'app'])).stdout).to.match(/orders +0 +2 +2 +0/);
    const producer = new Producer({ brokers: [addresses['CLIENT']!], config: asAnnIs() });
    await producer.send({ topic: 'orders', value: 'c' });
    await producer.close();
    const rest = await asAnn(['consume', 'orders', '-g', 'app', '-e', '-f', '%v ']);
    expect(rest).to.include({ code: 0, stdout: 'c ' });
    // Reading is not deleting.
    expect((await asAnn(['group', 'delete', 'app', '-y'])).stdout).to.contain('GROUP_AUTHORIZATION_FAILED');
  });

  it('shows new metadata to who watches it, and administers for whom it may', async () => {
    const who = { principal: 'User:ann', host: '*', permission: 'allow' };
    await library.security.createAcls([
      { ...who, resourceType: 'topic', resourceName: 'mine', patternType: 'prefixed', operation: 'all' },
    ]);
    const material = readTlsMaterial({
      ...{ keystore: '', key: '', keyPassword: '', truststore: authority.file },
      versions: ['TLSv1.3'],
    });
    const channel = new Channel(addresses['CLIENT']!, {
      credentials: tlsCredentials({ material: () => material, verifyHostname: true }),
      login: { mechanism: 'SCRAM-SHA-256', user: 'ann', password: 'secret' },
    });
    const watch = channel.stream(clusterService.WatchMetadata);
    watch.on('error', () => undefined);
    const seen: (string | undefined)[] = [];
    watch.on('data', ({ metadata }: { metadata: { topics: { error: { name: string } | null }[] } }) => {
      seen.push(metadata.topics[0]!.error?.name);
    });
    watch.write({ topics: [{ name: 'mine-1' }] });
    watch.end();
    await eventually('the first answer', 10_000, () => (seen.length > 0 ? true : undefined));
    const admin = new Admin({ brokers: [addresses['CLIENT']!], config: asAnnIs() });
    await admin.createTopics([{ name: 'mine-1', partitions: 1 }]);
    await eventually('the new topic', 10_000, () => (seen.length > 1 ? true : undefined));
    expect(seen.slice(0, 2)).to.deep.equal(['UNKNOWN_TOPIC_OR_PARTITION', undefined]);
    const [other] = await admin.createTopics([{ name: 'others', partitions: 1 }]);
    expect(String(other!.error)).to.contain('TOPIC_AUTHORIZATION_FAILED');
    await admin.close();
    channel.close();
  });

  it('lets a producer go on when its session ends, and stops it when its user is gone', async () => {
    const producer = new Producer({
      brokers: [addresses['CLIENT']!],
      config: {
        ...asAnnIs(),
        'delivery.timeout.ms': 5_000,
        'request.timeout.ms': 2_000,
      },
    });
    const offsets: number[] = [];
    const startedMs = performance.now();
    // Three sessions long.
    while (performance.now() - startedMs < 2_200) {
      offsets.push((await producer.send({ topic: 'orders', value: 'x' })).offset);
    }
    expect(offsets).to.deep.equal(offsets.map((_, at) => offsets[0]! + at));
    expect(await must(['user', 'delete', 'ann'])).to.contain('no password any more');
    const failed = await (async () => {
      for (;;) await producer.send({ topic: 'orders', value: 'x' });
    })().catch((error: unknown) => String(error));
    expect(failed).to.match(/SASL_AUTHENTICATION_FAILED|TIMED_OUT|NETWORK_EXCEPTION/);
    await producer.close();
  });

  it('refuses a wrong password with a sentence', async () => {
    const args = ['-X', 'security.protocol=SASL_SSL', '-X', 'sasl.username=ann', '-X', 'sasl.password=wrong'];
    const { code, stderr } = await runCommand([
      ...[
        'cluster',
        'info',
        '--brokers',
        addresses['CLIENT']!,
        '-X',
        `ssl.truststore.location=${authority.file}`,
      ],
      ...args,
    ]);
    expect(code).to.equal(1);
    expect(stderr).to.contain('SASL_AUTHENTICATION_FAILED');
    expect(stderr).to.not.contain('wrong password for');
  });
});
