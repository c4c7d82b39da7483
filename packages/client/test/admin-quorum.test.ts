// The admin client against nodes that answer what the test says: where it goes when a node is not the controller, what it repeats and
// what it must not, and what becomes of an answer.
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { Admin } from '@tidemark/client';
import { errorTable } from '@tidemark/core';
import type { ErrorName } from '@tidemark/core';
import { adminService, clusterService, quorumService } from '@tidemark/rpc';
import { expect } from 'chai';
import { rejection } from './fixture.ts';
import { TestClock, seededRandom } from './test-clock.ts';

/** What a node answers; a number is a gRPC status. */
type Answer = (request: Record<string, unknown>) => object | number;

class FakeNode {
  readonly server = new Server();
  /** `Method` of each call, in order. */
  readonly calls: string[] = [];
  answers: Record<string, Answer> = {};
  port = 0;

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Changes and reads, without the look whether somebody is there. */
  get asked(): string[] {
    return this.calls.filter((name) => name !== 'DescribeCluster');
  }

  async start(): Promise<this> {
    for (const service of [adminService, clusterService, quorumService]) {
      const implementation: UntypedServiceImplementation = {};
      for (const name of Object.keys(service)) {
        implementation[name] = (
          call: { request: Record<string, unknown> },
          callback: (error: object | null, answer?: object) => void,
        ) => {
          this.calls.push(name);
          const answer = (this.answers[name] ?? (() => ({})))(call.request);
          if (typeof answer === 'number') callback({ code: answer, details: 'refused' });
          else callback(null, answer);
        };
      }
      this.server.addService(service, implementation);
    }
    this.port = await new Promise((resolve, reject) => {
      this.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
    return this;
  }

  hint(leaderId: number) {
    return { leaderId, host: '127.0.0.1', port: this.port };
  }
}

const detail = (name: ErrorName, rest: object = {}) => ({
  name,
  code: errorTable[name].code,
  message: errorTable[name].message,
  retriable: errorTable[name].retriable,
  ...rest,
});

describe('the admin client and the controller', () => {
  let one: FakeNode;
  let two: FakeNode;
  let admin: Admin;
  let clock: TestClock;

  beforeEach(async () => {
    one = await new FakeNode().start();
    two = await new FakeNode().start();
    clock = new TestClock();
    // Only node 1 is known at first.
    admin = new Admin({ brokers: [one.address], clock, random: seededRandom() });
  });
  afterEach(async () => {
    await admin.close();
    one.server.forceShutdown();
    two.server.forceShutdown();
  });

  const elsewhere: Answer = () => ({ error: detail('NOT_CONTROLLER', { controller: two.hint(2) }) });

  it('goes where a node sends it, to read and to change', async () => {
    one.answers = { DescribeQuorum: elsewhere, AddVoter: elsewhere };
    two.answers = { DescribeQuorum: () => ({ nodeId: 2, leaderId: 2, role: 'QUORUM_ROLE_LEADER' }) };
    expect(await admin.describeQuorum()).to.include({ nodeId: 2, role: 'leader' });
    const voter = { nodeId: 4, directoryId: 'd', host: 'h', port: 1 };
    let sent: object = {};
    two.answers['AddVoter'] = (request) => ((sent = request), {});
    await admin.addVoter(voter);
    expect(one.asked).to.deep.equal(['DescribeQuorum', 'AddVoter']);
    expect(two.asked).to.deep.equal(['DescribeQuorum', 'AddVoter']);
    expect(sent).to.include(voter);
  });

  it('goes where each item of an answer sends it, but not when some of them were done', async () => {
    const moved = { topic: 'a', partition: 0, error: detail('NOT_CONTROLLER', { controller: two.hint(2) }) };
    one.answers['ElectLeaders'] = () => ({ results: [moved, moved] });
    two.answers['ElectLeaders'] = () => ({ results: [{ topic: 'a', partition: 0 }] });
    expect(await admin.electLeaders('preferred')).to.deep.equal([
      { topic: 'a', partition: 0, error: undefined },
    ]);
    one.answers['ElectLeaders'] = () => ({ results: [{ topic: 'a', partition: 1 }, moved] });
    const half = await admin.electLeaders('preferred');
    expect(half.map(({ error }) => error?.error)).to.deep.equal([undefined, 'NOT_CONTROLLER']);
    expect(two.asked).to.have.length(1);
  });

  it('asks again until there is a leader', async () => {
    let tries = 0;
    one.answers['TransferLeadership'] = () =>
      ++tries < 4 ? { error: detail('NOT_CONTROLLER'), leaderId: -1 } : { leaderId: 3 };
    expect(await admin.transferLeadership(3)).to.equal(3);
    expect(tries).to.equal(4);
  });

  it('does not run to and fro between two nodes that each take the other for the leader', async () => {
    one.answers['DescribeQuorum'] = elsewhere;
    two.answers['DescribeQuorum'] = () => ({
      error: detail('NOT_CONTROLLER', { controller: one.hint(1) }),
    });
    const startedMs = clock.monotonicMs();
    const error = await rejection(admin.describeQuorum({ timeoutMs: 10_000 }));
    expect(error.error).to.equal('NOT_CONTROLLER');
    const calls = one.asked.length + two.asked.length;
    // Each pause is longer than the one before, up to a second.
    expect(calls).to.be.above(4).and.below(40);
    expect(clock.monotonicMs() - startedMs).to.be.above(8_000);
  });

  it('comes back to the nodes it knows when the controller it was sent to is gone', async () => {
    const gone = { leaderId: 9, host: '127.0.0.1', port: 1 };
    let tries = 0;
    one.answers['RemoveVoter'] = () =>
      ++tries === 1 ? { error: detail('NOT_CONTROLLER', { controller: gone }) } : {};
    await admin.removeVoter({ nodeId: 3 });
    expect(tries).to.equal(2);
  });

  it('hears in time that nobody could decide a change, and does not begin anew when too little time is left', async () => {
    const config = { 'request.timeout.ms': 30_000, 'default.api.timeout.ms': 30_000 };
    const patient = new Admin({ brokers: [one.address], clock, random: seededRandom(), config });
    one.answers['RemoveVoter'] = ({ timeoutMs }) => {
      // No leader turns up for as long as the node may wait.
      clock.advance(Number(timeoutMs));
      return { error: detail('NOT_CONTROLLER') };
    };
    expect((await rejection(patient.removeVoter({ nodeId: 3 }))).error).to.equal('NOT_CONTROLLER');
    expect(one.asked).to.deep.equal(['RemoveVoter']);
    await patient.close();
  });

  it('sends a change once when nobody knows whether it happened', async () => {
    one.answers['RemoveVoter'] = () => status.UNAVAILABLE;
    expect((await rejection(admin.removeVoter({ nodeId: 3 }))).error).to.equal('NETWORK_EXCEPTION');
    one.answers['RemoveVoter'] = () => ({ error: detail('REQUEST_TIMED_OUT') });
    expect((await rejection(admin.removeVoter({ nodeId: 3 }))).error).to.equal('REQUEST_TIMED_OUT');
    expect(one.asked).to.deep.equal(['RemoveVoter', 'RemoveVoter']);
  });
});

describe('the admin client about a cluster in trouble', () => {
  let node: FakeNode;
  let admin: Admin;

  beforeEach(async () => {
    node = await new FakeNode().start();
    admin = new Admin({ brokers: [node.address], clock: new TestClock(), random: seededRandom() });
  });
  afterEach(async () => {
    await admin.close();
    node.server.forceShutdown();
  });

  it('describes it from one node when the quorum does not answer, and says so', async () => {
    node.answers['DescribeCluster'] = () => ({
      error: detail('REQUEST_TIMED_OUT'),
      clusterId: 'c',
      controllerId: -1,
      nodes: [
        {
          id: 1,
          roles: ['NODE_ROLE_BROKER', 'NODE_ROLE_CONTROLLER'],
          membership: 'QUORUM_MEMBERSHIP_VOTER',
        },
      ],
    });
    const cluster = await admin.describeCluster({ timeoutMs: 10_000 });
    expect(cluster.stale?.error).to.equal('REQUEST_TIMED_OUT');
    expect(cluster.nodes[0]).to.deep.include({ roles: ['broker', 'controller'], membership: 'voter' });
  });

  it('keeps what one node said when the others are down', async () => {
    node.answers['DescribeCluster'] = () => ({ error: detail('NOT_CONTROLLER'), clusterId: 'c' });
    node.answers['CreateTopics'] = () => ({ results: [{ name: 't', error: detail('NOT_CONTROLLER') }] });
    // Port 1 is reserved, so nothing listens there; whichever of the two comes last, the other one has told more.
    for (const brokers of [
      [node.address, '127.0.0.1:1'],
      ['127.0.0.1:1', node.address],
    ]) {
      const both = new Admin({ brokers, clock: new TestClock(), random: seededRandom() });
      const cluster = await both.describeCluster({ timeoutMs: 10_000 });
      expect(cluster).to.deep.include({ clusterId: 'c' });
      expect(cluster.stale?.error).to.equal('NOT_CONTROLLER');
      expect((await both.createTopics([{ name: 't' }]))[0]!.error?.error).to.equal('NOT_CONTROLLER');
      await both.close();
    }
  });

  it('asks another node for its health when the controller is silent, and calls that critical', async () => {
    const gone = { leaderId: 9, host: '127.0.0.1', port: 1 };
    const fenced = { severity: 'HEALTH_SEVERITY_WARNING', what: 'fenced-brokers', detail: 'd', remedy: 'r' };
    node.answers['DescribeClusterHealth'] = ({ allowStale }) =>
      allowStale === true
        ? { healthy: false, reasons: [fenced], nodeId: 1, controllerId: 9 }
        : { error: detail('NOT_CONTROLLER', { controller: gone }) };
    const health = await admin.clusterHealth({ timeoutMs: 10_000 });
    expect(health.healthy).to.equal(false);
    expect(health.reasons.map(({ what, severity }) => `${severity} ${what}`)).to.deep.equal([
      'critical controller-unreachable',
      'warning fenced-brokers',
    ]);
  });

  it('throws when nobody answers', async () => {
    node.answers['DescribeClusterHealth'] = () => status.UNAVAILABLE;
    const error = await rejection(admin.clusterHealth({ timeoutMs: 10_000 }));
    // The last attempt may have had no time left.
    expect(error.error).to.be.oneOf(['NETWORK_EXCEPTION', 'REQUEST_TIMED_OUT']);
    expect(node.asked.length).to.be.above(4);
  });

  it('tells moves from their taking back, and sends no move to nowhere', async () => {
    let sent: unknown;
    node.answers['ReassignPartitions'] = ({ partitions }) => ((sent = partitions), {});
    await admin.reassignPartitions([
      { topic: 'a', partition: 0, brokerIds: [3, 1] },
      { topic: 'a', partition: 1, brokerIds: null },
    ]);
    expect(sent).to.deep.equal([
      { topic: 'a', partition: 0, brokerIds: [3, 1] },
      { topic: 'a', partition: 1, brokerIds: [] },
    ]);
    const nowhere = admin.reassignPartitions([{ topic: 'a', partition: 0, brokerIds: [] }]);
    expect((await rejection(nowhere)).error).to.equal('INVALID_REPLICA_ASSIGNMENT');
    node.answers['ListPartitionReassignments'] = () => ({
      reassignments: [{ topic: 'a', partition: 0, topicId: 'i', replicas: [1, 3], addingReplicas: [3] }],
    });
    expect((await admin.listPartitionReassignments())[0]).to.deep.include({
      addingReplicas: [3],
      removingReplicas: [],
    });
  });
});
