import { expect } from 'chai';
import fc from 'fast-check';
import {
  adminService,
  clusterService,
  groupService,
  logService,
  type JoinGroupResponseOutput,
  type SyncGroupResponseOutput,
} from '@tidemark/rpc';
import { committed, StoryMember, type Call } from './group-story.ts';
import { batchOf, TestBroker } from './harness.ts';

const OFFSETS = '__consumer_offsets';
const SETTINGS = { 'group.initial.rebalance.delay.ms': '0', 'offsets.topic.num.partitions': '3' };

/** Resolves when the coordinator serves: after the topic was created, or after a restart, it reads first. */
async function served(broker: TestBroker, groupId: string): Promise<void> {
  await broker.call(groupService.FindCoordinator, { groupIds: [groupId] });
  for (;;) {
    const { error } = await broker.call(groupService.FetchOffsets, { groupId, allPartitions: true });
    if (error === null) return;
    expect(error.name).to.equal('COORDINATOR_LOAD_IN_PROGRESS');
  }
}

describe('the group service', () => {
  let broker: TestBroker;
  let call: Call;
  beforeEach(async () => {
    broker = await TestBroker.start(SETTINGS);
    call = (method, request) => broker.call(method, request);
    await broker.createTopic('orders', 4);
  });
  afterEach(() => broker.stop());

  it('creates the topic of the groups, compacted (rule 16), when the first one asks for its coordinator', async () => {
    const before = await call(groupService.Heartbeat, { groupId: 'g', memberId: 'm', generationId: 1 });
    expect(before.error?.name).to.equal('COORDINATOR_NOT_AVAILABLE');
    const { coordinators } = await call(groupService.FindCoordinator, { groupIds: ['g', ''] });
    expect(coordinators[0]).to.deep.include({ groupId: 'g', error: null, nodeId: 1, port: broker.port });
    expect(coordinators[1]!.error?.name).to.equal('INVALID_GROUP_ID');
    const { topics } = await call(clusterService.GetMetadata, { topics: [{ name: OFFSETS }] });
    expect(topics[0]).to.deep.include({ name: OFFSETS, internal: true });
    expect(topics[0]!.partitions).to.have.length(3);
    const { results } = await call(adminService.DescribeConfigs, {
      resources: [{ type: 'CONFIG_RESOURCE_TYPE_TOPIC', name: OFFSETS }],
    });
    const configs = new Map(results[0]!.entries.map(({ name, value }) => [name, value]));
    expect(configs.get('cleanup.policy')).to.equal('compact');
    expect(configs.get('segment.bytes')).to.equal(String(100 * 1024 * 1024));
  });

  it('takes two members through a generation: join, sync, heartbeat, commit, fetch, leave', async () => {
    await served(broker, 'g');
    const [one, two] = [new StoryMember(call, 'g', ['orders']), new StoryMember(call, 'g', ['orders'])];
    const alone = await one.join();
    expect(alone).to.deep.include({
      error: null,
      generationId: 1,
      leader: one.memberId,
      protocolName: 'range',
    });
    expect(one.memberId).to.match(/^story-[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect((await one.sync('orders', { [one.memberId]: [0, 1, 2, 3] })).error).to.equal(null);

    // The second makes the first come again.
    const joining = two.join();
    let told: string | undefined;
    while (told !== 'REBALANCE_IN_PROGRESS') told = (await one.heartbeat()).error?.name;
    const joined: JoinGroupResponseOutput[] = await Promise.all([one.join(), joining]);
    expect(joined.map(({ generationId, leader }) => [generationId, leader])).to.deep.equal([
      [2, one.memberId],
      [2, one.memberId],
    ]);
    expect(joined[0]!.members.map(({ memberId }) => memberId)).to.have.members([one.memberId, two.memberId]);
    const synced: SyncGroupResponseOutput[] = await Promise.all([
      two.sync(),
      one.sync('orders', { [one.memberId]: [0, 1], [two.memberId]: [2, 3] }),
    ]);
    expect(synced.map(({ error }) => error)).to.deep.equal([null, null]);
    expect(synced[0]!.assignment.equals(synced[1]!.assignment)).to.equal(false);
    expect((await two.heartbeat()).error).to.equal(null);

    const { error, results } = await two.commit(
      { topic: 'orders', partition: 2, offset: 7, leaderEpoch: 0, metadata: 'seven' },
      { topic: 'orders', partition: 9, offset: 1 },
      { topic: 'nowhere', partition: 0, offset: 1 },
      { topic: 'orders', partition: 3, offset: 8, metadata: 'x'.repeat(5_000) },
    );
    expect(error).to.equal(null);
    expect(results.map((each) => each.error?.name)).to.deep.equal([
      undefined,
      'UNKNOWN_TOPIC_OR_PARTITION',
      'UNKNOWN_TOPIC_OR_PARTITION',
      'OFFSET_METADATA_TOO_LARGE',
    ]);
    const fetched = await call(groupService.FetchOffsets, {
      groupId: 'g',
      partitions: [
        { topic: 'orders', partition: 3 },
        { topic: 'orders', partition: 2 },
      ],
    });
    expect(fetched.offsets[0]).to.deep.include({ partition: 3, offset: -1, commitTimestampMs: 0 });
    expect(fetched.offsets[1]).to.deep.include({
      partition: 2,
      offset: 7,
      leaderEpoch: 0,
      metadata: 'seven',
    });
    expect(fetched.offsets[1]!.commitTimestampMs).to.be.closeTo(Date.now(), 60_000);

    const late = await call(groupService.CommitOffsets, {
      ...{ groupId: 'g', memberId: one.memberId, generationId: 1 },
      offsets: [{ topic: 'orders', partition: 0, offset: 1 }],
    });
    expect(late.error?.name).to.equal('ILLEGAL_GENERATION');

    const { groups } = await call(groupService.DescribeGroups, { groupIds: ['g', 'none'] });
    expect(groups[0]).to.deep.include({
      groupId: 'g',
      state: 'Stable',
      generationId: 2,
      protocolName: 'range',
    });
    expect(groups[0]!.members.map(({ clientHost, clientId }) => [clientHost, clientId])).to.deep.equal([
      ['127.0.0.1', 'story'],
      ['127.0.0.1', 'story'],
    ]);
    expect(groups[0]!.rebalances.map(({ cause, memberIds }) => [cause, memberIds])).to.deep.equal([
      ['REBALANCE_CAUSE_MEMBER_JOINED', [one.memberId]],
      ['REBALANCE_CAUSE_MEMBER_JOINED', [two.memberId]],
    ]);
    expect(groups[1]!.error?.name).to.equal('GROUP_ID_NOT_FOUND');
    expect((await call(groupService.ListGroups, { states: ['Stable'] })).groups).to.deep.equal([
      { groupId: 'g', protocolType: 'consumer', state: 'Stable' },
    ]);
    expect((await call(groupService.ListGroups, { states: ['stable'] })).error?.name).to.equal(
      'INVALID_REQUEST',
    );

    const subscribed = await call(groupService.DeleteOffsets, {
      groupId: 'g',
      partitions: [{ topic: 'orders', partition: 2 }],
    });
    expect(subscribed.results[0]!.error?.name).to.equal('GROUP_SUBSCRIBED_TO_TOPIC');
    const full = await call(groupService.DeleteGroups, { groupIds: ['g'] });
    expect(full.results[0]!.error?.name).to.equal('NON_EMPTY_GROUP');
    const left = await call(groupService.LeaveGroup, {
      groupId: 'g',
      members: [{ memberId: one.memberId, reason: 'done' }, { memberId: two.memberId }, { memberId: 'who' }],
    });
    expect(left.members.map((each) => each.error?.name)).to.deep.equal([
      undefined,
      undefined,
      'UNKNOWN_MEMBER_ID',
    ]);
    expect(await committed(call, 'g')).to.deep.equal({ 'orders-2': 7 });
    expect((await call(groupService.DeleteGroups, { groupIds: ['g'] })).results[0]!.error).to.equal(null);
    expect(await committed(call, 'g')).to.deep.equal({});
  });

  it('is counted on the metrics page', async () => {
    await served(broker, 'g');
    await new StoryMember(call, 'g', []).commit({ topic: 'orders', partition: 0, offset: 1 });
    while ((await call(groupService.ListGroups, {})).error !== null);
    const page = await (await fetch(`http://127.0.0.1:${broker.broker.ports.get('HTTP')}/metrics`)).text();
    expect(page).to.contain('tidemark_groups{state="Empty"} 1\n');
    expect(page).to.contain('tidemark_group_partitions{state="active"} 3\n');
    expect(page).to.contain('tidemark_group_waiting_requests 0\n');
    expect(page).to.contain('tidemark_request_latency_seconds_count{rpc="CommitOffsets"} 1\n');
  });

  it('keeps what is committed over a restart', async () => {
    await served(broker, 'simple');
    const outside = new StoryMember(call, 'simple', []);
    for (let offset = 1; offset <= 50; offset++) {
      expect((await outside.commit({ topic: 'orders', partition: 1, offset })).error).to.equal(null);
    }
    await broker.stop(true);
    broker = await TestBroker.start(SETTINGS, broker.folder);
    await served(broker, 'simple');
    expect(await committed(call, 'simple')).to.deep.equal({ 'orders-1': 50 });
  });

  it('forgets what was read of a topic when it is deleted', async () => {
    await served(broker, 'g');
    await broker.createTopic('gone', 1);
    const outside = new StoryMember(call, 'g', []);
    await outside.commit(
      { topic: 'gone', partition: 0, offset: 5 },
      { topic: 'orders', partition: 0, offset: 6 },
    );
    expect(await committed(call, 'g')).to.deep.equal({ 'gone-0': 5, 'orders-0': 6 });
    await call(adminService.DeleteTopics, { topics: [{ name: 'gone' }] });
    let left = await committed(call, 'g');
    for (let tries = 0; tries < 200 && 'gone-0' in (left as object); tries++)
      left = await committed(call, 'g');
    expect(left).to.deep.equal({ 'orders-0': 6 });
  });

  it('answers a member that waits for others when the node shuts down', async () => {
    await served(broker, 'g');
    const [one, two] = [new StoryMember(call, 'g', ['orders']), new StoryMember(call, 'g', ['orders'])];
    await one.join();
    await one.sync('orders', { [one.memberId]: [0] });
    const waiting = two.join();
    while ((await one.heartbeat()).error === null);
    const startedMs = performance.now();
    const stopped = broker.stop(true);
    expect((await waiting).error?.name).to.equal('NOT_COORDINATOR');
    await stopped;
    expect(performance.now() - startedMs).to.be.below(5_000);
    broker = await TestBroker.start(SETTINGS, broker.folder);
  });

  it('lets clients read the topic of the groups, and nothing else', async () => {
    await served(broker, 'g');
    const { topics } = await call(clusterService.GetMetadata, { topics: [{ name: OFFSETS }] });
    const topicId = topics[0]!.topicId;
    // Its partitions are opened one by one.
    while ((await broker.fetch({ topicId, partition: 0 })).error !== null);
    for (const place of [{ topic: OFFSETS }, { topicId }]) {
      const produced = await broker.produce({ ...place, partition: 0, batches: batchOf(['x']) });
      expect(produced.error?.name).to.equal('INVALID_TOPIC_EXCEPTION');
      expect((await broker.fetch({ ...place, partition: 0 })).error).to.equal(null);
      const removed = await call(logService.DeleteRecords, { partitions: [{ ...place, beforeOffset: -1 }] });
      expect(removed.results[0]!.error?.name).to.equal('INVALID_TOPIC_EXCEPTION');
    }
    const deleted = await call(adminService.DeleteTopics, { topics: [{ topicId }] });
    expect(deleted.results[0]!.error?.name).to.equal('INVALID_TOPIC_EXCEPTION');
    const grown = await call(adminService.CreatePartitions, { topics: [{ name: OFFSETS, totalCount: 9 }] });
    expect(grown.results[0]!.error?.name).to.equal('INVALID_TOPIC_EXCEPTION');
    const created = await call(adminService.CreateTopics, { topics: [{ name: OFFSETS }, { name: 'fine' }] });
    expect(created.results.map(({ name, error }) => [name, error?.name])).to.deep.equal([
      [OFFSETS, 'INVALID_TOPIC_EXCEPTION'],
      ['fine', undefined],
    ]);
  });

  it('refuses what would cost more than it may', async () => {
    await served(broker, 'g');
    const many = Array.from({ length: 1_001 }, (_, at) => `g${at}`);
    const described = await call(groupService.DescribeGroups, { groupIds: many });
    expect(described.groups[0]!.error?.name).to.equal('INVALID_REQUEST');
    const twice = await call(groupService.DescribeGroups, { groupIds: ['g', 'g'] });
    expect(twice.groups[0]!.error?.name).to.equal('INVALID_REQUEST');
    // A long name in each record: some 100 MB of what came as 200 kB.
    const groupId = 'n'.repeat(10_000);
    const offsets = Array.from({ length: 10_000 }, () => ({ topic: 'orders', partition: 0, offset: 1 }));
    const large = await call(groupService.CommitOffsets, { groupId, generationId: -1, offsets });
    expect(large.error?.name).to.equal('INVALID_REQUEST');
    expect(large.error?.message).to.contain('commit fewer');
  });
});

describe('the group service against whatever may come', () => {
  it('answers everything, and goes on', async () => {
    const broker = await TestBroker.start(SETTINGS);
    let failed: unknown;
    void broker.broker.failed.then((cause) => {
      failed = cause;
    });
    await broker.createTopic('orders', 2);
    await served(broker, 'g');
    const text = fc.constantFrom(
      '',
      'g',
      'orders',
      'range',
      'consumer',
      'm',
      '\u0000',
      '🙂',
      'x'.repeat(33_000),
    );
    const int = fc.constantFrom(-1, 0, 1, 6_000, 2 ** 31 - 1, -(2 ** 31));
    const bytes = fc.constantFrom(Buffer.alloc(0), Buffer.from([0, 3, 255]), Buffer.alloc(100_000));
    const list = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(of, { maxLength: 3 });
    const who = { groupId: text, memberId: text, groupInstanceId: text, generationId: int };
    const place = fc.record({ topic: text, partition: int });
    const calls: fc.Arbitrary<() => Promise<unknown>> = fc.oneof(
      fc
        .record({
          ...{ groupId: text, memberId: text, groupInstanceId: text, clientId: text, reason: text },
          ...{ sessionTimeoutMs: int, rebalanceTimeoutMs: int, protocolType: text },
          protocols: list(fc.record({ name: text, metadata: bytes })),
        })
        .map((request) => () => broker.call(groupService.JoinGroup, request)),
      fc
        .record({ ...who, assignments: list(fc.record({ memberId: text, assignment: bytes })) })
        .map((request) => () => broker.call(groupService.SyncGroup, request)),
      fc.record(who).map((request) => () => broker.call(groupService.Heartbeat, request)),
      fc
        .record({ groupId: text, members: list(fc.record({ memberId: text, groupInstanceId: text })) })
        .map((request) => () => broker.call(groupService.LeaveGroup, request)),
      fc
        .record({
          ...who,
          offsets: list(
            fc.record({
              ...{ topic: text, partition: int, leaderEpoch: int, metadata: text },
              offset: fc.constantFrom(-1, 0, 2 ** 53, 9e18),
            }),
          ),
        })
        .map((request) => () => broker.call(groupService.CommitOffsets, request)),
      fc
        .record({ groupId: text, partitions: list(place), allPartitions: fc.boolean() })
        .map((request) => () => broker.call(groupService.FetchOffsets, request)),
      fc
        .record({ groupId: text, partitions: list(place) })
        .map((request) => () => broker.call(groupService.DeleteOffsets, request)),
      fc
        .record({ groupIds: list(text) })
        .map((request) => () => broker.call(groupService.DeleteGroups, request)),
      fc
        .record({ groupIds: list(text) })
        .map((request) => () => broker.call(groupService.DescribeGroups, request)),
      fc
        .record({ groupIds: list(text) })
        .map((request) => () => broker.call(groupService.FindCoordinator, request)),
    );
    // Those that wait for others to join are left waiting.
    const asked = fc.sample(calls, { numRuns: 400, seed: 7 }).map((call) => call());
    const answered = Promise.all(asked.map((answer) => answer.catch(() => undefined)));
    const outside = new StoryMember((method, request) => broker.call(method, request), 'sound', []);
    expect((await outside.commit({ topic: 'orders', partition: 0, offset: 3 })).error).to.equal(null);
    await broker.stop();
    await answered;
    expect(failed).to.equal(undefined);
  });
});

describe('the topic of the groups in a cluster that is too small', () => {
  it('is not created, and whoever asks is told what is missing', async () => {
    const broker = await TestBroker.start({ ...SETTINGS, 'offsets.topic.replication.factor': '3' });
    const { coordinators } = await broker.call(groupService.FindCoordinator, { groupIds: ['g'] });
    expect(coordinators[0]!.error?.name).to.equal('COORDINATOR_NOT_AVAILABLE');
    expect(coordinators[0]!.error?.message).to.contain('offsets.topic.replication.factor');
    await broker.stop();
  });
});
