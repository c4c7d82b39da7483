// How groups look to people: what explains them, what lags, what a seek would change. And what is refused before a cluster is asked.
import { expect } from 'chai';
import type { CommittedOffset, GroupInfo, GroupMemberInfo } from '@tidemark/client';
import { parseTopicSelector } from '../src/commands/partition-selection.ts';
import { TidemarkError } from '@tidemark/core';
import { groupRows, type GroupSituation } from '../src/commands/group-situation.ts';
import { GroupWatch, lineView, screenView } from '../src/commands/group-watch.ts';
import { explainGroup, explanationView, groupView, partitionRanges } from '../src/commands/group-view.ts';

const NOW = 1_700_000_000_000;

const member = (clientId: string, partitions: readonly number[], extra: Partial<GroupMemberInfo> = {}) => ({
  memberId: `${clientId}-1`,
  groupInstanceId: '',
  clientId,
  clientHost: '10.0.0.1',
  topics: ['orders'],
  partitions: partitions.map((partition) => ({ topic: 'orders', partition })),
  awaited: false,
  isLeader: false,
  ...extra,
});

const group = (extra: Partial<GroupInfo> = {}): GroupInfo => ({
  groupId: 'billing',
  state: 'Stable',
  stateTimestampMs: NOW - 4000,
  protocolType: 'consumer',
  protocol: 'cooperative-sticky',
  generation: 3,
  coordinatorId: 1,
  coordinator: '10.0.0.9:9290',
  members: [member('one', [0], { isLeader: true }), member('two', [1])],
  rebalances: [
    {
      timestampMs: NOW - 60_000,
      generation: 2,
      cause: 'member-left',
      memberIds: ['three-1'],
      detail: 'the application has not asked for more in max.poll.interval.ms (300000 ms)',
    },
  ],
  ...extra,
});

const commit = (partition: number, offset: number): CommittedOffset => ({
  topic: 'orders',
  partition,
  offset,
  leaderEpoch: 0,
  metadata: '',
  commitTimestampMs: NOW,
});

const ranges = new Map([
  ['orders:0', { startOffset: 0, endOffset: 10 }],
  ['orders:1', { startOffset: 5, endOffset: 25 }],
  ['orders:2', { startOffset: 0, endOffset: 7 }],
]);

function situation(info: GroupInfo, committed: readonly CommittedOffset[]): GroupSituation {
  const partitions = groupRows(info, committed, ranges);
  return { ...info, partitions, totalLag: partitions.reduce((sum, { lag }) => sum + Math.max(0, lag), 0) };
}

describe('a group', () => {
  it('lags by what is behind its offsets, and from the start where it has none', () => {
    const rows = groupRows(group(), [commit(0, 4), commit(2, 7), commit(3, 1)], ranges);
    expect(
      rows.map(({ partition, committedOffset, endOffset, lag, clientId }) => [
        partition,
        committedOffset,
        endOffset,
        lag,
        clientId,
      ]),
    ).to.deep.equal([
      [0, 4, 10, 6, 'one'],
      // Nothing is committed, and the log begins at 5.
      [1, -1, 25, 20, 'two'],
      [2, 7, 7, 0, ''],
      // Where it ends is not known: it has no leader, or is gone.
      [3, 1, -1, -1, ''],
    ]);
  });

  it('is shown with its head and its partitions', () => {
    const [head, table] = groupView(situation(group(), [commit(0, 4)]), false, NOW);
    expect(head)
      .to.match(/^STATE {8}Stable, for 4.00 s$/m)
      .and.to.match(/^TOTAL LAG {4}26$/m);
    expect(table).to.equal(`TOPIC   PARTITION  COMMITTED  END  LAG  CLIENT
orders          0          4   10    6  one
orders          1          -   25   20  two
`);
  });

  it('is explained: why it rebalanced, who holds what, what to do', () => {
    const explanation = explainGroup(situation(group(), [commit(0, 4), commit(2, 3)]));
    expect(
      explanation.members.map(({ name, lag }) => [name, lag]),
      'the furthest behind first',
    ).to.deep.equal([
      ['two (10.0.0.1)', 20],
      ['one (10.0.0.1)', 6],
    ]);
    expect(explanation.unread).to.deep.equal([{ topic: 'orders', partition: 2 }]);
    const text = explanationView(explanation, NOW).join('\n');
    expect(text).to.contain(
      '1m 00s ago, ended generation 2: three-1 left: the application has not asked for more',
    );
    expect(text).to.contain('next: a member takes too long over its records: lower max.poll.records');
    expect(text).to.contain('Nobody reads orders 2.');
    expect(text).to.match(/^one \(10\.0\.0\.1\) \* +6 {2}orders 0$/m);
  });

  it('says whom a rebalance waits for', () => {
    const slow = member('slow', [1], { awaited: true, groupInstanceId: 'till-7' });
    const info = group({ state: 'PreparingRebalance', members: [member('one', [0]), slow] });
    const { meaning, awaited } = explainGroup(situation(info, []));
    expect(awaited).to.deep.equal(['till-7 (10.0.0.1)']);
    expect(meaning).to.equal('a rebalance is under way: members join; it waits for till-7 (10.0.0.1)');
  });

  it('names runs of partitions', () => {
    const places = [3, 0, 1, 7, 2].map((partition) => ({ topic: 'orders', partition }));
    expect(partitionRanges([...places, { topic: 'a', partition: 1 }])).to.equal('a 1; orders 0-3,7');
  });

  it('is moved by topic or partition', () => {
    expect(parseTopicSelector('orders')).to.deep.equal({ topic: 'orders', partition: undefined });
    expect(parseTopicSelector('orders:3')).to.deep.equal({ topic: 'orders', partition: 3 });
    expect(() => parseTopicSelector('orders:x')).to.throw('is neither TOPIC nor TOPIC:PARTITION');
  });
});

describe('a group that is watched', () => {
  const before = situation(group(), [commit(0, 4), commit(1, 15), commit(2, 7)]);
  const twoLeft = group({
    state: 'PreparingRebalance',
    stateTimestampMs: NOW,
    members: [member('one', [0], { isLeader: true, awaited: true })],
    rebalances: [
      ...before.rebalances,
      { timestampMs: NOW, generation: 3, cause: 'member-left', memberIds: ['two-1'], detail: 'closed' },
    ],
  });

  it('tells why and what has changed since the look before, by the names of who has gone, too', () => {
    const watch = new GroupWatch();
    expect(watch.seen(before, NOW).changes, 'the first look').to.deep.equal([]);
    const left = situation(twoLeft, [commit(0, 8), commit(1, 15), commit(2, 7)]);
    expect(watch.seen(left, NOW + 2000).changes.map(({ text }) => text)).to.deep.equal([
      'rebalance: two (10.0.0.1) left: closed',
      'state: Stable -> PreparingRebalance',
      'gone: two (10.0.0.1)',
      'orders 1: two (10.0.0.1) -> nobody',
    ]);
    const settled = group({
      generation: 4,
      coordinatorId: 2,
      coordinator: '10.0.0.8:9290',
      members: [member('one', [0, 1], { isLeader: true }), member('three', [2])],
      rebalances: twoLeft.rebalances,
    });
    const after = situation(settled, [commit(0, 8), commit(1, 15), commit(2, 1)]);
    expect(watch.seen(after, NOW + 4000).changes).to.deep.equal([
      { type: 'coordinator', text: 'coordinator: broker 1 -> 2 (10.0.0.8:9290)' },
      { type: 'state', text: 'state: PreparingRebalance -> Stable' },
      { type: 'generation', text: 'generation: 3 -> 4' },
      { type: 'member-joined', text: 'joined: three (10.0.0.1)' },
      { type: 'partitions-moved', text: 'orders 1: nobody -> one (10.0.0.1)' },
      { type: 'partitions-moved', text: 'orders 2: nobody -> three (10.0.0.1)' },
      { type: 'offset-went-back', text: 'orders 2: committed offset 7 -> 1' },
    ]);
    expect(watch.seen(after, NOW + 6000).changes, 'nothing is told twice').to.deep.equal([]);
  });

  it('knows a rebalance in the same millisecond as the one before, and the first of another coordinator', () => {
    const [first] = before.rebalances;
    const watch = new GroupWatch();
    watch.seen(before, NOW);
    const twin = { ...before, rebalances: [first!, { ...first!, detail: 'another' }] };
    expect(watch.seen(twin, NOW).changes.map(({ text }) => text)).to.deep.equal([
      'rebalance: three-1 left: another',
    ]);
    const anew = { ...before, rebalances: [{ ...first!, timestampMs: NOW + 5 }] };
    expect(watch.seen(anew, NOW).changes).to.have.length(1);
  });

  it('shows how fast it reads and how fast it is written, as a line', () => {
    const watch = new GroupWatch();
    watch.seen(before, NOW);
    const rows = before.partitions.map((row) => ({
      ...row,
      committedOffset: row.committedOffset + 100,
      endOffset: row.endOffset + 30,
    }));
    const look = watch.seen({ ...before, partitions: rows }, NOW + 2000);
    expect(look.rates).to.deep.equal({ readPerSecond: 150, writtenPerSecond: 45 });
    expect(lineView(look)).to.equal(
      '22:13:22  billing  Stable  generation 3  2 members  lag 16  reads 150/s, written 45/s\n',
    );
  });

  it('goes on when the coordinator does not answer, and says so once', () => {
    const watch = new GroupWatch();
    const error = new TidemarkError('COORDINATOR_NOT_AVAILABLE', 'it moves');
    expect(watch.unanswered(error, NOW), 'nothing is known yet').to.equal(undefined);
    watch.seen(before, NOW);
    const texts = [watch.unanswered(error, NOW), watch.unanswered(error, NOW), watch.seen(before, NOW)].map(
      (look) => look!.changes.map(({ type }) => type),
    );
    expect(texts).to.deep.equal([['no-answer'], [], ['answers-again']]);
  });

  it('fits the screen: the partitions furthest behind, how many more there are, and what has changed', () => {
    const watch = new GroupWatch();
    const partitions = Array.from({ length: 40 }, (_, partition) => ({
      ...before.partitions[0]!,
      partition,
      lag: partition,
    }));
    watch.seen(before, NOW);
    const look = watch.seen({ ...situation(twoLeft, []), partitions }, NOW + 2000);
    const text = screenView(look, watch.remembered, false, 40);
    expect(text.split('\n').length).to.be.at.most(40);
    expect(text).to.match(/^orders +39 +4 +10 +39 +one$/m);
    expect(text).to.match(/^\d+ more, none further behind$/m);
    expect(text).to.match(/^one \(10\.0\.0\.1\) \* \(awaited\) +780 {2}orders 0$/m);
    expect(text).to.match(/^ {2}22:13:22 {2}rebalance: two \(10\.0\.0\.1\) left: closed$/m);
  });
});
