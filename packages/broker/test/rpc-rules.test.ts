// Authorization, RPC by RPC, over every RPC there is: whoever lacks the right is refused, whoever has it is served. A new RPC without
// a rule, or without its line in this table, fails here.

import { expect } from 'chai';
import { status, type ServiceError } from '@grpc/grpc-js';
import {
  adminService,
  authService,
  clusterService,
  groupService,
  healthService,
  logService,
  peerService,
  quorumService,
  reflectionService,
  securityService,
  type CallDefinition,
} from '@tidemark/rpc';
import { rpcRules } from '../src/security/rpc-rules.ts';
import { batchOf } from './harness.ts';
import { SecuredBroker, type Binding, type TestCaller } from './security-harness.ts';

const definitions = {
  adminService,
  authService,
  clusterService,
  groupService,
  healthService,
  logService,
  peerService,
  quorumService,
  reflectionService,
  securityService,
};

const topic = (operation: Binding['operation'], resourceName = 'orders'): Binding => ({
  resourceType: 'topic',
  resourceName,
  principal: 'User:ann',
  operation,
});
const onCluster = (operation: Binding['operation']): Binding => ({
  resourceType: 'cluster',
  resourceName: 'kafka-cluster',
  principal: 'User:ann',
  operation,
});

interface Case {
  readonly method: CallDefinition<never, unknown>;
  readonly request: object;
  /** What allows it. */
  readonly needs: Binding;
  /** What it is told without: an error in the answer, a status, or a list that is empty. */
  readonly refused: string;
}

const on = (method: object, request: object, needs: Binding, refused: string): Case => ({
  method: method as CallDefinition<never, unknown>,
  request,
  needs,
  refused,
});

const TOPIC = 'TOPIC_AUTHORIZATION_FAILED';
const CLUSTER = 'status PERMISSION_DENIED';
const partition = { topic: 'orders', partition: 0 };
const refusedTopicConfig = { resource: { type: 'CONFIG_RESOURCE_TYPE_TOPIC', name: 'orders' } };
const salt = Buffer.alloc(24);
const key = Buffer.alloc(32);

/** Those that a single question decides. Streams, metadata and groups have stories of their own below. */
const cases: Readonly<Record<string, Case>> = {
  'LogService/Produce': on(
    logService.Produce,
    { partitions: [{ ...partition, batches: batchOf(['x']) }] },
    topic('write'),
    TOPIC,
  ),
  'LogService/Fetch': on(
    logService.Fetch,
    { partitions: [{ ...partition, fetchOffset: 0 }] },
    topic('read'),
    TOPIC,
  ),
  'LogService/ListOffsets': on(
    logService.ListOffsets,
    { partitions: [{ ...partition, timestampMs: -1 }] },
    topic('describe'),
    TOPIC,
  ),
  'LogService/OffsetForLeaderEpoch': on(
    logService.OffsetForLeaderEpoch,
    { partitions: [{ ...partition, leaderEpoch: 0 }] },
    topic('describe'),
    TOPIC,
  ),
  'LogService/DeleteRecords': on(
    logService.DeleteRecords,
    { partitions: [{ ...partition, beforeOffset: 0 }] },
    topic('delete'),
    TOPIC,
  ),
  'LogService/InitProducerId': on(logService.InitProducerId, {}, topic('write', 'any'), CLUSTER),
  'ClusterService/GetMetadata': on(
    clusterService.GetMetadata,
    { topics: [{ name: 'orders' }] },
    topic('describe'),
    TOPIC,
  ),
  'ClusterService/DescribeClusterHealth': on(
    clusterService.DescribeClusterHealth,
    {},
    onCluster('describe'),
    CLUSTER,
  ),
  'AdminService/CreateTopics': on(
    adminService.CreateTopics,
    { topics: [{ name: 'new', partitionCount: 1 }], validateOnly: true },
    topic('create', 'new'),
    TOPIC,
  ),
  'AdminService/CreatePartitions': on(
    adminService.CreatePartitions,
    { topics: [{ name: 'orders', totalCount: 2 }], validateOnly: true },
    topic('alter'),
    TOPIC,
  ),
  'AdminService/DescribeConfigs': on(
    adminService.DescribeConfigs,
    { resources: [refusedTopicConfig.resource] },
    topic('describe-configs'),
    TOPIC,
  ),
  'AdminService/AlterConfigs': on(
    adminService.AlterConfigs,
    { resources: [{ ...refusedTopicConfig, changes: [] }], validateOnly: true },
    topic('alter-configs'),
    TOPIC,
  ),
  'AdminService/DescribeReplicas': on(
    adminService.DescribeReplicas,
    { topics: ['orders'] },
    topic('describe'),
    'empty',
  ),
  'AdminService/ElectLeaders': on(
    adminService.ElectLeaders,
    { type: 'ELECTION_TYPE_PREFERRED', partitions: [] },
    onCluster('alter'),
    CLUSTER,
  ),
  'AdminService/ReassignPartitions': on(
    adminService.ReassignPartitions,
    { partitions: [{ ...partition, brokerIds: [1] }] },
    onCluster('alter'),
    CLUSTER,
  ),
  'AdminService/ListPartitionReassignments': on(
    adminService.ListPartitionReassignments,
    {},
    onCluster('describe'),
    CLUSTER,
  ),
  'AdminService/DeleteTopics': on(
    adminService.DeleteTopics,
    { topics: [{ name: 'orders' }] },
    topic('delete'),
    TOPIC,
  ),
  'QuorumService/DescribeQuorum': on(
    quorumService.DescribeQuorum,
    { allowStale: true },
    onCluster('describe'),
    CLUSTER,
  ),
  'QuorumService/AddVoter': on(quorumService.AddVoter, {}, onCluster('alter'), CLUSTER),
  'QuorumService/RemoveVoter': on(quorumService.RemoveVoter, {}, onCluster('alter'), CLUSTER),
  'QuorumService/TransferLeadership': on(quorumService.TransferLeadership, {}, onCluster('alter'), CLUSTER),
  'SecurityService/AlterScramCredentials': on(
    securityService.AlterScramCredentials,
    {
      upsertions: [
        { user: 'eve', mechanism: 'SCRAM-SHA-256', salt, storedKey: key, serverKey: key, iterations: 4096 },
      ],
    },
    onCluster('alter'),
    CLUSTER,
  ),
  'SecurityService/DescribeScramCredentials': on(
    securityService.DescribeScramCredentials,
    {},
    onCluster('describe'),
    CLUSTER,
  ),
  'SecurityService/CreateAcls': on(securityService.CreateAcls, { acls: [] }, onCluster('alter'), CLUSTER),
  'SecurityService/DeleteAcls': on(
    securityService.DeleteAcls,
    { filters: [{ principal: 'User:nobody' }] },
    onCluster('alter'),
    CLUSTER,
  ),
  'SecurityService/DescribeAcls': on(securityService.DescribeAcls, {}, onCluster('describe'), CLUSTER),
  'SecurityService/AlterClientQuotas': on(
    securityService.AlterClientQuotas,
    { alterations: [] },
    onCluster('alter-configs'),
    CLUSTER,
  ),
  'SecurityService/DescribeClientQuotas': on(
    securityService.DescribeClientQuotas,
    {},
    onCluster('describe-configs'),
    CLUSTER,
  ),
};

/** Told apart below, or by the rule alone. */
const elsewhere: Readonly<Record<string, string>> = {
  'LogService/ProduceStream': 'a stream, below',
  'LogService/FetchStream': 'a stream, below',
  'ClusterService/WatchMetadata': 'a stream, below',
  'ClusterService/DescribeCluster': 'known: authentication.test.ts',
  'AuthService/StartAuthentication': 'open: authentication.test.ts',
  'AuthService/FinishAuthentication': 'open: authentication.test.ts',
  'PeerService/Send': 'node: test/integration/tls.test.ts',
  'Health/Check': 'open: authentication.test.ts',
  'Health/Watch': 'open',
  'ServerReflection/ServerReflectionInfo': 'known, below',
};

const shortName = (path: string): string => path.replace(/^\/.*\.(\w+\/\w+)$/, '$1');
const paths = Object.values(definitions).flatMap((service) =>
  Object.values(service as unknown as Record<string, { path: string }>).map(({ path }) => path),
);

interface Answer {
  readonly error?: { readonly name: string } | null;
  readonly [list: string]: unknown;
}

/** `served`, the name of the first error, `empty`, or the status. */
async function outcome(caller: TestCaller, { method, request }: Case): Promise<string> {
  try {
    const answer = (await caller.call(method, request as never)) as Answer;
    const lists = Object.values(answer).filter((value) => Array.isArray(value)) as Answer[][];
    const errors = [answer, ...lists.flat()].flatMap((each) => each.error?.name ?? []);
    if (errors.length > 0) return errors[0]!;
    return lists.length > 0 && lists.every((list) => list.length === 0) ? 'empty' : 'served';
  } catch (error) {
    return `status ${status[(error as ServiceError).code]}`;
  }
}

describe('the rules of RPCs', () => {
  it('are there for every RPC, and each is put to the test', () => {
    const v1alpha = [...rpcRules.keys()].filter((path) => path.includes('v1alpha'));
    expect([...rpcRules.keys()].sort()).to.deep.equal([...paths, ...v1alpha].sort());
    const groups = paths.filter((path) => path.includes('GroupService')).map(shortName);
    const told = [...Object.keys(cases), ...Object.keys(elsewhere), ...groups];
    expect([...new Set(paths.map(shortName))].sort()).to.deep.equal(told.sort());
  });

  describe('over a live broker', () => {
    let secured: SecuredBroker;
    let ann: TestCaller;

    before(async () => {
      secured = await SecuredBroker.start();
      await secured.broker.createTopic('orders');
      await secured.broker.createTopic('secrets');
      ann = await secured.as('ann');
    });
    after(() => secured.stop());
    afterEach(async () => {
      await secured.admin.call(securityService.DeleteAcls, { filters: [{}] });
    });

    for (const [name, each] of Object.entries(cases)) {
      it(`${name}: refused without, served with ${each.needs.operation} on the ${each.needs.resourceType}`, async () => {
        expect(await outcome(ann, each)).to.equal(each.refused);
        await secured.allow(each.needs);
        const served = await outcome(ann, each);
        // Whatever it then says (an empty request is refused for what it is), it is not about who asks.
        expect(served).to.not.match(/AUTHORIZATION|PERMISSION_DENIED|UNAUTHENTICATED/);
        if (each.refused === 'empty') expect(served).to.not.equal('empty');
        await secured.allow({ ...each.needs, permission: 'deny' });
        expect(await outcome(ann, each), 'denying wins').to.equal(each.refused);
      });
    }

    it('judge each thing a request names by itself, and answer in the order asked', async () => {
      await secured.broker.createTopic('orders');
      await secured.allow(topic('describe', 'secrets'));
      const { results } = await ann.call(logService.ListOffsets, {
        partitions: ['orders', 'secrets', 'orders', 'nowhere'].map((name) => ({
          topic: name,
          partition: 0,
          timestampMs: -1,
        })),
      });
      expect(results.map(({ topic: name, error }) => `${name} ${error?.name ?? 'ok'}`)).to.deep.equal([
        `orders ${TOPIC}`,
        'secrets ok',
        `orders ${TOPIC}`,
        `nowhere ${TOPIC}`,
      ]);
    });

    it('see through ids: a topic that may not be read by name may not be read by id', async () => {
      const { topics } = await secured.admin.call(clusterService.GetMetadata, {
        topics: [{ name: 'secrets' }],
      });
      const { topicId } = topics[0]!;
      const { results } = await ann.call(logService.Fetch, {
        partitions: [{ topicId, partition: 0, fetchOffset: 0 }],
      });
      expect(results[0]!.error?.name).to.equal(TOPIC);
      const offsets = await ann.call(logService.ListOffsets, {
        partitions: [{ topicId, partition: 0, timestampMs: -1 }],
      });
      expect(offsets.results[0]!.error?.name).to.equal(TOPIC);
    });

    it('hide topics that may not be described', async () => {
      await secured.allow(topic('read', 'secrets'));
      const { topics } = await ann.call(clusterService.GetMetadata, { allTopics: true });
      expect(topics.map(({ name }) => name)).to.deep.equal(['secrets']);
    });

    it('let prefixes through, and hosts', async () => {
      await secured.broker.createTopic('app-1');
      const produce = { partitions: [{ topic: 'app-1', partition: 0, batches: batchOf(['x']) }] };
      const told = async (): Promise<string | undefined> =>
        (await ann.call(logService.Produce, produce)).results[0]!.error?.name;
      await secured.allow({ ...topic('write', 'app-'), patternType: 'prefixed', host: '10.0.0.1' });
      expect(await told()).to.equal(TOPIC);
      await secured.allow({ ...topic('write', 'app-'), patternType: 'prefixed', host: '127.0.0.1' });
      expect(await told()).to.equal(undefined);
      await secured.allow({ ...topic('write', 'app-1'), principal: 'User:*', permission: 'deny' });
      expect(await told()).to.equal(TOPIC);
    });

    it('hold for streams, from one request to the next', async () => {
      await secured.broker.createTopic('orders');
      const { path, requestSerialize, responseDeserialize } = logService.ProduceStream;
      const produce = ann.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
      const answers = produce[Symbol.asyncIterator]() as AsyncIterator<{
        response: { results: { error: { name: string } | null }[] };
      }>;
      const send = async (correlationId: number): Promise<string | undefined> => {
        const partitions = [{ topic: 'orders', partition: 0, batches: batchOf(['y']) }];
        produce.write({ correlationId, request: { partitions } });
        const { value } = await answers.next();
        return (value as { response: { results: { error: { name: string } | null }[] } }).response.results[0]!
          .error?.name;
      };
      expect(await send(1)).to.equal(TOPIC);
      await secured.allow(topic('write'));
      expect(await send(2)).to.equal(undefined);
      await secured.allow({ ...topic('write'), permission: 'deny' });
      expect(await send(3)).to.equal(TOPIC);
      produce.on('error', () => undefined);
      produce.cancel();

      const fetchMethod = logService.FetchStream;
      const fetch = ann.client.makeBidiStreamRequest(
        fetchMethod.path,
        fetchMethod.requestSerialize,
        fetchMethod.responseDeserialize,
      );
      const pushes = fetch[Symbol.asyncIterator]() as AsyncIterator<{
        results: { error: { name: string } | null; batches: Buffer }[];
      }>;
      const next = async (): Promise<string> => {
        const { value } = await pushes.next();
        const [result] = (value as { results: { error: { name: string } | null; batches: Buffer }[] })
          .results;
        return result!.error?.name ?? `${result!.batches.length > 0}`;
      };
      const add = [{ topic: 'orders', partition: 0, fetchOffset: 0, positionId: 1 }];
      fetch.write({ add, creditBytes: 1_000_000 });
      expect(await next()).to.equal(TOPIC);
      await secured.allow(topic('read'));
      fetch.write({ add, creditBytes: 1_000_000 });
      expect(await next()).to.equal('true');
      // What comes after the right was taken away is not shown.
      await secured.allow({ ...topic('read'), permission: 'deny' });
      await secured.broker.produce({ topic: 'orders', partition: 0, batches: batchOf(['z']) });
      expect(await next()).to.equal(TOPIC);
      fetch.on('error', () => undefined);
      fetch.cancel();
    });
  });
});
