import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { commandConfig, tlsSettings } from '../src/command-config.ts';

describe('client settings of a command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-command-config-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('come from a properties file as Kafka’s tools take it', () => {
    const file = join(folder, 'client.properties');
    writeFileSync(file, 'bootstrap.servers=elsewhere:9092\nsecurity.protocol=SASL_SSL\nsasl.username=ann\n');
    expect(commandConfig(file)).to.deep.equal({ 'security.protocol': 'SASL_SSL', 'sasl.username': 'ann' });
    expect(commandConfig(undefined)).to.deep.equal({});
    expect(() => commandConfig(join(folder, 'missing'))).to.throw(/--command-config: ENOENT/);
  });

  it('speak TLS when they are told a file for it, and go on naming the user whom the file names', () => {
    expect(tlsSettings({})).to.deep.equal({});
    expect(tlsSettings({ tlsCa: '/ca' })).to.deep.equal({
      'security.protocol': 'SSL',
      'ssl.truststore.location': '/ca',
    });
    for (const protocol of ['SASL_PLAINTEXT', 'SASL_SSL']) {
      expect(tlsSettings({ tlsCa: '/ca' }, { 'security.protocol': protocol })).to.include({
        'security.protocol': 'SASL_SSL',
      });
    }
    expect(() => tlsSettings({ tlsKey: '/key' })).to.throw(/there is no --tls-cert/);
  });
});
