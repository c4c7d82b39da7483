import { expect } from 'chai';
import { openDoors } from '../src/security/open-doors.ts';
import { testConfig } from './harness.ts';

describe('what a configuration leaves open', () => {
  const doors = (settings: Readonly<Record<string, string>>): string =>
    openDoors(testConfig('/tmp', settings)).join('\n');

  it('is nothing to speak of where nothing is asked, or everything', () => {
    expect(doors({})).to.equal('');
    const tls = {
      'ssl.keystore.location': '/k',
      'ssl.truststore.location': '/t',
      'ssl.client.auth': 'required',
      'node.principals': 'User:CN=node-*',
    };
    expect(doors({ ...tls, 'listener.security.protocol.map': 'CLIENT:SSL,PEER:SSL' })).to.equal('');
  });

  it('is the listener for nodes, and tokens that can be read', () => {
    expect(doors({ 'authorizer.class.name': 'StandardAuthorizer' })).to.match(/^PEER speaks no TLS/);
    expect(doors({ 'listener.security.protocol.map': 'CLIENT:SASL_PLAINTEXT' })).to.match(
      /PEER speaks no TLS.*\nCLIENT is SASL_PLAINTEXT/,
    );
  });
});
