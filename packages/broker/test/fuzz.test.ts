import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Client, credentials, status, type ServiceDefinition, type ServiceError } from '@grpc/grpc-js';
import {
  adminService,
  authService,
  clusterService,
  groupService,
  healthService,
  logService,
  quorumService,
  reflectionService,
  securityService,
} from '@tidemark/rpc';
import { expect } from 'chai';
import { batchOf, TestBroker } from './harness.ts';
import { RandomRequest } from './random-request.ts';

// Anything at all may come to a listener, from whoever can reach it. FUZZ_SEED and FUZZ_ROUNDS ask for other requests, and for more.

const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 30);
const DEADLINE_MS = 400;
/** The machine does other things as well, and the client lives in this process, too. */
const MAX_STALL_MS = 2_000;
const MAX_GROWTH = 250 * 1024 * 1024;

/** Those that wait as long as they are told to: for records, for members of a group, for a voter to catch up. */
const PATIENT = ['Fetch', 'JoinGroup', 'SyncGroup', 'AddVoter'];
/** What may be said to a client: never that there is a bug, or no room. */
const ANSWERS: readonly (status | undefined)[] = [
  status.OK,
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.FAILED_PRECONDITION,
];

interface Method {
  readonly name: string;
  readonly path: string;
  readonly requestType: string;
  readonly takesMany: boolean;
  readonly port: number;
}

/** `tidemark.v1.LogService/Fetch` takes a message of the same package. */
function methodsOf(service: object, port: number, isStream: boolean): Method[] {
  return Object.entries(service as ServiceDefinition)
    .filter(([, { requestStream, responseStream }]) => (requestStream || responseStream) === isStream)
    .map(([name, method]) => {
      const { path, requestType } = method as unknown as {
        path: string;
        requestType: { type: { name: string } };
      };
      const inPackage = path.slice(1, path.lastIndexOf('/'));
      const requestName = `${inPackage.slice(0, inPackage.lastIndexOf('.'))}.${requestType.type.name}`;
      return { name, path, requestType: requestName, takesMany: method.requestStream, port };
    });
}

const asIs = (bytes: Buffer): Buffer => bytes;

describe('a broker that is sent anything at all', () => {
  let broker: TestBroker;
  let requests: RandomRequest;
  let saslPort: number;
  const clients = new Map<number, Client>();

  const clientTo = (port: number): Client => {
    const known = clients.get(port);
    if (known !== undefined) return known;
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    clients.set(port, client);
    return client;
  };

  beforeEach(async () => {
    broker = await TestBroker.start({
      listeners: 'CLIENT://127.0.0.1:0,CLIENT_SASL://127.0.0.1:0,PEER://127.0.0.1:0,HTTP://127.0.0.1:0',
      'listener.security.protocol.map': 'CLIENT_SASL:SASL_PLAINTEXT',
      'offsets.topic.num.partitions': '2',
    });
    saslPort = broker.broker.ports.get('CLIENT_SASL')!;
    const { topicId } = await broker.createTopic('t', 3);
    await broker.produce({ topic: 't', batches: batchOf(['a', 'b']) });
    requests = new RandomRequest(SEED, {
      fields: { ...NAMES, topic_id: ['', '', '', topicId, 'AAAAAAAAAAAAAAAAAAAAAA'] },
      bytes: [
        batchOf(['x']),
        Buffer.concat([batchOf(['1']), batchOf(['2', '3'])]),
        Buffer.alloc(0),
        Buffer.alloc(32, 7),
      ],
    });
  });

  afterEach(async () => {
    for (const client of clients.values()) client.close();
    clients.clear();
    await broker.stop();
  });

  const unary = ({ path, port }: Method, bytes: Buffer): Promise<status | undefined> =>
    new Promise((resolve) => {
      const options = { deadline: Date.now() + DEADLINE_MS };
      clientTo(port).makeUnaryRequest(path, asIs, asIs, bytes, options, (error) =>
        resolve(error === null ? status.OK : error.code),
      );
    });

  /** Undefined: it stayed open. */
  const stream = ({ path, port }: Method, messages: readonly Buffer[]): Promise<status | undefined> =>
    new Promise((resolve) => {
      const call = clientTo(port).makeBidiStreamRequest(path, asIs, asIs);
      const open = setTimeout(() => {
        resolve(undefined);
        call.cancel();
      }, 20);
      const ended = (code: status): void => {
        clearTimeout(open);
        resolve(code);
      };
      call.on('error', (error: ServiceError) => ended(error.code));
      call.on('end', () => ended(status.OK));
      call.resume();
      for (const message of messages) call.write(message);
    });

  /** The broker is as it was: it serves, it has no bug to tell of, and it keeps nothing of what was asked. */
  const isWell = async (what: string): Promise<void> => {
    await broker.createTopic('fine');
    const produced = await broker.produce({ topic: 'fine', batches: batchOf(['fine']) });
    expect(produced.error, what).to.equal(null);
    expect(await Promise.race([broker.broker.failed, Promise.resolve('no bug')]), what).to.equal('no bug');
    const page = await fetch(`http://127.0.0.1:${broker.broker.ports.get('HTTP')}/metrics`);
    const held = /^tidemark_(response|request)_bytes_in_flight (\d+)/gm;
    for (const [, , bytes] of (await page.text()).matchAll(held)) expect(bytes, what).to.equal('0');
  };

  it('answers every request in time, and stays as it was', async function () {
    this.timeout(120_000);
    const methods = [
      logService,
      clusterService,
      adminService,
      groupService,
      quorumService,
      securityService,
      healthService,
    ].flatMap((service) => methodsOf(service, broker.port, false));
    methods.push(...methodsOf(authService, saslPort, false));
    expect(methods.length).to.be.above(40);
    const delay = monitorEventLoopDelay({ resolution: 10 });
    const rssBefore = process.memoryUsage().rss;
    delay.enable();
    for (let round = 0; round < ROUNDS; round++) {
      // It may have been deleted.
      await broker.createTopic('t', 3);
      for (const method of methods) {
        const bytes = round % 16 === 0 ? requests.noise() : requests.of(method.requestType);
        const told = `${method.name} ${bytes.toString('hex')} (seed ${SEED}, round ${round})`;
        const code = await unary(method, bytes);
        const answers = PATIENT.includes(method.name) ? [...ANSWERS, status.DEADLINE_EXCEEDED] : ANSWERS;
        expect(answers, `${told}: ${status[code ?? status.OK]}`).to.include(code);
        expect(delay.max / 1e6, told).to.be.below(MAX_STALL_MS);
      }
    }
    delay.disable();
    await isWell(`seed ${SEED}`);
    expect(process.memoryUsage().rss - rssBefore).to.be.below(MAX_GROWTH);
  });

  it('goes on after streams of it', async function () {
    this.timeout(60_000);
    const methods = [logService, clusterService, healthService, reflectionService].flatMap((service) =>
      methodsOf(service, broker.port, true),
    );
    expect(methods.map(({ name }) => name)).to.include.members([
      'ProduceStream',
      'FetchStream',
      'WatchMetadata',
    ]);
    for (let round = 0; round < ROUNDS; round++) {
      for (const method of methods) {
        const messages = (method.takesMany ? [1, 2, 3] : [1]).map(() =>
          round % 16 === 0 ? requests.noise() : requests.of(method.requestType),
        );
        const code = await stream(method, messages);
        const told = `${method.name} ${messages.map((each) => each.toString('hex')).join(' ')}`;
        expect([...ANSWERS, undefined], `${told}: ${status[code ?? status.OK]}`).to.include(code);
      }
    }
    await isWell(`seed ${SEED}`);
  });
});

const TOPICS = ['t', 't', 't', 'u', 'new'];
const GROUPS = ['g1', 'g1', 'g2', 'g3'];
const CONFIGS = [
  'retention.ms',
  'cleanup.policy',
  'segment.bytes',
  'max.message.bytes',
  'min.insync.replicas',
];

/** What is there, or could be, by the fields that name it: without these hardly a request would come further than its first check. */
const NAMES: Readonly<Record<string, readonly (string | number)[]>> = {
  topic: TOPICS,
  topics: TOPICS,
  name: [...TOPICS, ...CONFIGS, 'range', '1', 'log.retention.ms'],
  partition: [0, 0, 1, 2],
  partition_count: [0, 1, 2, 3, -1],
  total_count: [1, 2, 3, 4, 5, 6],
  replication_factor: [0, 1, -1],
  broker_ids: [1],
  broker_id: [1, 2],
  node_id: [1, 2],
  group_id: GROUPS,
  group_ids: GROUPS,
  member_id: ['', '', 'm', 'g1'],
  group_instance_id: ['', 'i1', 'i2'],
  protocol_type: ['consumer'],
  protocol_name: ['range', 'new', 't'],
  client_id: ['c', 'c', ''],
  generation_id: [-1, 0, 1, 2],
  session_timeout_ms: [6_000, 10_000, 0, -1],
  rebalance_timeout_ms: [0, 100],
  timeout_ms: [0, 50, 100],
  max_wait_ms: [0, 10, 100],
  min_bytes: [0, 1],
  max_bytes: [0, 1_000, 1_000_000],
  partition_max_bytes: [0, 1_000],
  current_leader_epoch: [0, -1, 1],
  leader_epoch: [0, 1, -1],
  fetch_offset: [0, 1, 2, 3],
  offset: [0, 1, 2],
  before_offset: [0, -1, 1],
  timestamp_ms: [0, -1, -2, 1_000_000_000_000],
  credit_bytes: [0, 1_000, 1_000_000],
  key: CONFIGS,
  value: ['1000', 'compact', 'delete', '1', '-1', 'compact,delete', '0', '1048576', '2147483647', 'true'],
  keys: CONFIGS,
  states: ['Stable', 'Empty'],
  mechanism: ['SCRAM-SHA-256', 'SCRAM-SHA-512'],
  user: ['alice', 'bob'],
  users: ['alice'],
  iterations: [4096, 8192],
  resource_type: ['topic', 'group', 'cluster'],
  resource_name: ['t', '*', 'kafka-cluster'],
  pattern_type: ['literal', 'prefixed'],
  principal: ['User:alice', 'User:*'],
  host: ['*', '127.0.0.1'],
  operation: ['read', 'write', 'all'],
  permission: ['allow', 'deny'],
  directory_id: ['', 'AAAAAAAAAAAAAAAAAAAAAA'],
  port: [1, 2, 9_000],
  service: ['', 'tidemark.v1.LogService'],
};
