// The groups this broker coordinates one by one, under kafka_exporter's names. Names of groups are made up by clients, so what is
// shown has a limit, and what is left out is counted. All of it is read when the page is asked for; a commit pays nothing.
//
// A coordinator knows what is committed, and how far a partition goes only where it has an in-sync replica of it: as the leader, or as
// a follower that its leader tells the high watermark. Elsewhere it says nothing about the lag, and nothing about a sum that would
// lack a part; all high watermarks are on the pages of their leaders (`kafka_topic_partition_current_offset`).

import { setImmediate } from 'node:timers/promises';
import type { GroupSummary, ListedGroup } from '@tidemark/group';
import { isBrokerContext, type BrokerContext, type NodeContext } from '../broker-context.ts';
import { labelValue, type Exposition } from './exposition.ts';

/** A page of many groups must not hold up requests. */
const PARTITIONS_A_TURN = 500;

interface GroupRow {
  readonly labels: string;
  readonly value: number;
}

/** Of one scrape. */
class Shown {
  readonly offsets: GroupRow[] = [];
  readonly offsetSums: GroupRow[] = [];
  readonly lags: GroupRow[] = [];
  readonly lagSums: GroupRow[] = [];
  readonly members: GroupRow[] = [];
  readonly states: GroupRow[] = [];
  /** Of all there are. */
  readonly byState = new Map<string, number>();
  groupsLeftOut = 0;
  partitionsLeftOut = 0;
  partitionsWithoutLag = 0;
}

export async function writeConsumerGroupMetrics(page: Exposition, context: NodeContext): Promise<void> {
  const shown = isBrokerContext(context) ? await collect(context) : new Shown();
  for (const [name, help, rows] of families(shown)) {
    page.family(
      name,
      'gauge',
      help,
      rows.map(({ labels, value }) => `${name}{${labels}} ${value}`),
    );
  }
  for (const [name, help, value] of [
    [
      'tidemark_groups_left_out',
      'Groups this broker coordinates that are not shown: metrics.max.group.partitions.',
      shown.groupsLeftOut,
    ],
    [
      'tidemark_group_partitions_left_out',
      'Committed offsets of the groups that are not shown.',
      shown.partitionsLeftOut,
    ],
    [
      'tidemark_group_partitions_without_lag',
      'Committed offsets that are shown without a lag: this broker has no in-sync replica of the partition.',
      shown.partitionsWithoutLag,
    ],
  ] as const) {
    page.family(name, 'gauge', help, [`${name} ${value}`]);
  }
}

const families = (
  shown: Shown,
): readonly (readonly [name: string, help: string, rows: readonly GroupRow[]])[] => [
  [
    'kafka_consumergroup_current_offset',
    'Current Offset of a ConsumerGroup at Topic/Partition',
    shown.offsets,
  ],
  [
    'kafka_consumergroup_current_offset_sum',
    'Current Offset of a ConsumerGroup at Topic for all partitions',
    shown.offsetSums,
  ],
  [
    'kafka_consumergroup_lag',
    'Current Approximate Lag of a ConsumerGroup at Topic/Partition, where this broker has an in-sync replica',
    shown.lags,
  ],
  [
    'kafka_consumergroup_lag_sum',
    'Current Approximate Lag of a ConsumerGroup at Topic for all partitions, where all are known here',
    shown.lagSums,
  ],
  [
    'tidemark_groups',
    'Groups this broker coordinates, by state.',
    [...shown.byState].map(([state, value]) => ({ labels: `state="${state}"`, value })),
  ],
  ['kafka_consumergroup_members', 'Amount of members in a consumer group', shown.members],
  ['tidemark_group_state', 'State of a group this broker coordinates; always 1.', shown.states],
];

async function collect(context: BrokerContext): Promise<Shown> {
  const shown = new Shown();
  const { groups, config } = context;
  const ends = highWatermarks(context);
  let left = config.get('metrics.max.group.partitions');
  let sinceTurn = 0;
  const all: GroupSummary[] = [];
  for (const some of groups.listEach()) {
    for (const group of some) {
      all.push(group);
      shown.byState.set(group.state, (shown.byState.get(group.state) ?? 0) + 1);
    }
    await setImmediate();
  }
  for (const group of inOrder(all, left)) {
    const cost = costOf(group);
    if (cost > left) {
      shown.groupsLeftOut += 1;
      shown.partitionsLeftOut += group.offsetCount;
      continue;
    }
    const fetched = groups.fetchOffsets(group.groupId, undefined);
    // Its partition of __consumer_offsets has gone to another broker meanwhile.
    if (!fetched.ok) continue;
    left -= cost;
    const committed = fetched.offsets.flatMap(({ topic, partition, committed: at }) =>
      at === undefined ? [] : [{ topic, partition, offset: at.offset }],
    );
    show(shown, group, committed, ends);
    sinceTurn += cost;
    if (sinceTurn < PARTITIONS_A_TURN) continue;
    sinceTurn = 0;
    await setImmediate();
  }
  return shown;
}

const costOf = ({ offsetCount }: GroupSummary): number => offsetCount + 1;

interface CommittedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

function show(
  shown: Shown,
  { groupId, state, memberCount }: ListedGroup,
  committed: readonly CommittedPartition[],
  ends: ReadonlyMap<string, number>,
): void {
  const group = `consumergroup="${labelValue(groupId)}"`;
  shown.members.push({ labels: group, value: memberCount });
  shown.states.push({ labels: `${group},state="${state}"`, value: 1 });
  const sums = new Map<string, { offset: number; lag: number | undefined }>();
  for (const { topic, partition, offset } of committed) {
    const ofTopic = `${group},topic="${labelValue(topic)}"`;
    const labels = `${ofTopic},partition="${partition}"`;
    const end = ends.get(`${topic}-${partition}`);
    // A follower may know less than the group has read already.
    const lag = end === undefined ? undefined : Math.max(0, end - offset);
    shown.offsets.push({ labels, value: offset });
    if (lag === undefined) shown.partitionsWithoutLag += 1;
    else shown.lags.push({ labels, value: lag });
    const sum = sums.get(ofTopic) ?? { offset: 0, lag: 0 };
    sum.offset += offset;
    sum.lag = sum.lag === undefined || lag === undefined ? undefined : sum.lag + lag;
    sums.set(ofTopic, sum);
  }
  for (const [labels, { offset, lag }] of sums) {
    shown.offsetSums.push({ labels, value: offset });
    if (lag !== undefined) shown.lagSums.push({ labels, value: lag });
  }
}

/** Those with members first: names that nobody uses any more do not push out those that somebody watches. */
function inOrder(groups: readonly GroupSummary[], limit: number): readonly GroupSummary[] {
  if (groups.reduce((sum, group) => sum + costOf(group), 0) <= limit) return groups;
  const byName = (a: GroupSummary, b: GroupSummary): number => (a.groupId < b.groupId ? -1 : 1);
  const isEmpty = ({ memberCount }: GroupSummary): number => (memberCount === 0 ? 1 : 0);
  return [...groups].sort((a, b) => isEmpty(a) - isEmpty(b) || byName(a, b));
}

/** Of what is led here, or followed and in sync. */
function highWatermarks({ replicas }: BrokerContext): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  for (const { topic, partition, isLeader, inSync, highWatermark } of replicas.describeReplicas()) {
    if (isLeader || inSync) ends.set(`${topic}-${partition}`, highWatermark);
  }
  return ends;
}
