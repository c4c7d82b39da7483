// How partitions and their explanations look to people, at 3 am and in 80 columns where the data allows it. Pure.
import type { ExplainedReplica, LeaderCandidate, PartitionExplanation, Writability } from '@tidemark/client';
import { renderFields, renderTable, type Column } from '../output/report.ts';
import { CONTROLS } from '../output/table.ts';
import { hanging } from '../output/wrap.ts';

const known = (value: number): string | number => (value < 0 ? '?' : value);
const ids = (brokers: readonly number[]): string => (brokers.length === 0 ? '-' : brokers.join(','));
const clean = (text: string): string => text.replace(CONTROLS, '\ufffd');

/** The replica that is furthest behind; -1 where nobody's lag is known. */
function worstLag({ replicas }: PartitionExplanation): number {
  return Math.max(-1, ...replicas.map(({ lag }) => lag));
}

export const partitionColumns: readonly Column<PartitionExplanation>[] = [
  { header: 'topic', cell: (row) => row.topic },
  { header: 'partition', cell: (row) => row.partition, align: 'right' },
  { header: 'state', cell: (row) => row.state },
  { header: 'leader', cell: (row) => (row.leaderId < 0 ? 'none' : row.leaderId), align: 'right' },
  { header: 'replicas', cell: (row) => ids(row.replicaIds) },
  { header: 'isr', cell: (row) => ids(row.inSyncReplicas) },
  { header: 'elr', cell: (row) => ids(row.eligibleLeaderReplicas) },
  { header: 'min-isr', cell: (row) => row.minInsyncReplicas, align: 'right' },
  { header: 'lag', cell: (row) => known(worstLag(row)), align: 'right' },
  { header: 'epoch', cell: (row) => row.leaderEpoch, align: 'right', wide: true },
  { header: 'high-watermark', cell: (row) => row.highWatermark?.offset ?? '?', align: 'right', wide: true },
  { header: 'acks-all', cell: (row) => (row.writableAcksAll.possible ? 'yes' : 'no'), wide: true },
  { header: 'acks-1', cell: (row) => (row.writableAcksOne.possible ? 'yes' : 'no'), wide: true },
];

const replicaColumns: readonly Column<ExplainedReplica>[] = [
  { header: 'broker', cell: (row) => row.brokerId, align: 'right' },
  { header: 'role', cell: (row) => row.role },
  { header: 'membership', cell: (row) => row.membership },
  { header: 'epoch', cell: (row) => known(row.leaderEpoch), align: 'right' },
  { header: 'start', cell: (row) => known(row.logStartOffset), align: 'right' },
  { header: 'high-watermark', cell: (row) => known(row.highWatermark), align: 'right' },
  { header: 'end', cell: (row) => known(row.logEndOffset), align: 'right' },
  { header: 'lag', cell: (row) => known(row.lag), align: 'right' },
  { header: 'on-disk', cell: (row) => known(row.flushedOffset), align: 'right', wide: true },
  { header: 'lag-ms', cell: (row) => known(row.lagMs), align: 'right', wide: true },
  {
    header: 'epochs',
    cell: (row) => row.leaderEpochs.map((each) => `${each.leaderEpoch}@${each.startOffset}`).join(' ') || '-',
    wide: true,
  },
];

export function explanationView(explanation: PartitionExplanation, wide: boolean): readonly string[] {
  const { topic, partition, state, leaderId, highWatermark, replicas, candidates, next } = explanation;
  const notes = replicas.filter(({ note }) => note !== '');
  return [
    renderFields([
      ['partition', `${topic}:${partition}`],
      ['state', state === 'healthy' ? 'healthy' : state.toUpperCase()],
      ['leader', leaderId < 0 ? 'none' : `broker ${leaderId}, epoch ${explanation.leaderEpoch}`],
      ['replicas', ids(explanation.replicaIds)],
      ['isr', `${ids(explanation.inSyncReplicas)} (min.insync.replicas ${explanation.minInsyncReplicas})`],
      ['elr', ids(explanation.eligibleLeaderReplicas)],
      ...(explanation.lastKnownLeaderReplicas.length === 0
        ? []
        : [['last leader', ids(explanation.lastKnownLeaderReplicas)] as const]),
      ...(explanation.addingReplicas.length + explanation.removingReplicas.length === 0
        ? []
        : [
            [
              'moving',
              `adding ${ids(explanation.addingReplicas)}, removing ${ids(explanation.removingReplicas)}`,
            ] as const,
          ]),
      [
        'high watermark',
        highWatermark === null
          ? 'not known: no replica answers'
          : `${highWatermark.offset}${highWatermark.fromLeader ? '' : `, as broker ${highWatermark.brokerId} last heard; maybe higher`}`,
      ],
    ]),
    renderTable(replicas, replicaColumns, { wide }),
    notes.map(({ brokerId, note }) => hanging(`  broker ${brokerId}: `, clean(note))).join(''),
    writable('acks=all', explanation.writableAcksAll) + writable('acks=1  ', explanation.writableAcksOne),
    'Who may lead, in this order:\n' +
      candidates
        .map((each, at) => hanging(`  ${at + 1}. broker ${each.brokerId}  `, candidate(each)))
        .join(''),
    next.length === 0
      ? ''
      : 'What to do:\n' +
        next
          .map(
            ({ text, command }) =>
              hanging('  - ', clean(text)) + (command === '' ? '' : `    next: ${clean(command)}\n`),
          )
          .join(''),
  ];
}

function writable(acks: string, { possible, reasons }: Writability): string {
  return hanging(`WRITE ${acks}  `, possible ? 'yes' : `NO: ${clean(reasons.join('; '))}`);
}

const BY = {
  'in-sync': 'in sync',
  eligible: 'eligible',
  'last-known-leader': 'the last leader',
  unclean: 'unclean',
} as const satisfies Record<LeaderCandidate['by'], string>;

function candidate({ by, available, automatic, loss }: LeaderCandidate): string {
  const there = available ? '' : ', fenced now';
  const asked = automatic ? '' : ', only when asked for';
  return `${BY[by]}${there}${asked}: ${loss.text}`;
}
