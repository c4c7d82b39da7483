// A cluster with users, over TLS, from the outside: an operator with a certificate makes users and says what they may; clients with a
// properties file produce and consume, and go on when their session ends.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Producer } from '@tidemark/client';
import { Authority, type Identity } from './certificates.ts';
import { runCommand, startServer, type CommandResult, type ServerProcess } from './start-server.ts';

describe('a cluster with users', function () {
  this.timeout(60_000);
  let folder: string;
  let authority: Authority;
  let operator: Identity;
  let server: ServerProcess;
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
        'connections.max.reauth.ms': '1500',
      },
    });
    addresses = server.listeners as unknown as Readonly<Record<string, string>>;
  });

  after(async () => {
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

  it('is run by an operator, and used by whom he lets', async () => {
    await must(['topic', 'create', 'orders']);
    await must(['user', 'create', 'ann'], 'secret\n');
    expect(await must(['user', 'list'])).to.contain('ann   SCRAM-SHA-256        4096');
    const properties = join(folder, 'client.properties');
    const jaas =
      'org.apache.kafka.common.security.scram.ScramLoginModule required username="ann" password="secret";';
    writeFileSync(
      properties,
      `security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config=${jaas}\nssl.truststore.location=${authority.file}\n`,
    );
    const asAnn = (args: readonly string[], input?: string): Promise<CommandResult> =>
      runCommand(
        [...args, '--brokers', addresses['CLIENT']!, '--command-config', properties],
        input === undefined ? {} : { input },
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
    expect((await asAnn(['acl', 'list'])).stderr).to.contain('CLUSTER_AUTHORIZATION_FAILED');
  });

  it('lets a producer go on when its session ends, and stops it when its user is gone', async () => {
    const producer = new Producer({
      brokers: [addresses['CLIENT']!],
      config: {
        'security.protocol': 'SASL_SSL',
        'sasl.username': 'ann',
        'sasl.password': 'secret',
        'ssl.truststore.location': authority.file,
        'delivery.timeout.ms': 5_000,
        'request.timeout.ms': 2_000,
      },
    });
    const offsets: number[] = [];
    const startedMs = performance.now();
    // Three sessions long.
    while (performance.now() - startedMs < 4_500) {
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
