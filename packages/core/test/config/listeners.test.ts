import { expect } from 'chai';
import {
  advertisedListeners,
  brokerAdvertisedListeners,
  brokerConfigs,
  brokerListeners,
  describeProblems,
  hostAndPort,
  resolveConfig,
} from '@tidemark/core';

function resolved(file: string) {
  const result = resolveConfig(brokerConfigs, { file });
  if (!result.ok) throw new Error(describeProblems(result.problems));
  return { bound: brokerListeners(result.config), told: brokerAdvertisedListeners(result.config) };
}

function refusal(file: string): string {
  const result = resolveConfig(brokerConfigs, { file });
  return result.ok ? '' : describeProblems(result.problems);
}

const addresses = (listeners: readonly { name: string; host: string; port: number }[]) =>
  listeners.map(({ name, host, port }) => `${name}=${hostAndPort(host, port)}`);

describe('listeners', () => {
  it('are bound to every interface by default and advertised under the machine’s name', () => {
    const { bound, told } = resolved('');
    expect(addresses(bound)).to.deep.equal(['CLIENT=0.0.0.0:9290', 'PEER=0.0.0.0:9291', 'HTTP=0.0.0.0:9292']);
    expect(addresses(advertisedListeners(bound, told, 'box', new Map()))).to.deep.equal([
      'CLIENT=box:9290',
      'PEER=box:9291',
      'HTTP=box:9292',
    ]);
  });

  it('in a container network: one address for clients inside, another for those outside', () => {
    const { bound, told } = resolved(
      [
        'listeners=CLIENT://:9290, CLIENT_HOST://:19290, PEER://[::]:9291, HTTP://127.0.0.1:0',
        'advertised.listeners=CLIENT://tidemark-1:9290,CLIENT_HOST://localhost:29290,PEER://[fd00::1]:0',
      ].join('\n'),
    );
    const ports = new Map([
      ['CLIENT', 9290],
      ['PEER', 9291],
      ['HTTP', 40123],
    ]);
    expect(addresses(advertisedListeners(bound, told, 'box', ports))).to.deep.equal([
      'CLIENT=tidemark-1:9290',
      'CLIENT_HOST=localhost:29290',
      'PEER=[fd00::1]:9291',
      'HTTP=127.0.0.1:40123',
    ]);
  });

  it('several may ask the system for a port, but no two may share one', () => {
    expect(refusal('listeners=CLIENT://0.0.0.0:0,PEER://0.0.0.0:0,HTTP://0.0.0.0:0')).to.equal('');
    expect(refusal('listeners=CLIENT://0.0.0.0:9290,PEER://0.0.0.0:9290')).to.contain(
      'CLIENT and PEER share 0.0.0.0:9290',
    );
  });

  it('are refused with an example when they cannot be read', () => {
    expect(refusal('listeners=9290')).to.contain('for example CLIENT://0.0.0.0:9290');
    expect(refusal('listeners=PLAINTEXT://0.0.0.0:9092')).to.contain('Name it CLIENT, PEER or HTTP');
    expect(refusal('listeners=CLIENT://0.0.0.0:70000')).to.contain('port 70000 does not exist');
    expect(refusal('listeners=CLIENT://:1,CLIENT://:2')).to.contain('names CLIENT twice');
    expect(refusal('listeners=CLIENT://:1,PEER_B://:2')).to.contain('PEER can have no suffix');
    expect(refusal('listeners=HTTP://:1')).to.contain('without a CLIENT listener');
  });

  it('are not advertised under an address nobody can connect to, nor under a name that is not bound', () => {
    expect(refusal('advertised.listeners=CLIENT://0.0.0.0:9290')).to.contain(
      'no address anybody can connect to',
    );
    expect(refusal('advertised.listeners=CLIENT_B://box:9290')).to.contain('CLIENT_B is not among listeners');
  });
});
