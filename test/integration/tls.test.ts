// TLS between everybody, over live brokers with certificates of the test's own: who is let in, who is not and hears why, and what a
// replaced certificate does.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate } from 'node:tls';
import { expect } from 'chai';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { Consumer, Producer } from '@tidemark/client';
import { Channel, clusterService, peerService, readTlsMaterial, tlsCredentials } from '@tidemark/rpc';
import { TestBroker } from '../../packages/broker/test/harness.ts';
import { Authority, type Identity } from './certificates.ts';
import { Cluster, eventually, HASTY } from './cluster.ts';
import { runCommand } from './start-server.ts';

const LOCAL = ['127.0.0.1', 'localhost'];

/** What a client shows and trusts. */
function credentialsOf(authority: Authority, identity?: Identity, verifyHostname = true): ChannelCredentials {
  const material = readTlsMaterial({
    keystore: identity?.certificate ?? '',
    key: identity?.key ?? '',
    keyPassword: '',
    truststore: authority.file,
    versions: ['TLSv1.2', 'TLSv1.3'],
  });
  return tlsCredentials({ material: () => material, verifyHostname });
}

/** Why a call to the address fails; undefined when it is answered. */
async function failureOf(address: string, credentials?: ChannelCredentials): Promise<string | undefined> {
  const channel = new Channel(address, credentials === undefined ? {} : { credentials });
  try {
    await channel.unary(clusterService.DescribeCluster, { allowStale: true }, { timeoutMs: 5_000 });
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    channel.close();
  }
}

/** Sends one message as node 1 and answers how the stream ended. */
function poseAsNode(address: string, to: number, credentials?: ChannelCredentials): Promise<string> {
  const channel = new Channel(address, credentials === undefined ? {} : { credentials });
  return new Promise<string>((resolve) => {
    const call = channel.stream(peerService.Send);
    call.on('error', (error: Error) => resolve(error.message));
    call.on('end', () => resolve('ended'));
    call.on('data', () => undefined);
    call.write({ from: 1, to, payload: Buffer.alloc(8) });
    call.end();
  }).finally(() => channel.close());
}

/** The certificate a listener shows. */
function shownBy(address: string, identity: Identity, authority: Authority): Promise<PeerCertificate> {
  const { pem } = readTlsMaterial({
    keystore: identity.certificate,
    key: identity.key,
    keyPassword: '',
    truststore: authority.file,
    versions: ['TLSv1.3'],
  });
  const [host, port] = address.split(':') as [string, string];
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host, port: Number(port), ca: pem.ca!, cert: pem.cert!, key: pem.key!, ALPNProtocols: ['h2'] },
      () => {
        resolve(socket.getPeerCertificate());
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });
}

describe('a cluster that speaks TLS', function () {
  this.timeout(60_000);
  let folder: string;
  let authority: Authority;
  let stranger: Authority;
  let client: Identity;
  let nodes: ReadonlyMap<number, Identity>;
  let cluster: Cluster;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-tls-'));
    authority = new Authority(folder, 'authority');
    stranger = new Authority(folder, 'stranger');
    client = authority.issue({ commonName: 'alice' });
    nodes = new Map(
      [1, 2, 3].map((id) => [
        id,
        authority.issue({ commonName: `node-${id}`, names: LOCAL, ownKey: id === 2 }),
      ]),
    );
    cluster = await Cluster.start({
      nodes: [...nodes].map(([id, { certificate, key }]) => ({
        id,
        settings: { 'ssl.keystore.location': certificate, 'ssl.keystore.key.location': key },
      })),
      settings: {
        ...HASTY,
        'listener.security.protocol.map': 'CLIENT:SSL,PEER:SSL',
        'ssl.truststore.location': authority.file,
        'ssl.client.auth': 'required',
        'node.principals': 'User:CN=node-*',
        'ssl.reload.interval.ms': '50',
      },
      credentials: credentialsOf(authority, client),
    });
  });

  after(async () => {
    await cluster.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const clientConfig = () => ({
    'security.protocol': 'SSL',
    'ssl.truststore.location': authority.file,
    'ssl.keystore.location': client.certificate,
    'ssl.keystore.key.location': client.key,
  });

  it('replicates, produces and consumes', async () => {
    await cluster.admin().createTopics([{ name: 'letters', partitions: 1, replicationFactor: 3 }]);
    const brokers = cluster.addresses();
    const producer = new Producer({ brokers, config: clientConfig() });
    const receipt = await producer.send({ topic: 'letters', value: 'sealed' });
    expect(receipt.inSyncReplicas).to.have.length(3);
    await producer.close();
    const consumer = new Consumer({
      brokers,
      config: { ...clientConfig(), 'auto.offset.reset': 'earliest' },
    });
    consumer.assign([{ topic: 'letters', partition: 0 }]);
    const records = await eventually('the record', 10_000, async () => {
      const polled = await consumer.poll({ timeoutMs: 500 });
      return polled.length > 0 ? polled : undefined;
    });
    expect(Buffer.from(records[0]!.value!).toString()).to.equal('sealed');
    await consumer.close();
  });

  it('serves the command line', async () => {
    const { address } = cluster.node(1);
    const files = ['--tls-ca', authority.file, '--tls-cert', client.certificate, '--tls-key', client.key];
    const listed = await runCommand(['cluster', 'info', '--brokers', address, ...files]);
    expect(listed.stderr).to.equal('');
    expect(listed.code).to.equal(0);
  });

  it('refuses a client without a certificate, of another authority, or with one that has ended', async () => {
    const { address } = cluster.node(1);
    const foreign = stranger.issue({ commonName: 'alice' });
    const ended = authority.issue({ commonName: 'ended', validFromDays: -20, validToDays: -1 });
    const early = authority.issue({ commonName: 'early', validFromDays: 1, validToDays: 2 });
    expect(await failureOf(address, credentialsOf(authority, client))).to.equal(undefined);
    for (const [who, credentials] of [
      ['plaintext', undefined],
      ['no certificate', credentialsOf(authority)],
      ['another authority', credentialsOf(authority, foreign)],
      ['ended', credentialsOf(authority, ended)],
      ['not yet valid', credentialsOf(authority, early)],
    ] as const) {
      expect(await failureOf(address, credentials), who).to.contain('NETWORK_EXCEPTION');
    }
    expect(cluster.node(1).logged('a TLS connection was refused')).to.not.be.empty;
  });

  it('is refused by clients that trust another authority, or reached it under another name', async () => {
    const { address } = cluster.node(1);
    expect(await failureOf(address, credentialsOf(stranger, client))).to.match(
      /self-signed certificate|unable to verify|unable to get/,
    );
    const misnamed = authority.issue({ commonName: 'node-9', names: ['elsewhere.example'] });
    const other = await TestBroker.start({
      'ssl.keystore.location': misnamed.certificate,
      'ssl.keystore.key.location': misnamed.key,
      'listener.security.protocol.map': 'CLIENT:SSL',
    });
    try {
      const wrong = `127.0.0.1:${other.port}`;
      expect(await failureOf(wrong, credentialsOf(authority))).to.match(/altnames|does not match/i);
      expect(await failureOf(wrong, credentialsOf(authority, undefined, false))).to.equal(undefined);
    } finally {
      await other.stop();
    }
  });

  it('does not take a client for a node', async () => {
    const { address, peerAddress } = cluster.node(2);
    // Whoever holds a client's certificate is let through the handshake and told that it is no node.
    expect(await poseAsNode(peerAddress, 2, credentialsOf(authority, client))).to.contain(
      'PERMISSION_DENIED',
    );
    // One that nearly has the name of a node.
    const nearly = authority.issue({ commonName: 'alice', organization: 'CN=node-1' });
    expect(await poseAsNode(peerAddress, 2, credentialsOf(authority, nearly))).to.contain(
      'PERMISSION_DENIED',
    );
    expect(await poseAsNode(peerAddress, 2, credentialsOf(authority))).to.contain('UNAVAILABLE');
    expect(await poseAsNode(peerAddress, 2)).to.contain('UNAVAILABLE');
    // The listener for clients does not know what nodes say to each other, whoever asks.
    expect(await poseAsNode(address, 2, credentialsOf(authority, client))).to.contain('UNIMPLEMENTED');
    expect(await poseAsNode(address, 2, credentialsOf(authority, nodes.get(3)))).to.contain('UNIMPLEMENTED');
    // And a node is a node.
    expect(await poseAsNode(peerAddress, 3, credentialsOf(authority, nodes.get(1)))).to.contain(
      'this is node 2',
    );
    expect(cluster.node(2).logged('a caller on PEER is no node; it was refused')).to.not.be.empty;
  });

  it('keeps out a broker that has a client’s certificate', async () => {
    const impostor = authority.issue({ commonName: 'mallory', names: LOCAL });
    const late = await Cluster.start({
      nodes: [
        {
          id: 4,
          roles: 'broker',
          joinsLater: true,
          settings: {
            'controller.quorum.voters': cluster.voters,
            'listener.security.protocol.map': 'CLIENT:SSL,PEER:SSL',
            'ssl.truststore.location': authority.file,
            'ssl.client.auth': 'required',
            'node.principals': 'User:CN=*',
            'ssl.keystore.location': impostor.certificate,
            'ssl.keystore.key.location': impostor.key,
          },
        },
      ],
    });
    try {
      const started = late.node(4).start();
      started.catch(() => undefined);
      const before = cluster.nodes.flatMap((node) =>
        node.logged('a caller on PEER is no node; it was refused'),
      ).length;
      await eventually('the impostor being refused', 10_000, () => {
        const lines = cluster.nodes.flatMap((node) =>
          node.logged('a caller on PEER is no node; it was refused').map(({ subject }) => subject),
        );
        const counted = lines.length > before || lines.some((subject) => String(subject).includes('mallory'));
        return counted ? true : undefined;
      });
      const { brokers } = await cluster.node(1).cluster();
      expect(brokers.map(({ id }) => id)).to.not.include(4);
    } finally {
      await late.dispose();
    }
  });

  it('shows a replaced certificate to the next connection, and keeps those there are', async () => {
    const node = cluster.node(1);
    const before = await shownBy(node.address, client, authority);
    // Nothing that is connected breaks: these run over the old certificate.
    const channel = new Channel(node.address, { credentials: credentialsOf(authority, client) });
    const ask = () => channel.unary(clusterService.DescribeCluster, { allowStale: true });
    await ask();
    const { leaderId, term } = await cluster.quorum();
    authority.issue({ commonName: 'node-1', names: LOCAL });
    const after = await eventually('the new certificate', 10_000, async () => {
      const shown = await shownBy(node.address, client, authority);
      return shown.serialNumber === before.serialNumber ? undefined : shown;
    });
    expect(after.subject.CN).to.equal('node-1');
    await ask();
    channel.close();
    const now = await cluster.quorum();
    expect([now.leaderId, now.term]).to.deep.equal([leaderId, term]);
    // A node that comes back is let in with its new one.
    await node.server.stop();
    await node.start();
    await cluster.admin().createTopics([{ name: 'after', partitions: 3, replicationFactor: 3 }]);
  });

  it('keeps the old certificate when the new files do not fit together', async () => {
    const node = cluster.node(3);
    const before = await shownBy(node.address, client, authority);
    const { certificate } = nodes.get(3)!;
    const kept = readFileSync(certificate);
    writeFileSync(certificate, readFileSync(nodes.get(2)!.certificate));
    await eventually('the refusal in the log', 10_000, () =>
      node.logged('certificates were not replaced; the old ones stay in use').length > 0 ? true : undefined,
    );
    expect((await shownBy(node.address, client, authority)).serialNumber).to.equal(before.serialNumber);
    writeFileSync(certificate, kept);
  });
});

describe('a node with TLS in its configuration', () => {
  it('does not start with a certificate that cannot be read', async () => {
    const settings = { 'listener.security.protocol.map': 'CLIENT:SSL', 'ssl.keystore.location': '/no/file' };
    const failure = await TestBroker.start(settings).then(
      () => 'started',
      (error: unknown) => String(error),
    );
    expect(failure).to.contain('CLIENT has no certificates to speak TLS with').and.contain('ENOENT');
  });
});
