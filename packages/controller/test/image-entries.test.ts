import { expect } from 'chai';
import fc from 'fast-check';
import {
  applyRecords,
  changedTopics,
  ImageDigester,
  imageDigest,
  imageEntries,
  imageFromEntries,
  imageKeyRange,
  ImageLoader,
  imageWrites,
  MetadataImage,
  NO_LEADER,
  type MetadataRecord,
} from '@tidemark/controller';
import {
  topicIdFromBytes,
  type BrokerId,
  type Failure,
  type KeyValueEntry,
  type KeyValueWrite,
  type LeaderEpoch,
  type PartitionEpoch,
  type PartitionIndex,
  type TopicId,
  type TopicName,
} from '@tidemark/core';
import { anyHistory } from './history.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const idOf = (n: number): TopicId =>
  topicIdFromBytes(Uint8Array.from({ length: 16 }, (_, at) => (at < 4 ? (n * 2654435761) >>> (8 * at) : 7)));

/** Everything in an image, without the shape of its maps. */
function plain(image: MetadataImage) {
  const { parts } = image;
  return {
    offset: parts.offset,
    clusterId: parts.clusterId,
    features: parts.features,
    brokers: [...parts.brokers],
    topics: new Map(parts.topics.entries()),
    topicIds: new Map(parts.topicIds.entries()),
    counts: [image.topicCount, image.partitionCount],
    allBrokersConfigs: parts.allBrokersConfigs,
    brokerConfigs: parts.brokerConfigs,
    nextProducerId: parts.nextProducerId,
    scram: new Map(parts.access.scram.entries()),
    acls: new Map(parts.access.acls.entries()),
    quotas: new Map(parts.access.quotas.entries()),
  };
}

function loaded(entries: Iterable<KeyValueEntry>): MetadataImage {
  const result = imageFromEntries(entries);
  if (!(result instanceof MetadataImage)) throw new Error(result.message);
  return result;
}

function refusal(entries: Iterable<KeyValueEntry>): Failure {
  const result = imageFromEntries(entries);
  if (result instanceof MetadataImage) throw new Error('was loaded');
  return result;
}

/** A key-value store by its contract, in hexadecimal, whose order is the order of bytes. */
class Store {
  readonly entries = new Map<string, KeyValueEntry>();

  constructor(entries: Iterable<KeyValueEntry>) {
    for (const entry of entries) this.entries.set(hex(entry.key), entry);
  }

  write(writes: readonly KeyValueWrite[]): void {
    for (const { key, value } of writes) {
      if (value === undefined) this.entries.delete(hex(key));
      else this.entries.set(hex(key), { key, value });
    }
  }

  read(): KeyValueEntry[] {
    return [...this.entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  }
}

const inHex = (entries: Iterable<KeyValueEntry>): string[] =>
  [...entries].map(({ key, value }) => `${hex(key)}=${hex(value)}`);

const partition = (n: number, index: number, isr = [1, 2, 3]): MetadataRecord => ({
  type: 'partition',
  topicId: idOf(n),
  partition: index as PartitionIndex,
  replicas: [1, 2, 3] as BrokerId[],
  isr: isr as BrokerId[],
  leader: 1 as BrokerId,
  leaderEpoch: 0 as LeaderEpoch,
  partitionEpoch: 0 as PartitionEpoch,
});
const topic = (n: number): MetadataRecord => ({
  type: 'topic',
  topicId: idOf(n),
  name: `topic-${n}` as TopicName,
});
const imageOf = (records: readonly MetadataRecord[], base = MetadataImage.empty()): MetadataImage =>
  applyRecords(base, records, base.offset + 1);

/** Topics of so many partitions each. */
const wide = (topics: number, partitions: number): MetadataImage =>
  imageOf(
    Array.from({ length: topics }, (_, n) => [
      topic(n),
      ...Array.from({ length: partitions }, (_, index) => partition(n, index)),
    ]).flat(),
  );

describe('an image as entries', () => {
  it('is the same image again, whatever records it is made of', () => {
    fc.assert(
      fc.property(anyHistory, (records) => {
        const image = imageOf(records);
        const entries = [...imageEntries(image)];
        const again = loaded(entries);
        expect(plain(again)).to.deep.equal(plain(image));
        expect(inHex(imageEntries(again))).to.deep.equal(inHex(entries));
        expect(again.index).to.deep.equal(image.index);
        for (const { name } of image.topics())
          expect(again.topicByName(name)).to.deep.equal(image.topicByName(name));
      }),
      { numRuns: 300 },
    );
  });

  it('comes in the order of keys, each once and all in the range of images', () => {
    const { from, to } = imageKeyRange();
    fc.assert(
      fc.property(anyHistory, (records) => {
        const keys = [...imageEntries(imageOf(records))].map(({ key }) => hex(key));
        expect(keys).to.deep.equal([...new Set(keys)].sort());
        for (const key of keys) expect(key >= hex(from) && key < hex(to), key).to.equal(true);
      }),
    );
  });

  it('changes by the writes of a difference, step by step and all at once', () => {
    fc.assert(
      fc.property(anyHistory, fc.nat(8), (records, step) => {
        const first = imageOf([]);
        const store = new Store(imageEntries(first));
        let image = first;
        for (let at = 0; at < records.length; at += step + 1) {
          const next = imageOf(records.slice(at, at + step + 1), image);
          store.write(imageWrites(next, image));
          image = next;
          expect(inHex(store.read())).to.deep.equal(inHex(imageEntries(image)));
        }
        const atOnce = new Store(imageEntries(first));
        atOnce.write(imageWrites(image, first));
        expect(inHex(atOnce.read())).to.deep.equal(inHex(imageEntries(image)));
        // An image of another origin shares nothing, and the difference is right all the same; also backwards.
        const foreign = new Store(imageEntries(image));
        foreign.write(imageWrites(loaded(imageEntries(first)), image));
        expect(inHex(foreign.read())).to.deep.equal(inHex(imageEntries(first)));
      }),
      { numRuns: 300 },
    );
  });

  it('has nothing before the first record', () => {
    expect([...imageEntries(MetadataImage.empty())]).to.deep.equal([]);
    expect(plain(loaded([]))).to.deep.equal(plain(MetadataImage.empty()));
    expect(imageWrites(MetadataImage.empty(), MetadataImage.empty())).to.deep.equal([]);
  });

  it('stays as it is: a byte for images, a byte for the kind, ids; a version, then fields', () => {
    const image = imageOf([
      { type: 'cluster', clusterId: 'c' },
      topic(1),
      partition(1, 0),
      partition(1, 1, [2, 3]),
      {
        type: 'partitionChange',
        topicId: idOf(1),
        partition: 1 as PartitionIndex,
        leader: NO_LEADER,
        isr: [],
      },
    ]);
    const id = hex(Uint8Array.from({ length: 16 }, (_, at) => (at < 4 ? 2654435761 >>> (8 * at) : 7)));
    expect(inHex(imageEntries(image))).to.deep.equal([
      '6901=0004',
      '6902=000163',
      `6908${id}=0007746f7069632d3102`,
      `690a${id}00000000=000003010203020000`,
      `690a${id}00000001=00010301020300000101`,
    ]);
  });

  it('writes one small entry for one new leader, however large the topic', () => {
    const image = wide(1, 1_000);
    const next = imageOf(
      [
        {
          type: 'partitionChange',
          topicId: idOf(0),
          partition: 500 as PartitionIndex,
          leader: 2 as BrokerId,
        },
      ],
      image,
    );
    const writes = imageWrites(next, image);
    expect(writes.map(({ key }) => key[1]).sort()).to.deep.equal([1, 10]);
    const bytes = writes.reduce((sum, { key, value }) => sum + key.length + value!.length, 0);
    expect(bytes).to.be.lessThan(50);
  });

  it('takes at most 32 bytes for a settled partition with three replicas', () => {
    const small = [...imageEntries(wide(1, 1))].at(-1)!;
    expect(small.key.length + small.value.length).to.be.at.most(32);
  });

  it('looks only at what has changed', () => {
    const image = wide(500, 2);
    const next = imageOf(
      [{ type: 'topicConfig', topicId: idOf(3), name: 'retention.ms', value: '1' }],
      image,
    );
    expect([...changedTopics(next, image)]).to.have.length(1);
    const untouched = image.topicById(idOf(4))!;
    // A partition that throws when it is read stands for the work that must not be done.
    Object.defineProperty(untouched.partitions[0]!, 'replicas', {
      get: () => {
        throw new Error('was looked at');
      },
    });
    expect(imageWrites(next, image)).to.have.length(2);
    expect(() => [...imageEntries(next)]).to.throw('was looked at');
  });
});

describe('loading an image', () => {
  const image = imageOf([
    { type: 'cluster', clusterId: 'cluster' },
    { type: 'featureLevel', feature: 'metadata.version', level: 1 },
    { type: 'brokerConfig', brokerId: null, name: 'a', value: '1' },
    { type: 'brokerConfig', brokerId: 7 as BrokerId, name: 'b', value: '2' },
    topic(1),
    partition(1, 0),
    partition(1, 1),
    topic(2),
    partition(2, 0),
    { type: 'topicConfig', topicId: idOf(2), name: 'c', value: '3' },
    { type: 'producerIds', brokerId: 1 as BrokerId, brokerEpoch: 1, nextProducerId: 1000 } as MetadataRecord,
  ]);
  const entries = [...imageEntries(image)];
  const at = (kind: number, skip = 0): number => entries.findIndex(({ key }) => key[1] === kind) + skip;
  const without = (index: number): KeyValueEntry[] => entries.toSpliced(index, 1);
  const valued = (index: number, change: (value: Uint8Array) => Uint8Array): KeyValueEntry[] =>
    entries.with(index, { key: entries[index]!.key, value: change(entries[index]!.value) });

  it('refuses what is not whole', () => {
    expect(refusal(without(at(1))).message).to.contain('no offset');
    expect(refusal(without(at(8))).message).to.contain('a topic it does not have');
    expect(refusal(without(at(10))).message).to.match(/partition \d+ where 0 is due|0 of the/);
    const cut = entries.slice(0, -1);
    expect(refusal(cut).message).to.match(/\d of the \d partitions/);
    for (const entry of [refusal(without(at(1))), refusal(cut)])
      expect(entry.error).to.equal('CORRUPT_MESSAGE');
  });

  it('refuses entries out of order, twice, or of somebody else', () => {
    expect(refusal([...entries.slice(1), entries[0]!]).message).to.contain('order');
    expect(refusal([...entries, entries.at(-1)!]).message).to.contain('order');
    expect(refusal([...entries, { key: Uint8Array.of(0x72, 1), value: Uint8Array.of(0) }]).error).to.equal(
      'CORRUPT_MESSAGE',
    );
  });

  it('refuses what a newer version wrote, by name', () => {
    const newer = [
      refusal([...entries, { key: Uint8Array.of(0x69, 99), value: Uint8Array.of(0) }]),
      refusal(valued(at(10), (value) => value.with(0, 1))),
      refusal(valued(at(4), () => Uint8Array.of(0, 2))),
    ];
    for (const { error } of newer) expect(error).to.equal('UNSUPPORTED_VERSION');
    expect(newer[0]!.message).to.contain('entry kind 99');
    expect(newer[1]!.message).to.contain('version 1 of the entry partition');
    expect(newer[2]!.message).to.contain('metadata.version 2');
  });

  it('refuses two topics whose names metrics could not tell apart', () => {
    const rename = (index: number): KeyValueEntry[] =>
      valued(index, (value) => Uint8Array.of(0, 7, ...Buffer.from('topic-1'), value.at(-1)!));
    expect([refusalOr(rename(at(8))), refusalOr(rename(at(8, 1)))]).to.include(
      'A stored metadata image has two topics of one name.',
    );
  });

  it('takes nothing more after the first failure', () => {
    const loader = new ImageLoader();
    expect(loader.add(entries[1]!)).to.equal(undefined);
    const failed = loader.add(entries[0]!);
    expect(failed?.error).to.equal('CORRUPT_MESSAGE');
    expect(loader.add(entries[2]!)).to.equal(failed);
    expect(loader.build()).to.equal(failed);
  });

  it('answers any bytes with an image or a refusal', () => {
    const mutation = fc.record({
      entry: fc.nat(entries.length - 1),
      inKey: fc.boolean(),
      at: fc.nat(40),
      byte: fc.nat(255),
      kind: fc.constantFrom('set', 'cut', 'grow', 'drop'),
    });
    let images = 0;
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
        const mutated = entries.map(({ key, value }) => ({ key, value }));
        for (const { entry, inKey, at: place, byte, kind } of mutations) {
          const target = mutated[entry % mutated.length]!;
          const bytes = inKey ? target.key : target.value;
          const position = place % (bytes.length + 1);
          const changed =
            kind === 'grow'
              ? Uint8Array.of(...bytes.subarray(0, position), byte, ...bytes.subarray(position))
              : kind === 'cut'
                ? bytes.slice(0, position)
                : Uint8Array.from(bytes, (old, index) => (index === position ? byte : old));
          if (kind === 'drop') mutated.splice(entry % mutated.length, 1);
          else if (inKey) target.key = changed;
          else target.value = changed;
          if (mutated.length === 0) return;
        }
        const result = imageFromEntries(mutated);
        if (!(result instanceof MetadataImage)) {
          expect(result.error).to.be.oneOf(['CORRUPT_MESSAGE', 'UNSUPPORTED_VERSION']);
          return;
        }
        images++;
        expect(plain(loaded(imageEntries(result)))).to.deep.equal(plain(result));
      }),
      { numRuns: 3000 },
    );
    expect(images, 'some mutations are harmless').to.be.greaterThan(0);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(12), fc.uint8Array({ maxLength: 30 }), fc.uint8Array({ maxLength: 40 }))),
        (list) => {
          const sorted = list
            .map(([kind, ids, value]) => ({
              key: Uint8Array.of(0x69, kind, ...ids),
              value: Uint8Array.of(0, ...value),
            }))
            .sort((a, b) => (hex(a.key) < hex(b.key) ? -1 : 1));
          imageFromEntries(sorted);
        },
      ),
      { numRuns: 2000 },
    );
  });

  function refusalOr(mutated: readonly KeyValueEntry[]): string {
    const result = imageFromEntries(mutated);
    return result instanceof MetadataImage ? 'an image' : result.message;
  }
});

describe('the digest of an image', () => {
  it('is that of any equal image, and changes with every record', () => {
    const digester = new ImageDigester();
    fc.assert(
      fc.property(anyHistory, (records) => {
        let image = MetadataImage.empty();
        const seen = new Set([imageDigest(image)]);
        for (const record of records) {
          image = imageOf([record], image);
          seen.add(digester.digest(image));
        }
        expect(seen.size).to.equal(records.length + 1);
        expect(imageDigest(image)).to.equal(digester.digest(image));
        expect(imageDigest(imageOf(records))).to.equal(digester.digest(image));
        expect(digester.digest(loaded(imageEntries(image)))).to.equal(digester.digest(image));
      }),
      { numRuns: 200 },
    );
  });

  it('differs when only one byte of one entry does', () => {
    const image = wide(3, 4);
    const entries = [...imageEntries(image)];
    const seen = new Set([imageDigest(image)]);
    expect([...seen][0]).to.match(/^[0-9a-f]{16}$/);
    let images = 1;
    for (const [index, { key, value }] of entries.entries()) {
      for (let at = 0; at < value.length; at++) {
        const result = imageFromEntries(entries.with(index, { key, value: value.with(at, value[at]! ^ 1) }));
        if (!(result instanceof MetadataImage)) continue;
        images++;
        seen.add(imageDigest(result));
      }
    }
    expect(images).to.be.greaterThan(60);
    expect(seen.size).to.equal(images);
  });
});
