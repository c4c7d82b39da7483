import { expect } from 'chai';
import fc from 'fast-check';
import {
  boolean,
  brokerConfigs,
  configNameOf,
  configTable,
  consumerConfigs,
  describeProblems,
  environmentName,
  int,
  password,
  producerConfigs,
  resolveConfig,
  type ConfigInputs,
} from '@tidemark/core';

function broker(inputs: ConfigInputs = {}) {
  const resolved = resolveConfig(brokerConfigs, inputs);
  if (!resolved.ok) throw new Error(describeProblems(resolved.problems));
  return resolved.config;
}

function refusals(inputs: ConfigInputs): string[] {
  const resolved = resolveConfig(brokerConfigs, inputs);
  return resolved.ok ? [] : describeProblems(resolved.problems).split('\n');
}

describe('resolving a configuration', () => {
  it('starts with nothing given: every key has its default and says so', () => {
    const config = broker();
    expect(config.getInt('log.segment.bytes')).to.equal(1_073_741_824);
    expect(config.getBoolean('auto.create.topics.enable')).to.equal(false);
    expect(config.getString('flush.policy')).to.equal('ack');
    expect(config.getList('process.roles')).to.deep.equal(['broker', 'controller']);
    expect(config.source('log.segment.bytes').kind).to.equal('default');
    expect(config.isSet('log.segment.bytes')).to.equal(false);
  });

  it('lets the flag win over the environment, the environment over the file, the file over the default', () => {
    const file = '# a node\nnum.partitions=2\nnode.id=2\nlog.retention.ms=2\n';
    const environment = { TIDEMARK_NUM_PARTITIONS: '3', TIDEMARK_NODE_ID: '3', PATH: '/bin' };
    const config = broker({
      file,
      fileName: 'server.properties',
      environment,
      flags: { 'num.partitions': '4' },
    });
    expect(config.get('num.partitions')).to.equal(4);
    expect(config.source('num.partitions').where).to.equal('flag --num.partitions');
    expect(config.get('node.id')).to.equal(3);
    expect(config.source('node.id').where).to.equal('environment variable TIDEMARK_NODE_ID');
    expect(config.get('log.retention.ms')).to.equal(2);
    expect(config.source('log.retention.ms').where).to.equal('server.properties:4');
    expect(config.get('log.retention.bytes')).to.equal(-1);
  });

  it('collects every problem, each with its value, its place and what to do', () => {
    const file = 'log.segment.bytes=12\n\nlog.retention.msec=1\nnum.partitions=many\n';
    expect(
      refusals({ file, fileName: 'server.properties', flags: { 'flush.policy': 'never' } }),
    ).to.deep.equal([
      'log.segment.bytes = "12" (server.properties:1): is below the smallest value, 1048576. Give a whole number from 1048576 to 2147483647 (bytes).',
      'log.retention.msec = "1" (server.properties:3): this version has no such broker config. Did you mean log.retention.ms?',
      'num.partitions = "many" (server.properties:4): is not a whole number. Give a whole number from 1 to 2147483647.',
      'flush.policy = "never" (flag --flush.policy): is not one of the values it can have. Give ack or os.',
    ]);
  });

  it('names the variable, not the key, to who mistyped a variable', () => {
    expect(refusals({ environment: { TIDEMARK_NUM_PARTITION: '3' } })).to.deep.equal([
      'num.partition = "3" (environment variable TIDEMARK_NUM_PARTITION): this version has no such broker config. Did you mean TIDEMARK_NUM_PARTITIONS?',
    ]);
  });

  it('tells who comes from Kafka what a missing key is here', () => {
    expect(
      refusals({ file: 'zookeeper.connect=zk:2181\nlog.retention.hours=2\nretention.ms=3' }),
    ).to.deep.equal([
      'zookeeper.connect = "zk:2181" (config file:1): this version has no such broker config. There is no ZooKeeper; remove it.',
      'log.retention.hours = "2" (config file:2): this version has no such broker config. Give log.retention.ms, in milliseconds.',
      'retention.ms = "3" (config file:3): this version has no such broker config. For a broker it is called log.retention.ms.',
    ]);
  });

  it('refuses a bad value that a stronger layer hides, because the layer may go away', () => {
    expect(refusals({ file: 'node.id=-4', flags: { 'node.id': 4 } })).to.have.length(1);
  });

  it('refuses a key set twice in the file', () => {
    expect(refusals({ file: 'node.id=1\nnode.id=2' })).to.deep.equal([
      'node.id (config file:2): is already set in line 1. Keep one of the two lines.',
    ]);
  });

  it('ignores what Kubernetes injects for a service called tidemark, and variables the caller owns', () => {
    const environment = {
      TIDEMARK_PORT: 'tcp://10.0.0.1:9290',
      TIDEMARK_SERVICE_HOST: '10.0.0.1',
      TIDEMARK_SERVICE_PORT_CLIENT: '9290',
      TIDEMARK_PORT_9290_TCP_ADDR: '10.0.0.1',
      TIDEMARK_HEADLESS_SERVICE_PORT: '9290',
      TIDEMARK_PROFILE: 'dev',
    };
    expect(refusals({ environment, ignoredVariables: ['TIDEMARK_PROFILE'] })).to.deep.equal([]);
    expect(refusals({ environment })).to.have.length(1);
  });

  it('reads Kafka’s Long.MAX_VALUE as no limit, and nothing above 64 bits', () => {
    const most = broker({ file: 'log.flush.interval.messages=9223372036854775807' });
    expect(most.get('log.flush.interval.messages')).to.equal(Number.MAX_SAFE_INTEGER);
    expect(most.shown('log.flush.interval.messages')).to.equal('9223372036854775807');
    expect(refusals({ file: 'log.flush.interval.messages=9223372036854775808' })).to.have.length(1);
  });

  it('knows no key by the names every object has', () => {
    expect(refusals({ file: 'constructor=1\n__proto__=2\ntoString=3' })).to.have.length(3);
  });
});

describe('secrets', () => {
  const table = configTable({
    title: 'test',
    specs: {
      'ssl.key.password': password('', { doc: 'A secret.' }),
      'pin.code': int(0, { min: 1000, sensitive: true, doc: 'A secret number.' }),
      plain: boolean(false, { doc: 'No secret.' }),
    },
  });
  const files: Readonly<Record<string, string>> = { '/run/secrets/key': ' hunter2 \n' };
  const readSecretFile = (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`no such file: ${path}`);
    return text;
  };

  it('come from the file that a *_FILE variable names, without its last newline, and are shown to nobody', () => {
    const environment = { TIDEMARK_SSL_KEY_PASSWORD_FILE: '/run/secrets/key' };
    const resolved = resolveConfig(table, { environment, readSecretFile });
    if (!resolved.ok) throw new Error(describeProblems(resolved.problems));
    expect(resolved.config.getString('ssl.key.password')).to.equal(' hunter2 ');
    expect(JSON.stringify(resolved.config.entries())).not.to.contain('hunter2');
  });

  it('do not leak through a refusal, not even of a mistyped name', () => {
    const file = 'pin.code=123\nssl.key.pasword=hunter2';
    const resolved = resolveConfig(table, { file });
    const text = resolved.ok ? '' : describeProblems(resolved.problems);
    expect(text).to.contain('[hidden]').and.to.contain('ssl.key.password?');
    expect(text).not.to.contain('123');
    expect(text).not.to.contain('hunter2');
  });

  it('are refused when the file cannot be read, or when both variables are set', () => {
    const problem = (environment: Record<string, string>) => {
      const resolved = resolveConfig(table, { environment, readSecretFile });
      return resolved.ok ? '' : describeProblems(resolved.problems);
    };
    expect(problem({ TIDEMARK_SSL_KEY_PASSWORD_FILE: '/nowhere' })).to.contain('no such file: /nowhere');
    expect(
      problem({ TIDEMARK_SSL_KEY_PASSWORD_FILE: '/run/secrets/key', TIDEMARK_SSL_KEY_PASSWORD: 'x' }),
    ).to.contain('TIDEMARK_SSL_KEY_PASSWORD is set too');
    expect(problem({ TIDEMARK_PLAIN_FILE: '/run/secrets/key' })).to.contain('no such test config');
  });
});

describe('contradictions', () => {
  it('between replication and acknowledgement: more in-sync replicas than replicas', () => {
    expect(refusals({ file: 'min.insync.replicas=4' })[0]).to.contain(
      'is above default.replication.factor (3)',
    );
    expect(refusals({ file: 'min.insync.replicas=2\ndefault.replication.factor=1' })).to.have.length(1);
  });

  it('do not arise from defaults: with one replica one in-sync replica is enough', () => {
    expect(broker({ file: 'default.replication.factor=1' }).get('min.insync.replicas')).to.equal(1);
    expect(broker({ file: 'default.replication.factor=5' }).get('min.insync.replicas')).to.equal(2);
  });

  it('between sizes: a batch no request can hold, a request no queue can hold', () => {
    expect(
      refusals({ file: 'message.max.bytes=200000000\nmax.inflated.batch.bytes=200000000' })[0],
    ).to.contain('socket.request.max.bytes');
    expect(refusals({ file: 'queued.max.request.bytes=1024' })[0]).to.contain(
      'one request must fit the queue',
    );
    expect(refusals({ file: 'queued.max.response.bytes=1024' })[0]).to.contain(
      'one answer must fit the queue',
    );
  });

  it('in a producer: idempotence needs acks=all, and gives way only when nobody asked for it', () => {
    const producer = (options: NonNullable<ConfigInputs['options']>) =>
      resolveConfig(producerConfigs, { options });
    const weak = producer({ acks: '1' });
    expect(weak.ok && weak.config.get('enable.idempotence')).to.equal(false);
    expect(producer({ acks: '1', 'enable.idempotence': true }).ok).to.equal(false);
    expect(producer({ 'max.in.flight.requests.per.connection': 6, 'enable.idempotence': true }).ok).to.equal(
      false,
    );
    expect(producer({ 'delivery.timeout.ms': 1000 }).ok).to.equal(false);
    expect(producer({ 'buffer.memory': 1000 }).ok).to.equal(false);
    expect(producer({ 'linger.ms': 20, 'compression.type': 'zstd', 'client.id': undefined }).ok).to.equal(
      true,
    );
  });

  it('in a consumer: waiting for more bytes than may be fetched', () => {
    expect(resolveConfig(consumerConfigs, { options: { 'fetch.min.bytes': 60_000_000 } }).ok).to.equal(false);
  });
});

describe('environment names', () => {
  it('map every key there and back', () => {
    for (const name of Object.keys(brokerConfigs.specs)) {
      expect(configNameOf(environmentName(name)), name).to.equal(name);
    }
    expect(environmentName('a.b_c-d')).to.equal('TIDEMARK_A_B__C___D');
    const segment = fc.stringMatching(/^[a-z0-9]{1,6}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(segment, fc.constantFrom('.', '_', '-'))), segment, (parts, last) => {
        const name = parts.map(([text, separator]) => text + separator).join('') + last;
        expect(configNameOf(environmentName(name))).to.equal(name);
      }),
    );
  });
});
