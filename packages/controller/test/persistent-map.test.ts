import { expect } from 'chai';
import fc from 'fast-check';
import { PersistentMap } from '@tidemark/controller';

type Step = readonly ['set', string, number] | readonly ['delete', string];

const key = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constant('set' as const), key, fc.nat()),
  fc.tuple(fc.constant('delete' as const), key),
);

function run(steps: readonly Step[], start = PersistentMap.empty<string, number>()) {
  return steps.reduce(
    (map, [kind, name, value]) => (kind === 'set' ? map.set(name, value) : map.delete(name)),
    start,
  );
}

// "costarring" and "liquid" have one FNV-1a hash, and so have these, to the last bit.
const COLLIDING = ['costarring', 'liquid'] as const;

describe('the persistent map', () => {
  it('holds what a Map holds, in an order that depends on the contents alone', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model = new Map<string, number>();
        for (const [kind, name, value] of steps) {
          if (kind === 'set') model.set(name, value);
          else model.delete(name);
        }
        const map = run(steps);
        expect(map.size).to.equal(model.size);
        expect(new Map(map.entries())).to.deep.equal(model);
        for (const [name, value] of model) expect(map.get(name)).to.equal(value);
        const rebuilt = [...model]
          .reverse()
          .reduce((built, [name, value]) => built.set(name, value), PersistentMap.empty<string, number>());
        expect([...rebuilt.entries()]).to.deep.equal([...map.entries()]);
      }),
      { numRuns: 500 },
    );
  });

  it('built at once is what it is when built key by key', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.oneof(key, fc.constantFrom(...COLLIDING)), fc.nat())), (entries) => {
        const atOnce = PersistentMap.from(entries);
        const oneByOne = entries.reduce(
          (map, [name, value]) => map.set(name, value),
          PersistentMap.empty<string, number>(),
        );
        expect(atOnce.size).to.equal(oneByOne.size);
        expect([...atOnce.entries()]).to.deep.equal([...oneByOne.entries()]);
        expect([...atOnce.changedSince(oneByOne)], 'differences').to.deep.equal([]);
        for (const [name] of entries) expect(atOnce.get(name)).to.equal(oneByOne.get(name));
        // Of one shape, to the end: what is taken out of both leaves both the same.
        const names = [...new Set(entries.map(([name]) => name))];
        const less = (map: typeof atOnce) => names.slice(1).reduce((rest, name) => rest.delete(name), map);
        expect([...less(atOnce).entries()]).to.deep.equal([...less(oneByOne).entries()]);
      }),
      { numRuns: 500 },
    );
  });

  it('is never changed by what is made from it', () => {
    fc.assert(
      fc.property(fc.array(step), fc.array(step), (first, then) => {
        const map = run(first);
        const before = [...map.entries()];
        run(then, map);
        expect([...map.entries()]).to.deep.equal(before);
      }),
    );
  });

  it('tells what changed between two versions, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(step), fc.array(step), (first, then) => {
        const before = run(first);
        const after = run(then, before);
        const names = new Set([...before.entries(), ...after.entries()].map(([name]) => name));
        const expected = [...names].filter((name) => before.get(name) !== after.get(name)).sort();
        const changes = [...after.changedSince(before)];
        expect(changes.map(({ key: name }) => name).sort()).to.deep.equal(expected);
        for (const change of changes) {
          expect([change.before, change.after]).to.deep.equal([
            before.get(change.key),
            after.get(change.key),
          ]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('keeps keys apart whose hashes are one and the same', () => {
    const [a, b] = COLLIDING;
    const both = PersistentMap.empty<string, number>().set(a, 1).set(b, 2).set('x', 3);
    expect([both.get(a), both.get(b), both.size]).to.deep.equal([1, 2, 3]);
    expect(both.set(b, 5).get(b)).to.equal(5);
    const one = both.delete(a);
    expect([one.get(a), one.get(b), one.size]).to.deep.equal([undefined, 2, 2]);
    expect([...one.changedSince(both)]).to.deep.equal([{ key: a, before: 1, after: undefined }]);
    const other = PersistentMap.empty<string, number>().set('x', 3).set(b, 2).set(a, 1);
    expect([...other.entries()]).to.deep.equal([...both.entries()]);
  });

  it('copies a handful of nodes for a change among 10,000', () => {
    let map = PersistentMap.empty<string, object>();
    for (let i = 0; i < 10_000; i++) map = map.set(`topic-${i}`, {});
    const next = map.set('topic-77', {});
    expect([...next.changedSince(map)].map(({ key: name }) => name)).to.deep.equal(['topic-77']);
    expect(next.delete('absent')).to.equal(next);
    expect(next.size).to.equal(10_000);
  });
});
