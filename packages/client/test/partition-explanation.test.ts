// What a person on call is told of a partition: one situation each, three replicas on brokers 1, 2 and 3, min.insync.replicas 2.
import {
  explainPartition,
  type PartitionSituation,
  type ReplicaAnswer,
  type ReplicaInfo,
  type ReplicaStanding,
} from '@tidemark/client';
import { expect } from 'chai';

const described = (
  brokerId: number,
  end: number,
  parts: Partial<ReplicaInfo> & { readonly standing: ReplicaStanding },
): ReplicaAnswer => ({
  kind: 'described',
  brokerId,
  replica: {
    topic: 'orders',
    topicId: 'id',
    partition: 0,
    brokerId,
    isLeader: parts.standing.role === 'leader',
    inSync: true,
    logStartOffset: 0,
    highWatermark: end,
    logEndOffset: end,
    lag: 0,
    sizeBytes: 1,
    segmentCount: 1,
    flushedOffset: end,
    leaderEpoch: 5,
    leaderEpochs: [{ leaderEpoch: 5, startOffset: 0 }],
    ...parts,
  },
});

const follower = (brokerId: number, logEndOffset: number, inSync = true) => ({
  brokerId,
  logEndOffset,
  acknowledgedOffset: logEndOffset,
  inSync,
  lagMs: inSync ? 0 : 45_000,
});

type Leader = Extract<ReplicaStanding, { role: 'leader' }>;
const leads = (
  end: number,
  highWatermark: number,
  followers: Leader['followers'],
  rest: Partial<Leader> = {},
): ReplicaAnswer =>
  described(1, end, {
    highWatermark,
    standing: { role: 'leader', epochStartOffset: 0, isolated: false, followers, ...rest },
  });

const follows = (
  brokerId: number,
  end: number,
  highWatermark = end,
  rest: Partial<Extract<ReplicaStanding, { role: 'follower' }>> = {},
): ReplicaAnswer =>
  described(brokerId, end, {
    highWatermark,
    standing: { role: 'follower', leaderId: 1, state: 'fetching', ...rest },
  });

const dead = (brokerId: number): ReplicaAnswer => ({
  kind: 'unknown',
  brokerId,
  cause: 'connection refused',
});

const situation = (parts: Partial<PartitionSituation>): PartitionSituation => ({
  topic: 'orders',
  topicId: 'id',
  partition: 0,
  leaderId: 1,
  leaderEpoch: 5,
  partitionEpoch: 9,
  replicas: [1, 2, 3],
  inSyncReplicas: [1, 2, 3],
  offlineReplicas: [],
  eligibleLeaderReplicas: [],
  lastKnownLeaderReplicas: [],
  addingReplicas: [],
  removingReplicas: [],
  recovering: false,
  minInsyncReplicas: 2,
  uncleanElection: false,
  answers: [leads(100, 100, [follower(2, 100), follower(3, 100)]), follows(2, 100), follows(3, 100)],
  ...parts,
});

const explain = (parts: Partial<PartitionSituation>) => explainPartition(situation(parts));
const textOf = (steps: readonly { readonly text: string }[]) => steps.map(({ text }) => text).join('\n');

describe('the explanation of a partition', () => {
  it('healthy: writable, every replica may lead without loss, nothing to do', () => {
    const told = explain({});
    expect(told).to.include({ state: 'healthy', underReplicated: false });
    expect(told.writableAcksAll).to.deep.equal({ possible: true, reasons: [] });
    expect(told.writableAcksOne.possible).to.equal(true);
    expect(told.candidates.map(({ brokerId, by }) => [brokerId, by])).to.deep.equal([
      [1, 'in-sync'],
      [2, 'in-sync'],
      [3, 'in-sync'],
    ]);
    expect(told.highWatermark).to.deep.equal({ offset: 100, brokerId: 1, fromLeader: true });
    expect(told.replicas.map(({ lag }) => lag)).to.deep.equal([0, 0, 0]);
    expect(told.next).to.deep.equal([]);
  });

  it('one broker down: still writable, but at the minimum; its end is what the leader last knew', () => {
    const told = explain({
      inSyncReplicas: [1, 2],
      offlineReplicas: [3],
      answers: [leads(130, 130, [follower(2, 130), follower(3, 100, false)]), follows(2, 130), dead(3)],
    });
    expect(told.state).to.equal('at-min-isr');
    expect(told.writableAcksAll.possible).to.equal(true);
    expect(told.replicas[2]).to.include({
      role: 'unknown',
      membership: 'out-of-sync',
      fenced: true,
      lag: 30,
    });
    expect(told.replicas[2]!.note).to.contain('not known: connection refused');
    expect(told.candidates[2]).to.include({ by: 'unclean', available: false, automatic: false });
    expect(told.candidates[2]!.loss.committed).to.deep.equal({ from: 100, to: 130 });
    expect(told.candidates[2]!.loss.mayBeMore).to.equal(false);
    expect(textOf(told.next)).to.contain('Start broker 3 again');
  });

  it('under min ISR: acks=all refused and why, acks=1 taken; the uncommitted tail is told from the committed', () => {
    const told = explain({
      inSyncReplicas: [1],
      offlineReplicas: [2, 3],
      eligibleLeaderReplicas: [2],
      answers: [leads(150, 120, [follower(2, 120, false), follower(3, 90, false)]), dead(2), dead(3)],
    });
    expect(told.state).to.equal('under-min-isr');
    expect(told.writableAcksAll.reasons).to.deep.equal(['1 in sync, and min.insync.replicas is 2']);
    expect(told.writableAcksOne.possible).to.equal(true);
    // While somebody is in sync, the eligible may not lead.
    expect(told.candidates.map(({ brokerId, by }) => [brokerId, by])).to.deep.equal([
      [1, 'in-sync'],
      [2, 'unclean'],
      [3, 'unclean'],
    ]);
    expect(told.candidates[1]!.loss).to.deep.include({
      committed: null,
      uncommitted: { from: 120, to: 150 },
    });
    expect(told.candidates[2]!.loss).to.deep.include({
      committed: { from: 90, to: 120 },
      uncommitted: { from: 120, to: 150 },
    });
  });

  it('no leader, ISR empty, somebody eligible: start that broker, and nothing is lost', () => {
    const told = explain({
      leaderId: -1,
      inSyncReplicas: [],
      offlineReplicas: [1, 2],
      eligibleLeaderReplicas: [2, 1],
      answers: [dead(1), dead(2), follows(3, 80, 75, { leaderId: -1, state: 'idle' })],
    });
    expect(told.state).to.equal('offline');
    expect(told.writableAcksOne.reasons).to.deep.equal(['it has no leader']);
    expect(told.candidates.map(({ brokerId, by, available }) => [brokerId, by, available])).to.deep.equal([
      [1, 'eligible', false],
      [2, 'eligible', false],
      [3, 'unclean', true],
    ]);
    expect(told.next[0]!.text).to.contain('Start one of the brokers 2, 1 again');
    expect(told.next[1]!.command).to.equal('tidemark partition elect-leader orders:0 --unclean');
  });

  it('all in sync are dead and a lagging replica is alive: what it would lose, and that it may be more', () => {
    const told = explain({
      leaderId: -1,
      inSyncReplicas: [1],
      offlineReplicas: [1],
      answers: [
        dead(1),
        follows(2, 80, 75, { leaderId: -1, state: 'idle' }),
        follows(3, 95, 95, { leaderId: -1, state: 'idle' }),
      ],
    });
    expect(told.highWatermark).to.deep.equal({ offset: 95, brokerId: 3, fromLeader: false });
    const [first, second, third] = told.candidates;
    expect(first).to.include({ brokerId: 1, by: 'in-sync', available: false });
    // The controller takes the first that is there, not the one that has most.
    expect(second).to.include({ brokerId: 2, by: 'unclean', available: true, automatic: false });
    expect(second!.loss).to.deep.include({
      committed: { from: 80, to: 95 },
      uncommitted: null,
      mayBeMore: true,
    });
    expect(second!.loss.text).to.equal(
      'would lose EVERYTHING from offset 80 on; how much that is is NOT KNOWN, as no leader answers; ' +
        'of these are known: 15 records, offsets 80 to 94, committed',
    );
    expect(third!.loss).to.deep.include({ committed: null, mayBeMore: true });
    expect(textOf(told.next)).to.contain('Only when that broker is lost for good');
    expect(textOf(told.next)).to.contain('takes broker 2, which would lose EVERYTHING from offset 80 on');
  });

  // The survivor had been dead, too: its high watermark was 0, and it lacked 25 committed records.
  it('never says that nothing is lost when no leader answers, though no survivor knows of any loss', () => {
    const told = explain({
      leaderId: -1,
      inSyncReplicas: [],
      offlineReplicas: [1, 2],
      eligibleLeaderReplicas: [1, 2],
      answers: [dead(1), dead(2), follows(3, 1000, 0, { leaderId: -1, state: 'idle' })],
    });
    const { loss } = told.candidates[2]!;
    expect(loss).to.deep.include({ committed: null, uncommitted: null, mayBeMore: true });
    expect(loss.text).to.contain('EVERYTHING from offset 1000 on').and.to.contain('NOT KNOWN');
    expect(loss.text).not.to.contain('nothing');
    expect(textOf(told.next)).to.contain('What only acks=1 acknowledged may be gone');
  });

  it('a replica without a leader says so, instead of being between two roles for ever', () => {
    const replica = described(3, 9, { standing: { role: 'changing' } });
    const orphan = { leaderId: -1, inSyncReplicas: [], answers: [dead(1), dead(2), replica] };
    expect(explain(orphan).replicas[2]!.note).to.equal('has no leader to follow');
    const changing = explain({ answers: [leads(9, 9, []), follows(2, 9), replica] });
    expect(changing.replicas[2]!.note).to.equal('between two roles');
  });

  it('what another survivor has beyond the high watermark is lost, too, where the leader is dead', () => {
    const told = explain({
      leaderId: -1,
      inSyncReplicas: [1],
      offlineReplicas: [1],
      answers: [
        dead(1),
        follows(2, 80, 75, { leaderId: -1, state: 'idle' }),
        follows(3, 99, 90, { leaderId: -1, state: 'idle' }),
      ],
    });
    expect(told.candidates[1]!.loss).to.deep.include({
      committed: { from: 80, to: 90 },
      uncommitted: { from: 90, to: 99 },
      mayBeMore: true,
    });
  });

  it('of a dead follower only what it said is on its disk counts', () => {
    const told = explain({
      inSyncReplicas: [1, 2],
      offlineReplicas: [3],
      answers: [
        leads(130, 130, [follower(2, 130), { ...follower(3, 120, false), acknowledgedOffset: 100 }]),
        follows(2, 130),
        dead(3),
      ],
    });
    expect(told.replicas[2]).to.include({ logEndOffset: 120, acknowledgedOffset: 100 });
    expect(told.candidates[2]!.loss.committed).to.deep.equal({ from: 100, to: 130 });
  });

  it('nobody answers: nothing is claimed of any end', () => {
    const told = explain({
      leaderId: -1,
      inSyncReplicas: [],
      offlineReplicas: [1, 2, 3],
      lastKnownLeaderReplicas: [2],
      answers: [dead(1), dead(2), dead(3)],
    });
    expect(told.highWatermark).to.equal(null);
    expect(told.candidates[0]).to.include({ brokerId: 2, by: 'last-known-leader', automatic: true });
    for (const { loss } of told.candidates) expect(loss.text).to.contain('UNKNOWN');
    expect(textOf(told.next)).to.contain('Start broker 2 again: it led last');
  });

  it('leader isolated: neither kind of write, and where to look', () => {
    const told = explain({
      answers: [
        leads(100, 100, [follower(2, 100), follower(3, 100)], { isolated: true, refusal: 'isolated' }),
        follows(2, 100),
        follows(3, 100),
      ],
    });
    const reason = 'its leader, broker 1, is isolated from the controller';
    expect(told.writableAcksOne).to.deep.equal({ possible: false, reasons: [reason] });
    expect(told.writableAcksAll).to.deep.equal({ possible: false, reasons: [reason] });
    expect(told.next[0]!.text).to.contain('does not reach the controller');
  });

  it('the leader refuses for a reason of its own: the reason is told', () => {
    const followers = [follower(2, 100), follower(3, 100)];
    const told = explain({
      answers: [
        leads(100, 100, followers, { refusal: 'the disk is full' }),
        follows(2, 100),
        follows(3, 100),
      ],
    });
    expect(told.writableAcksAll.reasons).to.deep.equal(['the leader refuses: the disk is full']);
    expect(told.writableAcksOne.possible).to.equal(true);
  });

  it('a follower waits because it was refused: the refusal is told', () => {
    const refusal = 'the leader epoch 5 is fenced';
    const told = explain({
      inSyncReplicas: [1, 2],
      answers: [
        leads(100, 100, [follower(2, 100), follower(3, 40, false)]),
        follows(2, 100),
        follows(3, 40, 40, { state: 'waiting', refusal }),
      ],
    });
    expect(told.replicas[2]!.note).to.equal(`waiting: ${refusal}`);
    expect(told.replicas[2]!.lag).to.equal(60);
    expect(textOf(told.next)).to.contain(`waits instead of fetching (waiting: ${refusal})`);
  });

  it('a replica is still being created: it would lose everything', () => {
    const told = explain({
      inSyncReplicas: [1, 2],
      addingReplicas: [3],
      answers: [
        leads(100, 100, [follower(2, 100), follower(3, -1, false)]),
        follows(2, 100),
        { kind: 'absent', brokerId: 3 },
      ],
    });
    expect(told.replicas[2]).to.include({ role: 'absent', lag: -1 });
    expect(told.replicas[2]!.note).to.contain('being added by a reassignment');
    expect(told.candidates[2]!.loss.text).to.contain('EVERYTHING');
    expect(textOf(told.next)).to.contain('Wait until broker 3 has made its replica');
  });

  it('a log that could not be opened: its leader takes nothing, and it is not called safe', () => {
    const cause = 'the log of orders-0 could not be opened: the disk is full';
    const told = explain({
      answers: [{ kind: 'unopened', brokerId: 1, cause }, follows(2, 100), follows(3, 100)],
    });
    expect(told.writableAcksOne.reasons).to.deep.equal([`its leader, broker 1, has not opened it: ${cause}`]);
    expect(told.replicas[0]).to.include({ role: 'unopened', note: `not open: ${cause}` });
    expect(told.candidates[0]!.loss.mayBeMore).to.equal(true);
    expect(textOf(told.next)).to.contain('Broker 1 could not open the log: make room if its disk is full');
  });

  it('a replica in sync whose broker has none is not called safe', () => {
    const told = explain({
      answers: [leads(100, 100, []), { kind: 'absent', brokerId: 2 }, follows(3, 100)],
    });
    expect(told.candidates[1]!.loss.mayBeMore).to.equal(true);
  });

  it('the leader does not answer: neither write is called possible, and what is known is called old', () => {
    const told = explain({ answers: [dead(1), follows(2, 100, 95), follows(3, 100, 90)] });
    expect(told.writableAcksAll.reasons[0]).to.contain('does not answer: connection refused');
    expect(told.highWatermark).to.deep.equal({ offset: 95, brokerId: 2, fromLeader: false });
    expect(told.replicas.map(({ lag }) => lag)).to.deep.equal([-1, -1, -1]);
    expect(textOf(told.next)).to.contain('Broker 1 leads and did not answer');
  });
});
