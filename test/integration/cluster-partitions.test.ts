// What an operator sees of partitions, on a cluster of three real nodes: all well, and with one node gone.
import { expect } from 'chai';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cluster, eventually, HASTY } from './cluster.ts';

interface Explained {
  readonly topic: string;
  readonly partition: number;
  readonly state: string;
  readonly leaderId: number;
  readonly inSyncReplicas: readonly number[];
  readonly replicas: readonly {
    readonly brokerId: number;
    readonly role: string;
    readonly fenced: boolean;
    readonly note: string;
  }[];
  readonly candidates: readonly { readonly brokerId: number; readonly by: string }[];
}

describe('the partitions of a cluster, as its operator sees them', function () {
  this.timeout(60_000);

  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start({ nodes: [{ id: 1 }, { id: 2 }, { id: 3 }], settings: HASTY });
    await eventually('a topic with three replicas', 20_000, async () => {
      const { code } = await cluster.cli([
        'topic',
        'create',
        'orders',
        '-p',
        '3',
        '-r',
        '3',
        '--if-not-exists',
      ]);
      return code === 0 ? true : undefined;
    });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(cluster.stderr);
  });

  after(async () => {
    await cluster.dispose();
  });

  async function explained(name: string): Promise<Explained> {
    const { code, stdout, stderr } = await cluster.cli(['partition', 'explain', name, '-o', 'json']);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as Explained;
  }

  it('lists and explains a healthy partition, as text and as JSON', async () => {
    // A replica is made a moment after the topic is.
    const told = await eventually('all replicas of orders:0 there', 10_000, async () => {
      const found = await explained('orders:0');
      const roles = found.replicas.map(({ role }) => role);
      return roles.includes('leader') && !roles.includes('absent') ? found : undefined;
    });
    expect(told).to.include({ topic: 'orders', partition: 0 });
    expect(told.replicas).to.have.length(3);
    const leader = told.replicas.find(({ brokerId }) => brokerId === told.leaderId);
    expect(leader?.role).to.equal('leader');
    const others = told.replicas.filter(({ brokerId }) => brokerId !== told.leaderId);
    for (const { role } of others) expect(role).to.be.oneOf(['follower', 'changing']);

    const text = await cluster.cli(['partition', 'explain', 'orders:0']);
    expect(text.stdout).to.match(/^PARTITION +orders:0\n/);
    expect(text.stdout).to.match(/\nWRITE acks=1 {4}yes\n/);
    expect(text.stdout).to.contain(`Who may lead, in this order:\n  1. broker ${told.leaderId}  in sync`);

    const list = await cluster.cli(['partition', 'list', '--topic', 'orders', '-o', 'json']);
    expect(list.code, list.stderr).to.equal(0);
    expect((JSON.parse(list.stdout) as Explained[]).map(({ partition }) => partition)).to.deep.equal([
      0, 1, 2,
    ]);
    const offline = await cluster.cli(['partition', 'list', '--offline', '-o', 'json']);
    expect([offline.code, JSON.parse(offline.stdout)]).to.deep.equal([0, []]);
  });

  it('says what it does not have', async () => {
    const [partition, topic, name] = await Promise.all([
      cluster.cli(['partition', 'explain', 'orders:9']),
      cluster.cli(['partition', 'explain', 'missing:0']),
      cluster.cli(['partition', 'explain', 'orders']),
    ]);
    expect([partition.code, topic.code, name.code]).to.deep.equal([4, 4, 2]);
    expect(partition.stderr).to.contain('topic orders has no partition 9, only 0 to 2');
  });

  it('reports a node that is gone as unknown, with the cause, and finds its partitions under-replicated', async () => {
    const controller = await cluster.leader();
    const gone = cluster.nodes.find((node) => node !== controller)!;
    await gone.server.kill();
    const told = await eventually(`broker ${gone.id} out of sync`, 20_000, async () => {
      const found = await explained('orders:0');
      return found.inSyncReplicas.includes(gone.id) ? undefined : found;
    });
    const replica = told.replicas.find(({ brokerId }) => brokerId === gone.id);
    expect(replica).to.include({ role: 'unknown', fenced: true });
    expect(replica?.note).to.contain('not known: ');
    expect(told.candidates.at(-1)).to.include({ brokerId: gone.id, by: 'unclean' });
    const list = await cluster.cli(['partition', 'list', '--under-replicated', '-o', 'json']);
    expect(list.code).to.equal(3);
    expect(JSON.parse(list.stdout)).to.have.length(3);
  });

  it('has others lead where a broker cannot open its replica', async () => {
    // Folders of another topic are where node 1 would make its own.
    for (const index of [0, 1, 2]) {
      const folder = join(cluster.node(1).server.dataDirectory, `blocked-${index}`);
      await mkdir(folder);
      await writeFile(join(folder, 'partition.metadata'), 'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAg');
    }
    const created = await cluster.cli(['topic', 'create', 'blocked', '-p', '3', '-r', '3']);
    expect(created.code, created.stderr).to.equal(0);
    for (const index of [0, 1, 2]) {
      const told = await eventually(`others in sync of blocked:${index}`, 10_000, async () => {
        const found = await explained(`blocked:${index}`);
        return found.inSyncReplicas.includes(1) ? undefined : found;
      });
      expect(told.leaderId).to.be.oneOf([2, 3]);
      const own = told.replicas.find(({ brokerId }) => brokerId === 1);
      expect(own?.role).to.equal('unopened');
    }
  });
});
