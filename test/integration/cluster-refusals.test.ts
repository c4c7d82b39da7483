// Configurations with which a node of a cluster must not start, each refused with a line that says what to do; and what a node that waits
// does meanwhile.
import { expect } from 'chai';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, eventually, HASTY } from './cluster.ts';
import { runCommand, ServerProcess, type CommandResult } from './start-server.ts';

const ANYWHERE = 'CLIENT://127.0.0.1:0,PEER://127.0.0.1:0';
const VOTERS = '1@127.0.0.1:19,2@127.0.0.1:20,3@127.0.0.1:21';

describe('a node of a cluster', function () {
  this.timeout(60_000);

  let folder: string;
  let started = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-refusals-'));
  });

  after(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const server = (settings: Readonly<Record<string, string>>): Promise<CommandResult> => {
    const all = { listeners: ANYWHERE, 'log.dirs': join(folder, `data-${started++}`), ...settings };
    return runCommand([
      'server',
      ...Object.entries(all).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    ]);
  };

  it('refuses a configuration that cannot be right, and says what to do', async () => {
    const several = { 'cluster.id': 'c', 'controller.quorum.voters': VOTERS };
    const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
      [
        { 'controller.quorum.voters': VOTERS },
        /cluster\.id is not set.*give all nodes of the cluster the same cluster\.id/,
      ],
      [
        { ...several, 'process.roles': 'broker' },
        /controller\.quorum\.voters.*names this node \(1\).*Add controller to process\.roles/s,
      ],
      [
        { 'cluster.id': 'c', 'process.roles': 'broker' },
        /controller\.quorum\.voters.*is empty.*id@host:port/s,
      ],
      [{ ...several, listeners: 'CLIENT://127.0.0.1:0' }, /PEER.*cannot be reached.*Add PEER:/s],
      [{ ...several, 'process.roles': 'controller', listeners: 'CLIENT://127.0.0.1:0' }, /Add PEER:/],
      [
        { 'cluster.id': 'c', 'controller.quorum.voters': '1@127.0.0.1:19,2@127.0.0.1:19' },
        /nodes 1 and 2 share 127\.0\.0\.1:19.*its own PEER listener/s,
      ],
      [
        { 'cluster.id': 'c', 'controller.quorum.voters': '1@0.0.0.0:19' },
        /no address anybody can connect to/,
      ],
      [
        { ...several, 'broker.session.timeout.ms': '1000' },
        /broker\.session\.timeout\.ms.*not above broker\.heartbeat\.interval\.ms.*Raise it/s,
      ],
      [{ ...several, 'process.roles': 'voter' }, /process\.roles.*broker.*controller/s],
    ];
    const results = await Promise.all(cases.map(([settings]) => server(settings)));
    for (const [at, [settings, words]] of cases.entries()) {
      expect(results[at], JSON.stringify(settings)).to.include({ code: 1, stdout: '' });
      expect(results[at]!.stderr, JSON.stringify(settings)).to.match(words);
    }
  });

  it('refuses a broker of another cluster, and a folder that was another node’s', async () => {
    const cluster = await Cluster.start({
      nodes: [{ id: 1 }, { id: 2 }, { id: 3 }],
      settings: HASTY,
    });
    try {
      const { voters } = cluster;
      const common = { 'controller.quorum.voters': voters, 'process.roles': 'broker', 'node.id': '7' };
      const stranger = await server({ ...common, 'cluster.id': 'another' });
      expect(stranger.code).to.equal(1);
      expect(stranger.stderr).to.match(/cluster test-cluster.*another.*Correct cluster\.id/s);

      const node = cluster.node(3);
      expect(await node.server.stop()).to.equal(0);
      const data = { 'log.dirs': node.server.dataDirectory };
      const [otherId, otherCluster] = [
        await server({ ...common, ...data, 'cluster.id': 'test-cluster' }),
        await server({
          ...common,
          ...data,
          'node.id': '3',
          'process.roles': 'broker,controller',
          'cluster.id': 'another',
        }),
      ];
      expect(otherId).to.include({ code: 1 });
      expect(otherId.stderr).to.match(/node\.id is 7.*3/s);
      expect(otherCluster).to.include({ code: 1 });
      expect(otherCluster.stderr).to.match(/cluster.*test-cluster.*another/s);
      await node.start();
    } finally {
      await cluster.dispose();
    }
  });

  it('that waits for the others at a first start says for whom, and ends on SIGTERM', async () => {
    const waiting = new ServerProcess(join(folder, 'waiting'), {
      settings: { 'cluster.id': 'c', 'controller.quorum.voters': VOTERS },
    });
    const serving = waiting.start().then(
      () => 'serves',
      (error: unknown) => String(error),
    );
    try {
      await eventually('whom it waits for', 10_000, () =>
        waiting.log.find(
          ({ msg, ['missing']: missing }) =>
            msg.startsWith('a first start waits') && String(missing) === '2,3',
        ),
      );
      await waiting.stop();
      expect(await serving).to.match(/ended with 0/);
    } finally {
      await waiting.dispose();
    }
  });
});
