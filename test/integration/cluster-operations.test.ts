// What operators do with a cluster: look at it, ask any node, move the leadership, restart it node by node.
import { expect } from 'chai';
import { adminService, quorumService } from '@tidemark/rpc';
import { Cluster, eventually, figures, HASTY } from './cluster.ts';

const ACTIVE = 'this node is the active controller';
const NOT_ACTIVE = 'this node is no longer the active controller';

describe('a cluster and its operator', function () {
  this.timeout(60_000);

  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start({ nodes: [{ id: 1 }, { id: 2 }, { id: 3 }], settings: HASTY });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(cluster.stderr);
  });

  after(async () => {
    await cluster.dispose();
  });

  async function json<T>(...args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await cluster.cli([...args, '-o', 'json']);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as T;
  }

  it('shows nodes, voters and health, as a table and as JSON', async () => {
    const leader = await cluster.leader();
    const [info, infoTable, health, healthTable, quorum, quorumTable] = await Promise.all([
      json<{ controllerId: number; nodes: readonly object[] }>('cluster', 'info'),
      cluster.cli(['cluster', 'info']),
      json<object>('cluster', 'health'),
      cluster.cli(['cluster', 'health']),
      json<{ leaderId: number; voters: readonly { nodeId: number; lag: number }[] }>('quorum', 'status'),
      cluster.cli(['quorum', 'status', '-o', 'wide']),
    ]);
    expect(info).to.include({ clusterId: 'test-cluster', controllerId: leader.id });
    for (const [at, node] of info.nodes.entries()) {
      expect(node).to.deep.include({
        id: at + 1,
        roles: ['broker', 'controller'],
        membership: 'voter',
        fenced: false,
      });
    }
    expect(infoTable.stdout).to.match(/\nNODE +ROLES +QUORUM +STATE +RACK +ADDRESS\n/);
    for (const { id, address } of cluster.nodes) {
      const row = `${id}${id === leader.id ? '\\*' : ''} +broker,controller +${id === leader.id ? 'leader' : 'voter'} +up +- +${address}`;
      expect(infoTable.stdout).to.match(new RegExp(`\\n${row}\\n`));
    }
    expect(health).to.deep.include({
      healthy: true,
      complete: true,
      nodeId: leader.id,
      controllerId: leader.id,
      reasons: [],
    });
    expect(healthTable).to.include({ code: 0 });
    expect(healthTable.stdout).to.match(/^HEALTH +ok\nCONTROLLER +\d\n$/);
    expect(quorum.leaderId).to.equal(leader.id);
    expect(quorum.voters.map(({ nodeId }) => nodeId)).to.deep.equal([1, 2, 3]);
    for (const { nodeId, peerAddress } of cluster.nodes.map(({ id, ...node }) => ({ nodeId: id, ...node }))) {
      expect(quorumTable.stdout).to.match(
        new RegExp(`\\n +${nodeId} +(leader|voter) +\\d+ +\\d+ +\\S.* +[\\w-]{22} +\\w+ +${peerAddress}\\n`),
      );
    }
  });

  it('forwards changes from any node, and says where to go with what cannot be forwarded', async () => {
    const leader = await cluster.leader();
    const others = cluster.nodes.filter((node) => node !== leader);
    for (const node of others) {
      const name = `through-${node.id}`;
      const topics = [{ name, partitionCount: 1, replicationFactor: 1 }];
      const { results } = await node.call(adminService.CreateTopics, { topics });
      expect(results[0]!.error).to.equal(null);
      const { error } = await node.call(quorumService.DescribeQuorum, {});
      expect(error).to.deep.include({ name: 'NOT_CONTROLLER' });
      const [host, port] = leader.address.split(':');
      expect(error!.controller).to.deep.include({ leaderId: leader.id, host, port: Number(port) });
      // The library goes there by itself.
      expect((await cluster.admin([node.address]).describeQuorum()).nodeId).to.equal(leader.id);
    }
    const names = others.map(({ id }) => `through-${id}`);
    // Each node, once it has answered a read of the quorum's state, knows what all were told.
    for (const node of cluster.nodes) {
      await node.call(adminService.DescribeConfigs, { resources: [] });
      const topics = await cluster.admin([node.address]).describeTopics(names);
      for (const { name, error } of topics) expect(error, `${name} on ${node.id}`).to.equal(undefined);
    }
  });

  it('moves the leadership where it is told, or to any other voter', async () => {
    const tookMs: number[] = [];
    for (const to of [1, 2, 3]) {
      const from = await cluster.leader();
      const { leaderId } = await json<{ leaderId: number }>('quorum', 'transfer', `${to}`);
      expect(leaderId).to.equal(to);
      expect((await cluster.leader()).id).to.equal(to);
      const lost = from.logged(NOT_ACTIVE).at(-1);
      const won = cluster.node(to).logged(ACTIVE).at(-1);
      if (from.id !== to) tookMs.push(Date.parse(won!.time) - Date.parse(lost!.time));
    }
    const { leaderId } = await json<{ leaderId: number }>('quorum', 'transfer');
    expect(leaderId).not.to.equal(3);
    const nobody = await cluster.cli(['quorum', 'transfer', '7']);
    expect(nobody.code).not.to.equal(0);
    expect(nobody.stderr).to.match(/7/);
    process.stdout.write(`      ${figures('between two active controllers when one hands over', tookMs)}\n`);
  });

  it('restarts node by node on SIGTERM: leaders move before a node goes, and the quorum has one at once', async () => {
    const admin = cluster.admin();
    const stopMs: number[] = [];
    const gapsMs: number[] = [];
    for (const node of cluster.nodes) {
      const others = cluster.nodes.filter((each) => each !== node);
      const name = `rolling-${node.id}`;
      await admin.createTopic({ name, partitions: 12, replicationFactor: 3 });
      const leaders = async (): Promise<readonly number[]> => {
        const topic = await cluster.admin([others[0]!.address]).describeTopic(name);
        return topic.partitions.map(({ leaderId }) => leaderId);
      };
      expect((await leaders()).filter((id) => id === node.id)).to.have.length(4);
      const wasActive = (await cluster.leader()).id === node.id;
      const atMs = Date.now();
      expect(await node.server.stop(), 'exit code').to.equal(0);
      stopMs.push(Date.now() - atMs);
      expect(node.server.stderr).to.include('"msg":"closed"').and.not.include('did not take over');
      for (const id of await leaders()) expect(id).to.be.oneOf(others.map((each) => each.id));
      if (wasActive) {
        const next = await cluster.leader(5_000);
        const lost = node.logged(NOT_ACTIVE).at(-1)!;
        gapsMs.push(Date.parse(next.logged(ACTIVE).at(-1)!.time) - Date.parse(lost.time));
      }
      await admin.deleteTopic(name);
      await node.start();
      await eventually('all voters and brokers back', 10_000, async () => {
        const { reasons } = await admin.clusterHealth({ timeoutMs: 2_000 });
        return (
          reasons.every(({ what }) => what !== 'silent-voters' && what !== 'fenced-brokers') || undefined
        );
      });
    }
    process.stdout.write(`      ${figures('SIGTERM to exit', stopMs)}\n`);
    expect(gapsMs.length).to.be.at.least(1);
    process.stdout.write(`      ${figures('no active controller while one of them stopped', gapsMs)}\n`);
    for (const gap of gapsMs) expect(gap).to.be.below(300);
  });
});
