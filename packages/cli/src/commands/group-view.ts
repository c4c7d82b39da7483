// How a group looks to people: its head, its partitions, and what its last rebalances were about. Pure.
import type { GroupListing, GroupMemberInfo, RebalanceInfo, TopicPartition } from '@tidemark/client';
import { formatMs } from '../output/quantity.ts';
import { renderFields, renderTable, type Column } from '../output/report.ts';
import type { GroupPartitionRow, GroupSituation } from './group-situation.ts';

const known = (value: number): string | number => (value < 0 ? '-' : value);
const orDash = (text: string): string => (text === '' ? '-' : text);

export const listColumns: readonly Column<GroupListing>[] = [
  { header: 'group', cell: ({ groupId }) => groupId },
  { header: 'state', cell: ({ state }) => state },
  { header: 'type', cell: ({ protocolType }) => orDash(protocolType) },
  { header: 'coordinator', cell: ({ coordinatorId }) => coordinatorId, align: 'right' },
];

const partitionColumns: readonly Column<GroupPartitionRow>[] = [
  { header: 'topic', cell: ({ topic }) => topic },
  { header: 'partition', cell: ({ partition }) => partition, align: 'right' },
  { header: 'committed', cell: ({ committedOffset }) => known(committedOffset), align: 'right' },
  { header: 'end', cell: ({ endOffset }) => known(endOffset), align: 'right' },
  { header: 'lag', cell: ({ lag }) => known(lag), align: 'right' },
  { header: 'client', cell: ({ clientId, memberId }) => orDash(clientId === '' ? memberId : clientId) },
  { header: 'member', cell: ({ memberId }) => orDash(memberId), wide: true },
  { header: 'host', cell: ({ clientHost }) => orDash(clientHost), wide: true },
  { header: 'metadata', cell: ({ metadata }) => orDash(metadata), wide: true },
];

export interface LagRow extends TopicPartition {
  readonly groupId: string;
  readonly committedOffset: number;
  readonly endOffset: number;
  readonly lag: number;
}

export const lagColumns: readonly Column<LagRow>[] = [
  { header: 'group', cell: ({ groupId }) => groupId },
  { header: 'topic', cell: ({ topic }) => topic },
  { header: 'partition', cell: ({ partition }) => partition, align: 'right' },
  { header: 'committed', cell: ({ committedOffset }) => known(committedOffset), align: 'right' },
  { header: 'end', cell: ({ endOffset }) => known(endOffset), align: 'right' },
  { header: 'lag', cell: ({ lag }) => known(lag), align: 'right' },
];

/** By what people know it. */
export function memberName({ memberId, groupInstanceId, clientId, clientHost }: GroupMemberInfo): string {
  const name = groupInstanceId === '' ? (clientId === '' ? memberId : clientId) : groupInstanceId;
  return clientHost === '' ? name : `${name} (${clientHost})`;
}

/** `orders 0-3,7; users 1`. */
export function partitionRanges(partitions: readonly TopicPartition[]): string {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  return [...topics]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([topic, indexes]) => `${topic} ${runs(indexes.sort((one, other) => one - other)).join(',')}`)
    .join('; ');
}

function runs(sorted: readonly number[]): readonly string[] {
  const texts: string[] = [];
  for (let at = 0; at < sorted.length;) {
    let last = at;
    while (sorted[last + 1] === sorted[last]! + 1) last++;
    texts.push(last === at ? String(sorted[at]) : `${sorted[at]!}-${sorted[last]!}`);
    at = last + 1;
  }
  return texts;
}

const ago = (timestampMs: number, nowMs: number): string => formatMs(Math.max(0, nowMs - timestampMs));

export function groupView(group: GroupSituation, wide: boolean, nowMs: number): readonly string[] {
  const awaited = group.members.filter((member) => member.awaited);
  const since = group.stateTimestampMs > 0 ? `, for ${ago(group.stateTimestampMs, nowMs)}` : '';
  return [
    renderFields([
      ['group', group.groupId],
      ['state', `${group.state}${since}`],
      ['coordinator', group.coordinatorId < 0 ? '-' : `${group.coordinatorId} (${group.coordinator})`],
      ['assignor', orDash(group.protocol)],
      ['generation', group.generation],
      ['members', group.members.length],
      ['total lag', group.totalLag],
      ...(awaited.length === 0 ? [] : [['awaited', awaited.map(memberName).join(', ')] as const]),
    ]),
    renderTable(group.partitions, partitionColumns, { wide }),
  ];
}

const CAUSES: Readonly<Record<RebalanceInfo['cause'], string>> = {
  'member-joined': 'joined',
  'member-rejoined': 'joined again',
  'leader-rejoined': 'leads the group and joined again',
  'member-left': 'left',
  'session-expired': 'was not heard of for its session timeout',
  'static-member-replaced': 'was started again under its group.instance.id',
  'sync-timed-out': 'did not ask for its assignment in time',
  'assignment-not-stored': 'the assignment could not be stored',
  unknown: 'rebalanced for a reason this version does not know',
};

export interface GroupExplanation {
  readonly groupId: string;
  readonly state: string;
  readonly generation: number;
  /** What the state means for who reads the topics. */
  readonly meaning: string;
  readonly rebalances: readonly (RebalanceInfo & { readonly text: string })[];
  /** Whom a rebalance waits for. */
  readonly awaited: readonly string[];
  /** Those with the largest lag first. */
  readonly members: readonly {
    readonly name: string;
    readonly memberId: string;
    readonly isLeader: boolean;
    readonly awaited: boolean;
    readonly partitions: readonly TopicPartition[];
    readonly lag: number;
  }[];
  /** Partitions with a lag that nobody reads. */
  readonly unread: readonly TopicPartition[];
  readonly next: readonly string[];
}

export function explainGroup(group: GroupSituation): GroupExplanation {
  const { groupId, state, generation } = group;
  const names = new Map(group.members.map((member) => [member.memberId, memberName(member)]));
  const lags = (memberId: string): number =>
    group.partitions
      .filter((row) => row.memberId === memberId)
      .reduce((sum, { lag }) => sum + Math.max(0, lag), 0);
  const members = group.members
    .map((member) => ({
      name: memberName(member),
      memberId: member.memberId,
      isLeader: member.isLeader,
      awaited: member.awaited,
      partitions: member.partitions,
      lag: lags(member.memberId),
    }))
    .sort((one, other) => other.lag - one.lag);
  const awaited = members.filter((member) => member.awaited).map(({ name }) => name);
  const unread = group.partitions
    .filter(({ memberId, lag }) => memberId === '' && lag > 0)
    .map(({ topic, partition }) => ({ topic, partition }));
  return {
    groupId,
    state,
    generation,
    meaning: meaningOf(group, awaited),
    rebalances: group.rebalances.map((each) => ({ ...each, text: rebalanceText(each, names) })),
    awaited,
    members,
    unread: state === 'Stable' || state === 'Empty' ? unread : [],
    next: nextSteps(group, awaited, members),
  };
}

function meaningOf({ state, members }: GroupSituation, awaited: readonly string[]): string {
  const waits = awaited.length === 0 ? '' : `; it waits for ${awaited.join(', ')}`;
  switch (state) {
    case 'Stable':
      return `${members.length === 1 ? 'one member reads' : `${members.length} members read`}, each what it was assigned`;
    case 'Empty':
      return 'it has no members: nobody reads; its offsets are kept for offsets.retention.minutes';
    case 'PreparingRebalance':
      return `a rebalance is under way: members join${waits}`;
    case 'CompletingRebalance':
      return `a rebalance is under way: the leader computes the assignment, the members fetch it${waits}`;
    case 'Dead':
    default:
      return 'the group is gone, or its coordinator no longer serves it';
  }
}

function rebalanceText(
  { cause, memberIds, detail }: RebalanceInfo,
  names: ReadonlyMap<string, string>,
): string {
  const who = memberIds.map((memberId) => names.get(memberId) ?? memberId).join(', ');
  const what = who === '' ? CAUSES[cause] : `${who} ${CAUSES[cause]}`;
  return detail === '' ? what : `${what}: ${detail}`;
}

function nextSteps(
  { groupId, state, rebalances, totalLag }: GroupSituation,
  awaited: readonly string[],
  members: GroupExplanation['members'],
): readonly string[] {
  const last = rebalances.at(-1);
  const steps: string[] = [];
  if (awaited.length > 0) {
    steps.push(
      'the members awaited finish the records they hold first; raise nothing, look whether they still run',
    );
  }
  if (last?.cause === 'session-expired') {
    steps.push('a member fell silent: see whether its process runs and reaches the coordinator');
  }
  if (last?.detail.includes('max.poll.interval.ms') === true) {
    steps.push(
      'a member takes too long over its records: lower max.poll.records or raise max.poll.interval.ms',
    );
  }
  if (state === 'Empty') {
    steps.push(`to move it: tidemark group seek ${groupId} --to end`);
  } else if (totalLag > 0 && members[0] !== undefined && members[0].lag > 0) {
    steps.push(`see whether the lag falls: tidemark group describe ${groupId} --watch`);
  }
  return steps;
}

interface MemberRow {
  readonly name: string;
  readonly holds: string;
  readonly lag: number;
}

const memberColumns: readonly Column<MemberRow>[] = [
  { header: 'member', cell: ({ name }) => name },
  { header: 'lag', cell: ({ lag }) => lag, align: 'right' },
  { header: 'holds', cell: ({ holds }) => holds },
];

/** Who holds what; empty where there is nobody. */
export function memberTable(members: GroupExplanation['members']): string {
  if (members.length === 0) return '';
  return renderTable(
    members.map(({ name, isLeader, awaited, partitions, lag }) => ({
      name: `${name}${isLeader ? ' *' : ''}${awaited ? ' (awaited)' : ''}`,
      holds: partitions.length === 0 ? '-' : partitionRanges(partitions),
      lag,
    })),
    memberColumns,
  );
}

export function explanationView(explanation: GroupExplanation, nowMs: number): readonly string[] {
  const { groupId, state, generation, meaning, rebalances, members, unread, next } = explanation;
  const latest = [...rebalances].reverse();
  return [
    renderFields([
      ['group', groupId],
      ['state', state],
      ['generation', generation],
      ['meaning', meaning],
    ]),
    latest.length === 0
      ? 'No rebalance is remembered by this coordinator.\n'
      : `Rebalances, latest first:\n${latest
          .map(
            (each) =>
              `  ${ago(each.timestampMs, nowMs)} ago, ended generation ${each.generation}: ${each.text}\n`,
          )
          .join('')}`,
    memberTable(members),
    unread.length === 0 ? '' : `Nobody reads ${partitionRanges(unread)}.\n`,
    next.map((step) => `next: ${step}\n`).join(''),
  ];
}

export interface SeekRow extends TopicPartition {
  /** -1: nothing is committed. */
  readonly fromOffset: number;
  readonly toOffset: number;
  /** Records that are read again (negative) or passed over. */
  readonly change: number;
}

export const seekColumns: readonly Column<SeekRow>[] = [
  { header: 'topic', cell: ({ topic }) => topic },
  { header: 'partition', cell: ({ partition }) => partition, align: 'right' },
  { header: 'from', cell: ({ fromOffset }) => known(fromOffset), align: 'right' },
  { header: 'to', cell: ({ toOffset }) => toOffset, align: 'right' },
  {
    header: 'change',
    cell: ({ fromOffset, change }) => (fromOffset < 0 ? '-' : change > 0 ? `+${change}` : change),
    align: 'right',
  },
];
