import { expect } from 'chai';
import {
  brokerConfigs,
  checkBrokerOverrides,
  describeProblems,
  nodeRole,
  resolveConfig,
} from '@tidemark/core';

function resolved(...lines: readonly string[]) {
  return resolveConfig(brokerConfigs, { file: lines.join('\n') });
}

function role(...lines: readonly string[]) {
  const result = resolved(...lines);
  if (!result.ok) throw new Error(describeProblems(result.problems));
  return nodeRole(result.config);
}

function refusal(...lines: readonly string[]): string {
  const result = resolved(...lines);
  return result.ok ? '' : describeProblems(result.problems);
}

const THREE = 'controller.quorum.voters=2@b:9291,1@a:9291,3@[::1]:9291';

describe('the role of a node', () => {
  it('is everything, alone, when nothing is given', () => {
    expect(role()).to.deep.equal({
      isBroker: true,
      isController: true,
      membership: 'alone',
      voters: [],
    });
  });

  it('is a voter where the voters name it, an observer that may be added where they do not', () => {
    expect(role('node.id=1', THREE)).to.deep.equal({
      isBroker: true,
      isController: true,
      membership: 'voter',
      voters: [
        { nodeId: 1, host: 'a', port: 9291 },
        { nodeId: 2, host: 'b', port: 9291 },
        { nodeId: 3, host: '::1', port: 9291 },
      ],
    });
    expect(role('node.id=4', 'process.roles=controller', THREE)).to.include({
      isBroker: false,
      isController: true,
      membership: 'joining',
    });
  });

  it('of a broker alone needs voters that do not name it', () => {
    expect(role('node.id=4', 'process.roles=broker', THREE)).to.include({
      isController: false,
      membership: 'observer',
    });
    expect(refusal('node.id=4', 'process.roles=broker')).to.contain('must find the controllers');
    expect(refusal('node.id=2', 'process.roles=broker', THREE)).to.contain(
      'names this node (2), which has not the controller role',
    );
  });

  it('is at least one', () => {
    expect(refusal('process.roles=')).to.contain('names no role');
    expect(refusal('process.roles=controller,observer')).to.contain('broker, controller');
  });

  it('asks for listeners: clients reach a broker by CLIENT, nodes each other by PEER', () => {
    const client = 'listeners=CLIENT://:9290';
    const peer = 'listeners=PEER://:9291';
    expect(refusal(client)).to.equal('');
    expect(refusal(peer)).to.contain('without a CLIENT listener');
    expect(refusal(client, 'node.id=1', THREE)).to.contain(
      'without a PEER listener cannot be reached by the others',
    );
    expect(refusal(client, 'controller.quorum.voters=1@a:9291')).to.equal('');
    expect(refusal(client, 'process.roles=controller')).to.contain('cannot be reached by the brokers');
    expect(refusal(peer, 'process.roles=controller', 'node.id=1', THREE)).to.equal('');
    expect(refusal(client, 'process.roles=broker', 'node.id=4', THREE)).to.contain('PEER');
  });
});

describe('controller.quorum.voters', () => {
  const voters = (text: string): string => refusal(`controller.quorum.voters=${text}`);

  it('are refused with a reason: syntax, an id or an address twice, an address nobody reaches', () => {
    expect(voters('a:9291')).to.contain('is not a voter').and.to.contain('1@node-1:9291');
    expect(voters('1@a')).to.contain('is not a voter');
    expect(voters('1@a:0')).to.contain('port 0 does not exist');
    expect(voters('1@a:70000')).to.contain('port 70000 does not exist');
    expect(voters('2147483648@a:1')).to.contain('node id 2147483648 does not exist');
    expect(voters('1@a:1,1@b:1')).to.contain('names node 1 twice');
    expect(voters('1@a:1,2@a:1')).to.contain('nodes 1 and 2 share a:1');
    expect(voters('1@0.0.0.0:9291')).to.contain('no address anybody can connect to');
  });

  it('are nine at most', () => {
    const many = (count: number): string =>
      Array.from({ length: count }, (_, index) => `${index + 1}@host-${index + 1}:9291`).join(',');
    expect(voters(many(9))).to.equal('');
    expect(voters(many(10))).to.contain('names 10 voters; a quorum has at most 9');
  });

  it('are found by who brings Kafka’s other keys along', () => {
    expect(refusal('controller.quorum.bootstrap.servers=a:9093')).to.contain('controller.quorum.voters');
    expect(refusal('controller.listener.names=CONTROLLER')).to.contain('PEER');
  });
});

describe('the times of a cluster', () => {
  it('leave room for a heartbeat in a session', () => {
    expect(refusal('broker.session.timeout.ms=2000')).to.contain(
      'is not above broker.heartbeat.interval.ms (2000)',
    );
    expect(refusal('broker.session.timeout.ms=2001')).to.equal('');
  });

  it('are Kafka’s by default', () => {
    const result = resolved();
    if (!result.ok) throw new Error(describeProblems(result.problems));
    const shown = (name: Parameters<typeof result.config.shown>[0]): string => result.config.shown(name);
    expect(shown('controller.quorum.election.timeout.ms')).to.equal('1000');
    expect(shown('controller.quorum.fetch.timeout.ms')).to.equal('2000');
    expect(shown('broker.session.timeout.ms')).to.equal('9000');
    expect(shown('metadata.log.max.record.bytes.between.snapshots')).to.equal('20971520');
    expect(shown('metadata.max.retention.bytes')).to.equal('104857600');
  });

  it('need a restart, where the choice of an unclean leader does not', () => {
    const problems = (name: string, value: string) =>
      checkBrokerOverrides(new Map([[name, value]]), 'dynamic-default');
    expect(problems('broker.session.timeout.ms', '10000')).to.have.length(1);
    expect(problems('unclean.leader.election.enable', 'true')).to.deep.equal([]);
  });
});
