import { expect } from 'chai';
import fc from 'fast-check';
import {
  applyRecord,
  applyRecords,
  brokerConfigsChanged,
  changedPartitions,
  changedTopics,
  ImageBuilder,
  MetadataImage,
  NO_LEADER,
  type MetadataRecord,
} from '@tidemark/controller';
import {
  InvariantViolation,
  topicIdFromBytes,
  type BrokerId,
  type LeaderEpoch,
  type PartitionEpoch,
  type PartitionIndex,
  type TopicId,
  type TopicName,
} from '@tidemark/core';

const idOf = (n: number): TopicId => topicIdFromBytes(new Uint8Array(16).fill(n));
const b1 = 1 as BrokerId;
const b2 = 2 as BrokerId;

const topic = (n: number, name = `topic-${n}`): MetadataRecord => ({
  type: 'topic',
  topicId: idOf(n),
  name: name as TopicName,
});
const partition = (n: number, index: number): MetadataRecord => ({
  type: 'partition',
  topicId: idOf(n),
  partition: index as PartitionIndex,
  replicas: [b1, b2],
  isr: [b1, b2],
  leader: b1,
  leaderEpoch: 0 as LeaderEpoch,
  partitionEpoch: 0 as PartitionEpoch,
});
const change = (n: number, index: number, fields: object): MetadataRecord => ({
  type: 'partitionChange',
  topicId: idOf(n),
  partition: index as PartitionIndex,
  ...fields,
});
const config = (n: number, name: string, value: string | null): MetadataRecord => ({
  type: 'topicConfig',
  topicId: idOf(n),
  name,
  value,
});

const image = (records: readonly MetadataRecord[], base = MetadataImage.empty()) =>
  applyRecords(base, records, base.offset + 1);

describe('the metadata image', () => {
  it('finds a topic by name and by id, and forgets both when it is removed', () => {
    const one = image([topic(1), partition(1, 0), partition(1, 1), config(1, 'retention.ms', '5')]);
    expect(one.topicByName('topic-1')?.id).to.equal(idOf(1));
    expect(one.topicById(idOf(1))?.partitions).to.have.length(2);
    expect(one.topicConfigs('topic-1').get('retention.ms')).to.equal('5');
    expect([one.topicCount, one.partitionCount, one.offset]).to.deep.equal([1, 2, 3]);
    const gone = image([{ type: 'removeTopic', topicId: idOf(1) }], one);
    expect(gone.topicByName('topic-1')).to.equal(undefined);
    expect(gone.topicById(idOf(1))).to.equal(undefined);
    expect([gone.topicCount, gone.partitionCount]).to.deep.equal([0, 0]);
    expect([...gone.topicConfigs('topic-1')]).to.deep.equal([]);
    expect(one.topicByName('topic-1')?.partitions, 'the older image').to.have.length(2);
  });

  it('knows a topic by its exact name only, but tells which one metrics would take it for', () => {
    const one = image([topic(1, 'a.b'), partition(1, 0)]);
    expect(one.topicByName('a_b')).to.equal(undefined);
    expect(one.topicByMetricName('a_b')?.name).to.equal('a.b');
  });

  it('raises the partition epoch with every change and the leader epoch with every choice of a leader', () => {
    const start = image([topic(1), partition(1, 0)]);
    const at = (records: readonly MetadataRecord[]) =>
      image(records, start).topicById(idOf(1))!.partitions[0]!;
    expect(at([change(1, 0, { isr: [b1] })])).to.include({ leader: b1, leaderEpoch: 0, partitionEpoch: 1 });
    expect(at([change(1, 0, { leader: b1 })])).to.include({ leader: b1, leaderEpoch: 1, partitionEpoch: 1 });
    const lost = at([change(1, 0, { isr: [b1] }), change(1, 0, { leader: NO_LEADER })]);
    expect(lost).to.include({ leader: NO_LEADER, leaderEpoch: 1, partitionEpoch: 2 });
    expect(lost.isr).to.deep.equal([b1]);
    expect(lost.replicas).to.deep.equal([b1, b2]);
  });

  it('keeps configs of all brokers and of one apart, and drops what is set to nothing', () => {
    const set = (brokerId: BrokerId | null, value: string | null): MetadataRecord => ({
      type: 'brokerConfig',
      brokerId,
      name: 'log.retention.ms',
      value,
    });
    const one = image([set(null, '1'), set(b1, '2')]);
    expect(one.brokerConfigs('').get('log.retention.ms')).to.equal('1');
    expect(one.brokerConfigs(b1).get('log.retention.ms')).to.equal('2');
    expect(one.brokerConfigs(b2).size).to.equal(0);
    const two = image([set(b1, null)], one);
    expect(two.brokerConfigs(b1).size).to.equal(0);
    expect(two.brokerConfigs('').size).to.equal(1);
    expect(brokerConfigsChanged(two, one)).to.equal(true);
    expect(brokerConfigsChanged(image([topic(1), partition(1, 0)], two), two)).to.equal(false);
  });

  it('shares with its predecessor all that a record did not touch', () => {
    const before = image([1, 2, 3].flatMap((n) => [topic(n), partition(n, 0), partition(n, 1)]));
    const after = applyRecord(before, change(2, 1, { isr: [b1] }), before.offset + 1);
    expect(after.topicById(idOf(1))).to.equal(before.topicById(idOf(1)));
    expect(after.topicById(idOf(2))!.partitions[0]).to.equal(before.topicById(idOf(2))!.partitions[0]);
    const changes = changedTopics(after, before);
    expect(changes.map((c) => c.after?.name)).to.deep.equal(['topic-2']);
    expect(changedPartitions(changes[0]!).map((p) => p.partition)).to.deep.equal([1]);
  });

  it('reports a topic that was deleted and created anew as a deletion, then a creation', () => {
    const before = image([topic(1, 'orders'), partition(1, 0)]);
    const after = image(
      [{ type: 'removeTopic', topicId: idOf(1) }, topic(2, 'orders'), partition(2, 0), partition(2, 1)],
      before,
    );
    const changes = changedTopics(after, before);
    expect(changes.map((c) => [c.before?.id, c.after?.id])).to.deep.equal([
      [idOf(1), undefined],
      [undefined, idOf(2)],
    ]);
    expect(changes.map((c) => changedPartitions(c).length)).to.deep.equal([0, 2]);
  });

  it('is the same whether records come one by one, in one batch, or in several', () => {
    const step = fc.oneof(
      fc.nat(3).map((n) => ({ kind: 'topic' as const, n })),
      fc.nat(3).map((n) => ({ kind: 'partition' as const, n })),
      fc.nat(3).map((n) => ({ kind: 'change' as const, n })),
      fc.nat(3).map((n) => ({ kind: 'config' as const, n })),
      fc.nat(3).map((n) => ({ kind: 'remove' as const, n })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.array(fc.nat(40)), (steps, cuts) => {
        const records = legal(steps);
        const oneByOne = records.reduce((at, record, i) => applyRecord(at, record, i), MetadataImage.empty());
        const builder = new ImageBuilder(MetadataImage.empty());
        records.forEach((record, i) => {
          builder.apply(record, i);
          if (cuts.includes(i)) builder.build();
        });
        expect(contents(builder.build())).to.deep.equal(contents(oneByOne));
        expect(contents(applyRecords(MetadataImage.empty(), records, 0))).to.deep.equal(contents(oneByOne));
      }),
    );
  });

  it('takes a record that does not fit for the bug it is', () => {
    const one = image([topic(1), partition(1, 0)]);
    const bad: readonly MetadataRecord[] = [
      topic(1),
      topic(2, 'topic-1'),
      partition(1, 2),
      partition(9, 0),
      change(1, 1, { isr: [b1] }),
      config(9, 'retention.ms', '1'),
      { type: 'removeTopic', topicId: idOf(9) },
      { type: 'brokerChange', brokerId: b1, brokerEpoch: 1, fenced: false } as MetadataRecord,
    ];
    for (const record of bad) {
      expect(() => image([record], one), JSON.stringify(record)).to.throw(InvariantViolation);
    }
    expect(() => applyRecord(one, topic(3), 1)).to.throw(InvariantViolation, 'out of order');
  });
});

interface Step {
  readonly kind: 'topic' | 'partition' | 'change' | 'config' | 'remove';
  readonly n: number;
}

/** The records of the steps that make sense where they stand. */
function legal(steps: readonly Step[]): MetadataRecord[] {
  const partitions = new Map<number, number>();
  return steps.flatMap(({ kind, n }): MetadataRecord[] => {
    const count = partitions.get(n);
    if (kind === 'topic') {
      if (count !== undefined) return [];
      partitions.set(n, 0);
      return [topic(n)];
    }
    if (count === undefined) return [];
    if (kind === 'remove') {
      partitions.delete(n);
      return [{ type: 'removeTopic', topicId: idOf(n) }];
    }
    if (kind === 'config') return [config(n, 'retention.ms', count % 2 === 0 ? String(count) : null)];
    if (kind === 'change') return count === 0 ? [] : [change(n, count - 1, { isr: [b2], leader: b2 })];
    partitions.set(n, count + 1);
    return [partition(n, count)];
  });
}

function contents(of: MetadataImage) {
  const topics = [...of.topics()].map((t) => ({ ...t, configs: [...t.configs] }));
  return { offset: of.offset, partitions: of.partitionCount, topics };
}
