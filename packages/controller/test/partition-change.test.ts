import { expect } from 'chai';
import { changePartition, type PartitionImage } from '@tidemark/controller';
import { topicIdFromBytes } from '@tidemark/core';
import { applyPartitionChange } from '../src/image-builder.ts';

const topicId = topicIdFromBytes(new Uint8Array(16));

const start = {
  partition: 0,
  replicas: [1, 2, 3],
  isr: [1, 2, 3],
  leader: 1,
  leaderEpoch: 5,
  partitionEpoch: 9,
  elr: [],
  lastKnownElr: [],
  leaderRecoveryState: 'recovered',
  addingReplicas: [],
  removingReplicas: [],
};

interface Setting {
  readonly before?: Partial<Record<keyof PartitionImage, unknown>>;
  readonly active?: readonly number[];
  readonly minInSync?: number;
  readonly unclean?: boolean;
}

/** What differs afterwards, by field; undefined for no record. */
function change(
  wanted: object,
  { before = {}, active = [1, 2, 3], minInSync = 2, unclean = false }: Setting = {},
) {
  const from = { ...start, ...before } as unknown as PartitionImage;
  const record = changePartition(topicId, from, wanted, {
    isActive: (id) => active.includes(id),
    minInSync: (count) => Math.min(minInSync, count),
    mayElectUnclean: unclean,
  });
  if (record === undefined) return undefined;
  const after = applyPartitionChange(from, record);
  expect(after.partitionEpoch, 'by one per change').to.equal(from.partitionEpoch + 1);
  const differs = (key: keyof PartitionImage) => JSON.stringify(after[key]) !== JSON.stringify(from[key]);
  return Object.fromEntries(
    Object.entries(after).filter(([key]) => key !== 'partitionEpoch' && differs(key as keyof PartitionImage)),
  ) as Partial<PartitionImage>;
}

describe('the election of a leader', () => {
  it('keeps a leader that may lead, and takes the first active replica in sync otherwise', () => {
    expect(change({})).to.equal(undefined);
    expect(change({}, { active: [2, 3] })).to.deep.equal({ leader: 2, leaderEpoch: 6 });
    const swapped = { replicas: [3, 1, 2] };
    expect(change({}, { before: swapped, active: [2, 3] })).to.deep.equal({ leader: 3, leaderEpoch: 6 });
    expect(change({}, { before: swapped }), 'not the preferred one, but it leads').to.equal(undefined);
  });

  it('takes an eligible replica only when nobody is in sync, and then alone in sync (KIP-966)', () => {
    const before = { isr: [], elr: [2, 3], lastKnownElr: [1], leader: -1 };
    const elected = { leader: 3, leaderEpoch: 6, isr: [3], elr: [2], lastKnownElr: [] };
    expect(change({}, { before, active: [3] })).to.deep.equal(elected);
    const inSync = { isr: [1], elr: [2], leader: -1 };
    expect(change({}, { before: inSync, active: [2, 3] }), '1 is in sync and will be back').to.equal(
      undefined,
    );
  });

  it('takes the last leader when nobody is in sync or eligible, and says that it may have lost records', () => {
    const before = { isr: [], elr: [], lastKnownElr: [2], leader: -1 };
    expect(change({}, { before, active: [1, 3] })).to.equal(undefined);
    expect(change({}, { before })).to.deep.equal({
      leader: 2,
      leaderEpoch: 6,
      isr: [2],
      lastKnownElr: [],
      leaderRecoveryState: 'recovering',
    });
  });

  it('takes a replica out of sync only where that is allowed, and forgets who was eligible', () => {
    const before = { isr: [], elr: [1], lastKnownElr: [1], leader: -1 };
    expect(change({}, { before, active: [2, 3] })).to.equal(undefined);
    const lossy = { leader: 2, leaderEpoch: 6, isr: [2], elr: [], lastKnownElr: [] };
    const expected = { ...lossy, leaderRecoveryState: 'recovering' };
    expect(change({}, { before, active: [2, 3], unclean: true })).to.deep.equal(expected);
    expect(change({ election: 'unclean' }, { before, active: [2, 3] })).to.deep.equal(expected);
    expect(change({ election: 'preferred' }, { before, active: [2, 3] })).to.equal(undefined);
    expect(change({ election: 'unclean' }, { before })?.leader, 'an eligible one comes first').to.equal(1);
    expect(change({ election: 'unclean' }, { before, active: [] }), 'nobody is there').to.equal(undefined);
  });

  it('gives the preferred leader its partition back only if it is in sync and active', () => {
    const before = { leader: 2 };
    const preferred = { election: 'preferred' };
    expect(change(preferred, { before })).to.deep.equal({ leader: 1, leaderEpoch: 6 });
    expect(change(preferred, { before, active: [2, 3] })).to.equal(undefined);
    expect(change(preferred, { before: { ...before, isr: [2, 3] } })).to.equal(undefined);
  });
});

describe('the leader epoch', () => {
  it('stays when the ISR shrinks or grows under its leader (KAFKA-15021)', () => {
    expect(change({ isr: [1, 2] })).to.deep.equal({ isr: [1, 2] });
    expect(change({ isr: [1, 2, 3] }, { before: { isr: [1, 2] } })).to.deep.equal({ isr: [1, 2, 3] });
  });

  it('rises when the partition loses its leader, and when it gets one', () => {
    expect(change({ isr: [] }, { active: [] })).to.deep.include({ leader: -1, leaderEpoch: 6 });
  });

  it('rises when a replica is removed, although the leader stays (rule 18)', () => {
    const reassigned = { replicas: [1, 2, 3], removing: [3], adding: [] };
    expect(change(reassigned)).to.deep.equal({ replicas: [1, 2], isr: [1, 2], leaderEpoch: 6 });
  });
});

describe('eligible leader replicas (rule 7, KIP-966)', () => {
  it('are those who leave an ISR that is below min.insync.replicas, and no others', () => {
    expect(change({ isr: [1, 2] }), 'enough are left: others may commit without 3').to.not.have.property(
      'elr',
    );
    expect(change({ isr: [1] })).to.deep.equal({ isr: [1], elr: [2, 3] });
    expect(change({ isr: [1] }, { before: { isr: [1, 2] } })).to.deep.equal({ isr: [1], elr: [2] });
  });

  it('stay while too few are in sync, and go when there are enough', () => {
    const before = { isr: [1], elr: [2, 3] };
    const three = { before, minInSync: 3 };
    expect(change({ isr: [1, 2] }, three)).to.deep.equal({ isr: [1, 2], elr: [3] });
    expect(change({ isr: [1, 2] }, { before })).to.deep.equal({ isr: [1, 2], elr: [] });
  });

  it('are what remains of an ISR that becomes empty; the last leader is remembered', () => {
    const alone = { before: { isr: [1], elr: [2] }, active: [] };
    expect(change({ isr: [] }, alone)).to.deep.equal({
      isr: [],
      elr: [1, 2],
      lastKnownElr: [1],
      leader: -1,
      leaderEpoch: 6,
    });
  });

  it('go when one of them leads and is enough: the minimum was lowered while nobody led', () => {
    const before = { isr: [], elr: [1, 2, 3], lastKnownElr: [1], leader: -1 };
    expect(change({}, { before, minInSync: 1 })).to.deep.include({ leader: 1, isr: [1], elr: [] });
    expect(change({}, { before, minInSync: 2 })).to.deep.include({ leader: 1, isr: [1], elr: [2, 3] });
  });

  it('never are those who may have lost records, nor those who have gone', () => {
    expect(change({ unclean: 2 }, { before: { isr: [1, 2] } })).to.deep.equal({ isr: [1] });
    expect(change({ unclean: 2 }, { before: { isr: [1], elr: [2] } })).to.deep.equal({ elr: [] });
    const gone = { replicas: [1, 2], isr: [1] };
    expect(change(gone)).to.deep.equal({ replicas: [1, 2], isr: [1], elr: [2], leaderEpoch: 6 });
  });
});

describe('the recovery of a leader that was elected uncleanly (KIP-704)', () => {
  it('ends with the first ISR it decides on', () => {
    const before = { isr: [1], leaderRecoveryState: 'recovering' };
    const recovered = { leaderRecoveryState: 'recovered' };
    expect(change({ isr: [1], recovered: true }, { before, minInSync: 1 })).to.deep.equal(recovered);
    expect(change({}, { before, minInSync: 1 })).to.equal(undefined);
  });
});

describe('the end of a reassignment (rule 18, KIP-455)', () => {
  it('comes when all added replicas are in sync', () => {
    const before = { replicas: [4, 5, 1, 2], isr: [1, 2], addingReplicas: [4, 5], removingReplicas: [1, 2] };
    const active = [1, 2, 3, 4, 5];
    expect(change({ isr: [1, 2, 4] }, { before, active })).to.deep.equal({ isr: [1, 2, 4] });
    expect(change({ isr: [1, 2, 4, 5] }, { before, active })).to.deep.equal({
      replicas: [4, 5],
      isr: [4, 5],
      leader: 4,
      leaderEpoch: 6,
      addingReplicas: [],
      removingReplicas: [],
    });
  });

  it('with fewer replicas than before: when all that remain are in sync', () => {
    const before = { isr: [1, 3], removingReplicas: [1] };
    expect(change({}, { before }), '2 is not').to.equal(undefined);
    expect(change({ isr: [1, 2, 3] }, { before })).to.deep.equal({
      replicas: [2, 3],
      isr: [2, 3],
      leader: 2,
      leaderEpoch: 6,
      removingReplicas: [],
    });
  });

  it('with as many as before, does not wait for one that stays and is out of sync', () => {
    const before = {
      replicas: [1, 2, 4, 3],
      isr: [1, 3],
      addingReplicas: [4],
      removingReplicas: [3],
    };
    const after = change({ isr: [1, 3, 4] }, { before, active: [1, 2, 3, 4] });
    expect(after).to.deep.equal({
      replicas: [1, 2, 4],
      isr: [1, 4],
      leaderEpoch: 6,
      addingReplicas: [],
      removingReplicas: [],
    });
  });
});
