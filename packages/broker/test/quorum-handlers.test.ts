import { expect } from 'chai';
import { failure } from '@tidemark/core';
import type { Offset, TidemarkError } from '@tidemark/core';
import { adminService, clusterService, quorumService } from '@tidemark/rpc';
import { addVoter } from '../src/handlers/add-voter.ts';
import { describeCluster } from '../src/handlers/cluster-description.ts';
import { describeClusterHealth } from '../src/handlers/describe-cluster-health.ts';
import { describeQuorum } from '../src/handlers/describe-quorum.ts';
import { electLeaders } from '../src/handlers/elect-leaders.ts';
import { forwardedReads, orForwarded } from '../src/handlers/forwarded-reads.ts';
import { describeConfigsWhenCurrent } from '../src/handlers/linearizable.ts';
import { listPartitionReassignments } from '../src/handlers/list-partition-reassignments.ts';
import { reassignPartitions } from '../src/handlers/reassign-partitions.ts';
import { removeVoter } from '../src/handlers/remove-voter.ts';
import { transferLeadership } from '../src/handlers/transfer-leadership.ts';
import { contextOf, directory, imageOf, progress, quorumOf, replica, StoryNode } from './quorum-story.ts';

const three = { brokers: [{ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 }] };
const replicas = [progress(2, 110, 12), progress(3, 60, 900), progress(4, 100, 30, false)];

function leader(): StoryNode {
  return new StoryNode(imageOf(three), quorumOf({ voterIds: [1, 2, 3], replicas }));
}

function follower(): StoryNode {
  return new StoryNode(imageOf(three), quorumOf({ voterIds: [1, 2, 3], role: 'follower' }), 2);
}

function lost(): StoryNode {
  const status = quorumOf({ voterIds: [1, 2, 3], role: 'prospective', leader: undefined });
  return new StoryNode(imageOf(three), status, 2);
}

/** The request and the answer as they cross the wire. */
async function call<I, O>(
  method: {
    requestSerialize(value: I): Buffer;
    requestDeserialize(bytes: Buffer): unknown;
    responseSerialize(value: never): Buffer;
    responseDeserialize(bytes: Buffer): O;
  },
  handler: (context: ReturnType<typeof contextOf>, request: never) => unknown,
  node: StoryNode,
  request: I,
  listenerName = 'CLIENT',
): Promise<O> {
  const arrived = method.requestDeserialize(method.requestSerialize(request)) as never;
  const answer = (await handler(contextOf(node, listenerName), arrived)) as never;
  return method.responseDeserialize(method.responseSerialize(answer));
}

describe('DescribeQuorum', () => {
  it('on the leader tells how far everybody is, after it made sure that it leads', async () => {
    const node = leader();
    const answer = await call(quorumService.DescribeQuorum, describeQuorum, node, {});
    expect(node.barriers).to.equal(1);
    expect(answer).to.deep.include({
      error: null,
      nodeId: 1,
      role: 'QUORUM_ROLE_LEADER',
      leaderId: 1,
      leaderDirectoryId: directory(1),
      term: 4,
      commitOffset: 100,
      logStartOffset: 10,
      logEndOffset: 110,
      appliedOffset: 100,
      snapshotOffset: -1,
    });
    expect(answer.voters).to.deep.equal([
      {
        nodeId: 1,
        directoryId: directory(1),
        host: 'host-1',
        port: 9291,
        matchOffset: 110,
        lag: 0,
        lastContactMs: 0,
        state: 'QUORUM_REPLICA_STATE_LEADER',
      },
      {
        nodeId: 2,
        directoryId: directory(2),
        host: 'host-2',
        port: 9291,
        matchOffset: 110,
        lag: 0,
        lastContactMs: 12,
        state: 'QUORUM_REPLICA_STATE_REPLICATING',
      },
      {
        nodeId: 3,
        directoryId: directory(3),
        host: 'host-3',
        port: 9291,
        matchOffset: 60,
        lag: 50,
        lastContactMs: 900,
        state: 'QUORUM_REPLICA_STATE_REPLICATING',
      },
    ]);
    expect(answer.observers.map((each) => [each.nodeId, each.lag, each.host])).to.deep.equal([
      [4, 10, 'host-4'],
    ]);
  });

  it('on a follower says where the leader is, at the listener the client came by', async () => {
    const controller = async (listenerName: string) =>
      (await call(quorumService.DescribeQuorum, describeQuorum, follower(), {}, listenerName)).error;
    expect(await controller('CLIENT_OUT')).to.deep.include({
      name: 'NOT_CONTROLLER',
      retriable: true,
      controller: { leaderId: 1, host: 'out-1', port: 19290 },
    });
    expect((await controller('CLIENT_ELSE'))?.controller).to.deep.equal({
      leaderId: 1,
      host: 'host-1',
      port: 9290,
    });
  });

  it('says who leads although that node has no client listener', async () => {
    const node = new StoryNode(imageOf({}), quorumOf({ voterIds: [1, 2, 3], role: 'follower' }), 2);
    const { error } = await call(quorumService.DescribeQuorum, describeQuorum, node, {});
    expect(error?.controller).to.deep.equal({ leaderId: 1, host: '', port: 0 });
  });

  it('asks the leader itself where clients have no way to it', async () => {
    const controllers = imageOf({});
    const voterIds = [1, 2, 3];
    const one = new StoryNode(controllers, quorumOf({ voterIds, replicas }), 1);
    const broker = new StoryNode(controllers, quorumOf({ voterIds, role: 'observer' }), 4);
    const served = forwardedReads(contextOf(one));
    broker.onForward = async (method, bytes) => {
      try {
        return { ok: true, response: await served(method, bytes) };
      } catch (error) {
        return failure((error as TidemarkError).error, (error as TidemarkError).message);
      }
    };
    const quorum = () => call(quorumService.DescribeQuorum, orForwarded('DescribeQuorum'), broker, {});
    const health = () =>
      call(clusterService.DescribeClusterHealth, orForwarded('DescribeClusterHealth'), broker, {});
    const answer = await quorum();
    expect(answer).to.deep.include({ error: null, nodeId: 1, role: 'QUORUM_ROLE_LEADER' });
    expect(answer.voters.map(({ lag }) => lag)).to.deep.equal([0, 0, 50]);
    expect(await health()).to.deep.include({ error: null, nodeId: 1, complete: true });
    // Deposed meanwhile: the caller is told so by whoever it asks, and looks for the next one.
    one.quorum = quorumOf({ voterIds, role: 'follower', leader: replica(3) });
    const { error } = await quorum();
    expect(error).to.deep.include({ name: 'NOT_CONTROLLER', controller: { leaderId: 1, host: '', port: 0 } });
  });

  it('forwards nothing where clients are told the way, or old answers will do', async () => {
    const node = follower();
    node.onForward = () => Promise.reject(new Error('forwarded'));
    const ask = (allowStale: boolean) =>
      call(quorumService.DescribeQuorum, orForwarded('DescribeQuorum'), node, {
        allowStale,
      });
    expect((await ask(false)).error?.controller?.host).to.equal('host-1');
    expect((await ask(true)).nodeId).to.equal(2);
  });

  it('on a leader deposed meanwhile sends the client on', async () => {
    const node = leader();
    node.onBarrier = () => {
      node.quorum = quorumOf({ voterIds: [1, 2, 3], role: 'follower', leader: replica(3) });
      return undefined;
    };
    const { error } = await call(quorumService.DescribeQuorum, describeQuorum, node, {});
    expect(error?.controller?.leaderId).to.equal(3);
  });

  it('with the majority lost shows what this node knows, when that will do', async () => {
    const node = lost();
    const refused = await call(quorumService.DescribeQuorum, describeQuorum, node, {});
    expect(refused.error).to.include({ name: 'NOT_CONTROLLER', controller: null });
    const answer = await call(quorumService.DescribeQuorum, describeQuorum, node, { allowStale: true });
    expect(node.barriers).to.equal(0);
    expect(answer).to.deep.include({ error: null, leaderId: -1, role: 'QUORUM_ROLE_PROSPECTIVE', nodeId: 2 });
    expect(answer.voters.map(({ nodeId, lag, lastContactMs }) => [nodeId, lag, lastContactMs])).to.deep.equal(
      [
        [1, -1, -1],
        [2, -1, -1],
        [3, -1, -1],
      ],
    );
  });
});

describe('changing the voters', () => {
  const request = { nodeId: 4, directoryId: directory(4), host: 'host-4', port: 9291 };

  it('passes a whole voter on, and refuses half a one', async () => {
    const node = leader();
    const add = (parts: Partial<typeof request>) =>
      call(quorumService.AddVoter, addVoter, node, { ...request, ...parts });
    expect((await add({})).error).to.equal(null);
    expect(node.changes).to.deep.equal([
      { type: 'add', voter: { ...replica(4), endpoint: { host: 'host-4', port: 9291 } } },
    ]);
    for (const wrong of [{ directoryId: 'x' }, { host: '' }, { host: 'a@b' }, { port: 0 }, { nodeId: -1 }]) {
      expect((await add(wrong)).error?.name, JSON.stringify(wrong)).to.equal('INVALID_REQUEST');
    }
    expect(node.changes).to.have.length(1);
  });

  it('tells the client where to go when the leader was lost on the way', async () => {
    const node = follower();
    node.outcome = failure('NOT_CONTROLLER');
    const { error } = await call(quorumService.AddVoter, addVoter, node, request);
    expect(error?.controller).to.include({ leaderId: 1, host: 'host-1' });
  });

  it('finds the directory id of the voter to remove, from the newest voters', async () => {
    const node = leader();
    node.onBarrier = () => {
      node.quorum = quorumOf({ voterIds: [1, 2, 5], replicas });
      return undefined;
    };
    const remove = (nodeId: number, directoryId = '') =>
      call(quorumService.RemoveVoter, removeVoter, node, { nodeId, directoryId });
    expect((await remove(5)).error).to.equal(null);
    expect(node.changes.at(-1)).to.deep.equal({ type: 'remove', replica: replica(5) });
    const { error } = await remove(3);
    expect(error).to.include({ name: 'INVALID_REQUEST' });
    expect(error?.message).to.contain('the voters are 1, 2, 5');
  });

  it('removes the replica of a disk that died by its directory id, without looking', async () => {
    const node = leader();
    const gone = directory(3, 1);
    await call(quorumService.RemoveVoter, removeVoter, node, { nodeId: 3, directoryId: gone });
    expect(node.barriers).to.equal(0);
    expect(node.changes).to.deep.equal([{ type: 'remove', replica: { nodeId: 3, directoryId: gone } }]);
  });

  it('hands leadership to one voter, node 0 included, or to any', async () => {
    const node = leader();
    const transfer = (to: { nodeId?: number }) =>
      call(quorumService.TransferLeadership, transferLeadership, node, to);
    await transfer({ nodeId: 0 });
    await transfer({});
    expect(node.transfers).to.deep.equal([0, undefined]);
    node.outcome = failure('REQUEST_TIMED_OUT');
    expect((await transfer({ nodeId: 2 })).error?.name).to.equal('REQUEST_TIMED_OUT');
  });
});

describe('DescribeCluster', () => {
  const story = {
    brokers: [{ id: 1 }, { id: 2, fenced: true }, { id: 4, leaving: true }],
    topics: {
      orders: [
        { replicas: [1, 2, 4], isr: [], leader: -1 },
        { replicas: [1, 2, 4], isr: [1], leader: 1 },
        { replicas: [1, 2, 4], isr: [1, 4], leader: 1 },
      ],
    },
  };
  const node = () => new StoryNode(imageOf(story), quorumOf({ voterIds: [1, 2, 3], replicas: [] }));

  it('lists every node: brokers, voters, what they do and where they are', async () => {
    const answer = await call(clusterService.DescribeCluster, describeCluster, node(), {});
    expect(answer).to.deep.include({
      error: null,
      clusterId: 'cluster',
      controllerId: 1,
      topicCount: 1,
      partitionCount: 3,
      offlinePartitionCount: 1,
      underMinIsrPartitionCount: 1,
      underReplicatedPartitionCount: 3,
      features: [{ name: 'metadata.version', level: 1 }],
    });
    expect(answer.nodes.map(({ id, roles, membership }) => [id, roles.length, membership])).to.deep.equal([
      [1, 2, 'QUORUM_MEMBERSHIP_VOTER'],
      [2, 2, 'QUORUM_MEMBERSHIP_VOTER'],
      [3, 1, 'QUORUM_MEMBERSHIP_VOTER'],
      [4, 1, 'QUORUM_MEMBERSHIP_OBSERVER'],
    ]);
    expect(answer.nodes[1]).to.deep.include({ fenced: true, brokerEpoch: 102, rack: 'r2' });
    expect(answer.nodes[2]).to.deep.include({
      roles: ['NODE_ROLE_CONTROLLER'],
      brokerEpoch: -1,
      endpoints: [{ name: 'PEER', host: 'host-3', port: 9291 }],
    });
    expect(answer.nodes[3]).to.include({ inControlledShutdown: true });
    expect(answer.nodes[3]?.endpoints).to.have.length(3);
  });

  it('says that it may be old when the quorum does not answer, and asks nobody when old will do', async () => {
    const alone = node();
    alone.onBarrier = () => failure('REQUEST_TIMED_OUT');
    const answer = await call(clusterService.DescribeCluster, describeCluster, alone, {});
    expect(answer.error?.name).to.equal('REQUEST_TIMED_OUT');
    expect(answer.brokers).to.have.length(3);
    const stale = await call(clusterService.DescribeCluster, describeCluster, alone, { allowStale: true });
    expect(stale.error).to.equal(null);
    expect(alone.barriers).to.equal(1);
  });
});

describe('DescribeClusterHealth', () => {
  const ask = (node: StoryNode, allowStale = false) =>
    call(clusterService.DescribeClusterHealth, describeClusterHealth, node, { allowStale });

  it('is answered in full by the leader alone', async () => {
    const answer = await ask(leader());
    expect(answer).to.deep.include({
      error: null,
      healthy: true,
      complete: true,
      reasons: [],
      controllerId: 1,
    });
    expect((await ask(follower())).error).to.deep.include({ name: 'NOT_CONTROLLER' });
    expect(await ask(follower(), true)).to.deep.include({ error: null, complete: false, nodeId: 2 });
  });

  it('is answered by any node when there is no leader', async () => {
    const answer = await ask(lost());
    expect(answer).to.deep.include({ error: null, healthy: false, complete: false, controllerId: -1 });
    expect(answer.reasons.map(({ what, severity }) => [what, severity])).to.deep.equal([
      ['no-controller', 'HEALTH_SEVERITY_CRITICAL'],
    ]);
  });
});

describe('elections and moves', () => {
  it('of leaders: all that need one, or those named, each with its outcome', async () => {
    const node = follower();
    node.answer = {
      partitions: [
        { topic: 'a', partition: 0, ok: true },
        { topic: 'a', partition: 1, ...failure('ELECTION_NOT_NEEDED') },
      ],
    };
    const elect = (request: Parameters<typeof adminService.ElectLeaders.requestSerialize>[0]) =>
      call(adminService.ElectLeaders, electLeaders, node, request);
    const { results } = await elect({ type: 'ELECTION_TYPE_PREFERRED' });
    expect(results.map(({ partition, error }) => [partition, error?.name])).to.deep.equal([
      [0, undefined],
      [1, 'ELECTION_NOT_NEEDED'],
    ]);
    await elect({ type: 'ELECTION_TYPE_UNCLEAN', partitions: [{ topic: 'a', partition: 1 }] });
    expect(node.submitted).to.deep.equal([
      { type: 'electLeaders', election: 'preferred', partitions: undefined },
      { type: 'electLeaders', election: 'unclean', partitions: [{ topic: 'a', partition: 1 }] },
    ]);
    expect((await elect({})).error?.name).to.equal('INVALID_REQUEST');
    expect(node.submitted).to.have.length(2);
  });

  it('of partitions: to other brokers, or back', async () => {
    const node = follower();
    node.answer = { partitions: [{ topic: 'a', partition: 0, ok: true }] };
    const answer = await call(adminService.ReassignPartitions, reassignPartitions, node, {
      partitions: [
        { topic: 'a', partition: 0, brokerIds: [3, 1] },
        { topic: 'a', partition: 1 },
      ],
    });
    expect(answer.results[0]).to.deep.include({ topic: 'a', partition: 0, error: null });
    expect(node.submitted).to.deep.equal([
      {
        type: 'reassignPartitions',
        partitions: [
          { topic: 'a', partition: 0, replicas: [3, 1] },
          { topic: 'a', partition: 1, replicas: undefined },
        ],
        allowReplicationFactorChange: true,
      },
    ]);
    node.answer = failure('NOT_CONTROLLER');
    const refused = await call(adminService.ReassignPartitions, reassignPartitions, node, {});
    expect(refused.error?.controller?.leaderId).to.equal(1);
  });

  it('that are under way are listed, all or those named', async () => {
    const moving = { replicas: [1, 2, 3], isr: [1, 2], leader: 1, adding: [3], removing: [1] };
    const still = { replicas: [1, 2], isr: [1, 2], leader: 1 };
    const image = imageOf({ ...three, topics: { b: [still, moving], a: [moving] } });
    const node = new StoryNode(image, quorumOf({ voterIds: [1, 2, 3] }));
    const list = (request: Parameters<typeof adminService.ListPartitionReassignments.requestSerialize>[0]) =>
      call(adminService.ListPartitionReassignments, listPartitionReassignments, node, request);
    const all = await list({});
    expect(all.reassignments.map(({ topic, partition }) => `${topic}-${partition}`)).to.deep.equal([
      'a-0',
      'b-1',
    ]);
    expect(all.reassignments[0]).to.deep.include({
      replicas: [1, 2, 3],
      addingReplicas: [3],
      removingReplicas: [1],
    });
    const named = [
      { topic: 'b', partition: 1 },
      { topic: 'b', partition: 0 },
      { topic: 'none', partition: 0 },
    ];
    expect((await list({ partitions: named })).reassignments).to.have.length(1);
    node.onBarrier = () => failure('REQUEST_TIMED_OUT');
    expect((await list({})).error?.name).to.equal('REQUEST_TIMED_OUT');
    expect((await list({ allowStale: true })).reassignments).to.have.length(2);
  });
});

describe('DescribeConfigs behind a barrier', () => {
  it('sees what was altered before, or says for each resource that it cannot know', async () => {
    const node = leader();
    const seen: number[] = [];
    node.onBarrier = () => {
      node.quorum = { ...node.quorum, appliedOffset: 105 as Offset };
      return undefined;
    };
    const describe = describeConfigsWhenCurrent((context, request) => {
      seen.push(context.metadata.quorum.appliedOffset);
      return { results: request.resources.map((resource) => ({ resource })) };
    });
    const resources = [{ name: 'a' }, { name: 'b' }];
    await call(adminService.DescribeConfigs, describe, node, { resources });
    expect(seen).to.deep.equal([105]);
    node.onBarrier = () => failure('NOT_CONTROLLER');
    const { results } = await call(adminService.DescribeConfigs, describe, node, { resources });
    expect(results.map(({ resource, error }) => [resource?.name, error?.name])).to.deep.equal([
      ['a', 'NOT_CONTROLLER'],
      ['b', 'NOT_CONTROLLER'],
    ]);
    const stale = await call(adminService.DescribeConfigs, describe, node, { resources, allowStale: true });
    expect(stale.results[0]?.error).to.equal(null);
  });
});
