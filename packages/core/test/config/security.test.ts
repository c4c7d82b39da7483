import { expect } from 'chai';
import {
  brokerConfigs,
  describeProblems,
  listenerConfig,
  listenerProtocol,
  producerConfigs,
  resolveConfig,
  type BrokerConfig,
} from '@tidemark/core';

function configOf(file: string, environment: Readonly<Record<string, string>> = {}): BrokerConfig {
  const resolved = resolveConfig(brokerConfigs, { file, environment });
  if (!resolved.ok) throw new Error(describeProblems(resolved.problems));
  return resolved.config;
}

function refusal(file: string): string {
  const resolved = resolveConfig(brokerConfigs, { file });
  return resolved.ok ? '' : describeProblems(resolved.problems);
}

const PEER = [
  'listener.security.protocol.map=CLIENT:SSL,PEER:SSL',
  'ssl.keystore.location=/c.pem',
  'ssl.truststore.location=/a.pem',
];

describe('the security of a listener', () => {
  it('is its own where it has a setting, else the node’s', () => {
    const config = configOf(
      [
        ...PEER,
        'listener.name.peer.ssl.client.auth=required',
        'node.principals=User:CN=node-*',
        'ssl.key.password=secret',
      ].join('\n'),
      { TIDEMARK_LISTENER_NAME_PEER_SSL_KEYSTORE_LOCATION: '/peer.pem' },
    );
    expect(listenerProtocol(config, 'CLIENT')).to.equal('SSL');
    expect(listenerProtocol(config, 'HTTP')).to.equal('PLAINTEXT');
    expect(listenerConfig(config, 'CLIENT', 'ssl.client.auth')).to.equal('none');
    expect(listenerConfig(config, 'PEER', 'ssl.client.auth')).to.equal('required');
    expect(listenerConfig(config, 'CLIENT', 'ssl.keystore.location')).to.equal('/c.pem');
    expect(listenerConfig(config, 'PEER', 'ssl.keystore.location')).to.equal('/peer.pem');
    const shown = config.entries().map(({ name, value }) => `${name}=${value}`);
    expect(shown).to.include('listener.name.peer.ssl.client.auth=required');
    expect(shown.join()).to.not.contain('secret');
  });

  it('is refused where it contradicts itself or leaves a door open', () => {
    for (const [lines, says] of [
      [[...PEER, 'node.principals=User:CN=n'], 'anybody could pose as a node'],
      [[...PEER, 'ssl.client.auth=required'], 'node.principals'],
      [['listener.security.protocol.map=CLIENT:SSL'], 'has no certificate'],
      [['listener.security.protocol.map=CLIENT:TLS'], 'no security protocol'],
      [['listener.security.protocol.map=OTHER:SSL'], 'is not among listeners'],
      [['listener.security.protocol.map=HTTP:SSL'], 'without TLS'],
      [['listener.name.other.ssl.client.auth=none'], 'OTHER is not among listeners'],
      [['listener.name.client.log.dirs=/x'], 'no such broker config'],
      [['ssl.truststore.password=x'], 'A PEM file has none'],
      [
        ['ssl.client.auth=required', 'listener.security.protocol.map=CLIENT:SSL', 'ssl.keystore.location=/c'],
        'trusts nobody',
      ],
    ] as const) {
      expect(refusal(lines.join('\n')), lines.join(' ')).to.contain(says);
    }
  });

  it('of a client: a certificate that would not be used is refused', () => {
    const resolved = resolveConfig(producerConfigs, { options: { 'ssl.truststore.location': '/a.pem' } });
    expect(resolved.ok ? '' : describeProblems(resolved.problems)).to.contain('Set security.protocol=SSL');
  });
});
