// `tidemark quorum` and `tidemark cluster`: what people see, at 80 columns, and how they name a voter.
import type { ClusterDescription, ClusterHealth, QuorumDescription } from '@tidemark/client';
import { clusterView, healthView, parseNewVoter, parseVoterReference, quorumView } from '@tidemark/cli';
import { expect } from 'chai';

const directory = (nodeId: number): string => `${nodeId}`.repeat(21) + 'A';

const replica = (nodeId: number, matchOffset: number, lastContactMs: number) =>
  ({
    nodeId,
    directoryId: directory(nodeId),
    host: `controller-${nodeId}.example.com`,
    port: 9291,
    matchOffset,
    lag: matchOffset < 0 ? -1 : 12_345_678 - matchOffset,
    lastContactMs,
    state: nodeId === 1 ? 'leader' : 'replicating',
  }) as const;

const quorum = (voters: QuorumDescription['voters'], parts: Partial<QuorumDescription> = {}) => ({
  nodeId: 1,
  role: 'leader' as const,
  leaderId: 1,
  leaderDirectoryId: directory(1),
  term: 7,
  commitOffset: 12_345_678,
  logStartOffset: 0,
  logEndOffset: 12_345_678,
  appliedOffset: 12_345_678,
  snapshotOffset: 12_000_000,
  voters,
  observers: [],
  ...parts,
});

const widest = (sections: readonly string[]): number =>
  Math.max(...sections.flatMap((section) => section.split('\n')).map((line) => line.length));

describe('the quorum as people see it', () => {
  const five = [
    replica(1, 12_345_678, 0),
    replica(2, 12_345_678, 12),
    replica(3, 12_345_600, 480),
    replica(4, 12_000_000, 125_000),
    replica(5, 12_345_678, 3),
  ];

  it('has the leader, lags and silences of three and of five voters within 80 columns', () => {
    for (const voters of [five.slice(0, 3), five]) {
      const sections = quorumView(quorum(voters, { observers: [replica(6, 12_345_678, 9)] }), false);
      expect(widest(sections)).to.be.at.most(80);
      expect(sections[1]!.trimEnd().split('\n')).to.have.length(voters.length + 2);
    }
  });

  it('reads like this', () => {
    const [head, table] = quorumView(
      quorum(five.slice(0, 3), { observers: [replica(6, 12_345_678, 9)] }),
      false,
    );
    expect(head).to.equal(
      `LEADER     1
TERM       7
TOLD BY    node 1 (leader)
COMMITTED  12345678
APPLIED    12345678
LOG        0 to 12345678
SNAPSHOT   up to 12000000
`,
    );
    expect(table).to.equal(
      `NODE  ROLE         MATCH  LAG   CONTACT  DIRECTORY
   1  leader    12345678    0         -  111111111111111111111A
   2  voter     12345678    0   12.0 ms  222222222222222222222A
   3  voter     12345600   78  480.0 ms  333333333333333333333A
   6  observer  12345678    0    9.0 ms  666666666666666666666A
`,
    );
  });

  it('without a leader shows the voters and no numbers that nobody knows', () => {
    const unknown = [1, 2].map((id) => ({ ...replica(id, -1, -1), state: 'unknown' as const }));
    const lost = quorum(unknown, { leaderId: -1, leaderDirectoryId: '', role: 'prospective', nodeId: 2 });
    const [head, table] = quorumView(lost, true);
    expect(head).to.contain('LEADER     none\n').and.to.contain('TOLD BY    node 2 (prospective)\n');
    expect(table).to.match(/^ +1 {2}voter +- +- +- {2}1{21}A {2}- +controller-1\.example\.com:9291$/m);
  });

  it('knows a leader with a new disk from the voter with the old one', () => {
    const old = { ...replica(1, 5, 9), directoryId: directory(9) };
    const [, table] = quorumView(quorum([old, replica(2, 5, 9)]), false);
    expect(table).not.to.contain('leader ');
  });
});

describe('the cluster as people see it', () => {
  const node = (id: number, parts: Partial<ClusterDescription['nodes'][number]> = {}) => ({
    id,
    roles: ['broker', 'controller'] as const,
    rack: 'eu-west-1a',
    brokerEpoch: 100 + id,
    fenced: false,
    inControlledShutdown: false,
    endpoints: [
      { name: 'PEER', host: `node-${id}`, port: 9291 },
      { name: 'CLIENT', host: `node-${id}`, port: 9290 },
    ],
    membership: 'voter' as const,
    ...parts,
  });
  const cluster: ClusterDescription = {
    clusterId: 'MkU3OEVBNTcwNTJENDM2Qg',
    controllerId: 2,
    brokers: [],
    metadataOffset: 9,
    version: '0.1.0',
    topicCount: 2,
    partitionCount: 6,
    offlinePartitionCount: 0,
    underMinIsrPartitionCount: 1,
    underReplicatedPartitionCount: 3,
    nodes: [
      node(1),
      node(2),
      node(3, { fenced: true }),
      node(4, { inControlledShutdown: true, roles: ['broker'], membership: 'observer' }),
      node(5, { roles: ['controller'], brokerEpoch: -1, rack: '', endpoints: [] }),
    ],
    features: [{ name: 'metadata.version', level: 1 }],
  };

  it('has every node, what it does and where it is, within 80 columns', () => {
    const [head, table] = clusterView(cluster, false);
    expect(head).to.contain('UNDER-REPLICATED  3\n').and.to.contain('METADATA.VERSION  1\n');
    expect(table).to.equal(
      `NODE  ROLES              QUORUM    STATE     RACK        ADDRESS
1     broker,controller  voter     up        eu-west-1a  node-1:9290
2*    broker,controller  leader    up        eu-west-1a  node-2:9290
3     broker,controller  voter     fenced    eu-west-1a  node-3:9290
4     broker             observer  stopping  eu-west-1a  node-4:9290
5     controller         voter     -         -           -
`,
    );
    expect(widest(clusterView(cluster, false))).to.be.at.most(80);
    expect(clusterView(cluster, true)[1]).to.contain('PEER://node-1:9291,CLIENT://node-1:9290');
  });

  it('of an earlier server has its brokers', () => {
    const brokers = [{ id: 1, host: 'h', port: 1, rack: '', fenced: true }];
    const [, table] = clusterView({ ...cluster, nodes: [], brokers }, false);
    expect(table).to.match(/^1 +broker +unknown +fenced +- +h:1$/m);
  });

  it('says what is wrong and what to type next, in lines that fit', () => {
    const health: ClusterHealth = {
      healthy: false,
      complete: false,
      nodeId: 2,
      controllerId: -1,
      metadataOffset: 9,
      reasons: [
        {
          severity: 'critical',
          what: 'no-controller',
          detail: `node 2 knows of no active controller: ${'no topic can be created '.repeat(5)}`.trim(),
          remedy: 'start the voters that are down',
          command: 'tidemark quorum status',
        },
        {
          severity: 'warning',
          what: 'fenced-brokers',
          detail: 'a\u001b[2Jb',
          remedy: 'start them again',
          command: '',
        },
      ],
    };
    const sections = healthView(health);
    expect(widest(sections)).to.be.at.most(80);
    expect(sections[0]).to.equal(
      `HEALTH      UNHEALTHY
CONTROLLER  none
TOLD BY     node 2, which is not the controller
`,
    );
    expect(sections[1]).to.match(/^CRITICAL {2}node 2 knows of no active controller: .*\n {10}\S/);
    expect(sections[1]).to.contain(
      '\n          start the voters that are down\n    next: tidemark quorum status\n',
    );
    expect(sections[2]).not.to.contain('\u001b');
  });

  it('that is healthy takes two lines', () => {
    const health = {
      healthy: true,
      complete: true,
      nodeId: 2,
      controllerId: 2,
      metadataOffset: 9,
      reasons: [],
    };
    expect(healthView(health).join('')).to.equal('HEALTH      ok\nCONTROLLER  2\n');
  });
});

describe('the name of a voter', () => {
  it('to add is whole: node, directory, host and port', () => {
    expect(parseNewVoter(`4:${directory(4)}@node-4:9291`)).to.deep.equal({
      nodeId: 4,
      directoryId: directory(4),
      host: 'node-4',
      port: 9291,
    });
    expect(parseNewVoter(`0:${directory(4)}@[fd00::1]:1`)).to.include({ nodeId: 0, host: 'fd00::1' });
  });

  it('to remove is a node, or one disk of it', () => {
    expect(parseVoterReference('3')).to.deep.equal({ nodeId: 3 });
    expect(parseVoterReference(`3:${directory(3)}`)).to.deep.equal({ nodeId: 3, directoryId: directory(3) });
  });

  it('is refused with what is wrong', () => {
    const cases: readonly (readonly [() => unknown, string])[] = [
      [() => parseNewVoter('4'), 'is not NODE_ID:DIRECTORY_ID@HOST:PORT'],
      [() => parseNewVoter('4@node-4:9291'), 'is not NODE_ID:DIRECTORY_ID@HOST:PORT'],
      [() => parseNewVoter(`4:${directory(4)}@node-4`), 'is not NODE_ID:DIRECTORY_ID@HOST:PORT'],
      [() => parseNewVoter('4:short@node-4:9291'), '"short" is not a directory id'],
      [() => parseNewVoter(`4:${directory(4)}@node-4:70000`), 'port 70000 does not exist'],
      [() => parseNewVoter(`9999999999:${directory(4)}@node-4:1`), 'is not a node id'],
      [() => parseVoterReference('three'), '"three" is not a node id'],
      [() => parseVoterReference('3:'), '"" is not a directory id'],
    ];
    for (const [parse, words] of cases) expect(parse).to.throw(words);
  });
});
