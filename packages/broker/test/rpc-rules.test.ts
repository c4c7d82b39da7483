// Authorization, RPC by RPC, over every RPC there is: whoever lacks the right is refused, whoever has it is served. A new RPC without
// a rule, or without its line in this table, fails here.

import { once } from 'node:events';
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
const group = (operation: Binding['operation'], resourceName = 'payers'): Binding => ({
  resourceType: 'group',
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
const GROUP = 'GROUP_AUTHORIZATION_FAILED';
const CLUSTER = 'status PERMISSION_DENIED';
const partition = { topic: 'orders', partition: 0 };
const refusedTopicConfig = { resource: { type: 'CONFIG_RESOURCE_TYPE_TOPIC', name: 'orders' } };
const salt = Buffer.alloc(24);
const key = Buffer.alloc(32);

/** Those that a single question decides. Streams, and offsets of groups, have stories of their own below. */
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
  'AdminService/UnregisterBroker': on(
    adminService.UnregisterBroker,
    { brokerId: 77 },
    onCluster('alter'),
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
  'GroupService/FindCoordinator': on(
    groupService.FindCoordinator,
    { groupIds: ['payers'] },
    group('describe'),
    GROUP,
  ),
  'GroupService/JoinGroup': on(
    groupService.JoinGroup,
    {
      groupId: 'payers',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    },
    group('read'),
    GROUP,
  ),
  'GroupService/SyncGroup': on(
    groupService.SyncGroup,
    { groupId: 'payers', generationId: 1, memberId: 'm' },
    group('read'),
    GROUP,
  ),
  'GroupService/Heartbeat': on(
    groupService.Heartbeat,
    { groupId: 'payers', generationId: 1, memberId: 'm' },
    group('read'),
    GROUP,
  ),
  'GroupService/LeaveGroup': on(
    groupService.LeaveGroup,
    { groupId: 'payers', members: [{ memberId: 'm' }] },
    group('read'),
    GROUP,
  ),
  'GroupService/ListGroups': on(groupService.ListGroups, {}, group('describe'), 'empty'),
  'GroupService/DescribeGroups': on(
    groupService.DescribeGroups,
    { groupIds: ['payers'] },
    group('describe'),
    GROUP,
  ),
  'GroupService/DeleteGroups': on(
    groupService.DeleteGroups,
    { groupIds: ['nobody'] },
    group('delete', 'nobody'),
    GROUP,
  ),
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
  'GroupService/CommitOffsets': 'two questions, below',
  'GroupService/FetchOffsets': 'two questions, below',
  'GroupService/DeleteOffsets': 'two questions, below',
  'ClusterService/DescribeCluster': 'known: authentication.test.ts',
  'AuthService/StartAuthentication': 'open: authentication.test.ts',
  'AuthService/FinishAuthentication': 'open: authentication.test.ts',
  'PeerService/Send': 'node: test/integration/tls.test.ts',
  'Health/Check': 'open: authentication.test.ts',
  'Health/Watch': 'open, below',
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

/** Asks until it is so. */
async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('it is not so after ten seconds');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('the rules of RPCs', () => {
  it('are there for every RPC, and each is put to the test', () => {
    const v1alpha = [...rpcRules.keys()].filter((path) => path.includes('v1alpha'));
    expect([...rpcRules.keys()].sort()).to.deep.equal([...paths, ...v1alpha].sort());
    const told = [...Object.keys(cases), ...Object.keys(elsewhere)];
    expect([...new Set(paths.map(shortName))].sort()).to.deep.equal(told.sort());
  });

  describe('over a live broker', () => {
    let secured: SecuredBroker;
    let ann: TestCaller;

    before(async () => {
      secured = await SecuredBroker.start();
      await secured.broker.createTopic('orders');
      await secured.broker.createTopic('secrets');
      // A group that is there: with an offset in each of the topics.
      await eventually(async () => {
        const { coordinators } = await secured.admin.call(groupService.FindCoordinator, {
          groupIds: ['payers'],
        });
        if (coordinators[0]!.error !== null) return false;
        const offsets = ['orders', 'secrets'].map((name) => ({ topic: name, partition: 0, offset: 7 }));
        const asked = { groupId: 'payers', generationId: -1, offsets };
        const { error } = await secured.admin.call(groupService.CommitOffsets, asked);
        return error === null;
      });
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

    it('ask for both topics where a name and an id are of two', async () => {
      await secured.broker.createTopic('orders');
      await secured.allow(topic('all'));
      const { topics } = await secured.admin.call(clusterService.GetMetadata, {
        topics: [{ name: 'secrets' }],
      });
      const both = { topicId: topics[0]!.topicId, partition: 0 };
      const offsets = await ann.call(logService.ListOffsets, {
        partitions: [{ ...both, topic: 'orders', timestampMs: -1 }],
      });
      expect(offsets.results[0]!.error?.name).to.equal(TOPIC);
      const { results } = await ann.call(adminService.DeleteTopics, {
        topics: [{ name: 'orders', topicId: topics[0]!.topicId }],
      });
      // Without the name of the other, which the controller would tell.
      expect(results[0]!.error?.name).to.equal(TOPIC);
      expect(results[0]!.error?.message).to.not.contain('secrets');
    });

    it('ask for the group and for each topic where a group’s offsets are named', async () => {
      const offsets = ['orders', 'secrets'].map((name) => ({ topic: name, partition: 0, offset: 8 }));
      const partitions = offsets.map(({ topic: name, partition: index }) => ({
        topic: name,
        partition: index,
      }));
      const commit = () =>
        ann.call(groupService.CommitOffsets, { groupId: 'payers', generationId: -1, offsets });
      const fetched = () => ann.call(groupService.FetchOffsets, { groupId: 'payers', partitions });
      const all = () => ann.call(groupService.FetchOffsets, { groupId: 'payers', allPartitions: true });
      const remove = () => ann.call(groupService.DeleteOffsets, { groupId: 'payers', partitions });
      const told = (results: readonly { topic: string; error: { name: string } | null }[]): string[] =>
        results.map(({ topic: name, error }) => `${name} ${error?.name ?? 'ok'}`);

      // Topics alone say nothing about the group.
      await secured.allow(topic('all'), topic('all', 'secrets'));
      for (const asked of [commit, fetched, all, remove]) expect((await asked()).error?.name).to.equal(GROUP);
      await secured.admin.call(securityService.DeleteAcls, { filters: [{}] });

      await secured.allow(group('read'), group('delete'), topic('read'));
      expect(told((await commit()).results)).to.deep.equal(['orders ok', `secrets ${TOPIC}`]);
      expect((await fetched()).error?.name).to.equal(TOPIC);
      expect((await all()).offsets.map(({ topic: name, offset }) => `${name} ${offset}`)).to.deep.equal([
        'orders 8',
      ]);
      const removed = told((await remove()).results);
      expect(removed).to.deep.equal(['orders ok', `secrets ${TOPIC}`]);
      await secured.allow(topic('read', 'secrets'));
      expect((await fetched()).offsets.map(({ topic: name, offset }) => `${name} ${offset}`)).to.deep.equal([
        'orders -1',
        'secrets 7',
      ]);
    });

    it('show groups to whoever may see the cluster described', async () => {
      expect((await ann.call(groupService.ListGroups, {})).groups).to.deep.equal([]);
      await secured.allow(onCluster('describe'));
      expect((await ann.call(groupService.ListGroups, {})).groups.map(({ groupId }) => groupId)).to.include(
        'payers',
      );
    });

    it('hide topics that may not be described', async () => {
      await secured.allow(topic('read', 'secrets'));
      const { topics } = await ann.call(clusterService.GetMetadata, { allTopics: true });
      expect(topics.map(({ name }) => name)).to.deep.equal(['secrets']);
    });

    it('refuse a host that no call can come from, whatever it is made of', async () => {
      const hosts = ['fe80::1%eth0', 'fe80::1%', '::1/64', '::ffff:10.0.0.1', '0:0:0:0:0:0:0:1', 'localhost'];
      const acls = hosts.map((host) => ({
        ...topic('write', 'hosted'),
        patternType: 'literal',
        permission: 'allow',
        host,
      }));
      const { results } = await secured.admin.call(securityService.CreateAcls, { acls });
      expect(results.map(({ error }) => error?.name)).to.deep.equal(hosts.map(() => 'INVALID_REQUEST'));
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

    it('hold for whoever watches metadata, from one change to the next', async () => {
      await secured.broker.createTopic('orders');
      const { path, requestSerialize, responseDeserialize } = clusterService.WatchMetadata;
      const request = { topics: [{ name: 'orders' }] };
      const watch = ann.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
      watch.on('error', () => undefined);
      const answers = watch[Symbol.asyncIterator]() as AsyncIterator<{
        metadata: { topics: { error: { name: string } | null }[] };
      }>;
      const shown = async (): Promise<string> => {
        const { value } = await answers.next();
        const { metadata } = value as { metadata: { topics: { error: { name: string } | null }[] } };
        return metadata.topics[0]!.error?.name ?? 'described';
      };
      expect(await shown()).to.equal(TOPIC);
      await secured.allow(topic('describe'));
      expect(await shown()).to.equal('described');
      await secured.allow({ ...topic('describe'), permission: 'deny' });
      expect(await shown()).to.equal(TOPIC);
      watch.cancel();
    });

    it('let anybody watch the health, and anybody who is known see what is served', async () => {
      const unknown = secured.caller();
      const { path, requestSerialize, responseDeserialize } = healthService.Watch;
      const health = unknown.client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
        service: '',
      });
      health.on('error', () => undefined);
      const [seen] = (await once(health, 'data')) as [{ status: string }];
      expect(seen.status).to.equal('SERVING');
      health.cancel();
      const listed = async (from: TestCaller): Promise<string> => {
        const info = reflectionService.ServerReflectionInfo;
        const stream = from.client.makeBidiStreamRequest(
          info.path,
          info.requestSerialize,
          info.responseDeserialize,
        );
        stream.write({ listServices: '' });
        return new Promise((resolve) => {
          stream.on('error', (error: ServiceError) => resolve(`status ${status[error.code]}`));
          stream.on('data', () => {
            resolve('served');
            stream.cancel();
          });
        });
      };
      expect(await listed(unknown)).to.equal('status UNAUTHENTICATED');
      expect(await listed(ann)).to.equal('served');
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
