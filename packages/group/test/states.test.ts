// The five states of a group: every way from one into another that Kafka's classic groups have is gone in the transcripts, and there is no
// other (`ClassicGroupState` and its `validPreviousStates`).
import { InvariantViolation, type TimestampMs } from '@tidemark/core';
import type { GroupId, GroupState } from '@tidemark/group';
import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { ClassicGroup } from '../src/classic-group.ts';
import { Transcript } from './transcript.ts';

const STATES: readonly GroupState[] = [
  'Empty',
  'PreparingRebalance',
  'CompletingRebalance',
  'Stable',
  'Dead',
];

const ALLOWED: readonly string[] = [
  'Empty > PreparingRebalance',
  'Empty > Dead',
  'PreparingRebalance > CompletingRebalance',
  'PreparingRebalance > Empty',
  'PreparingRebalance > Dead',
  'CompletingRebalance > Stable',
  'CompletingRebalance > PreparingRebalance',
  'CompletingRebalance > Dead',
  'Stable > PreparingRebalance',
  'Stable > Dead',
];

const time = { nowMs: 0, timestampMs: 0 as TimestampMs };

function groupIn(state: GroupState): ClassicGroup {
  const group = new ClassicGroup('g' as GroupId);
  group.state = state;
  return group;
}

/** The ways that a transcript goes. */
function waysOf(text: string): ReadonlySet<string> {
  const ways = new Set<string>();
  const original = Object.getOwnPropertyDescriptor(ClassicGroup.prototype, 'transition')!;
  const transition = original.value as ClassicGroup['transition'];
  ClassicGroup.prototype.transition = function (this: ClassicGroup, state, at) {
    ways.add(`${this.state} > ${state}`);
    transition.call(this, state, at);
  };
  try {
    Transcript.rewrite(text);
  } finally {
    Object.defineProperty(ClassicGroup.prototype, 'transition', original);
  }
  return ways;
}

describe('the states of a group', () => {
  const folder = new URL('./transcripts/', import.meta.url);
  const textOf = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

  it('change in every way that Kafka allows, in one story', () => {
    expect([...waysOf(textOf('states.txt'))].sort()).to.deep.equal([...ALLOWED].sort());
  });

  it('change in no other way, in any story', () => {
    const ways = new Set<string>();
    for (const name of readdirSync(folder)) for (const way of waysOf(textOf(name))) ways.add(way);
    expect([...ways].filter((way) => !ALLOWED.includes(way))).to.deep.equal([]);
  });

  for (const from of STATES) {
    for (const to of STATES) {
      const way = `${from} > ${to}`;
      const isAllowed = ALLOWED.includes(way);
      it(`${way} is ${isAllowed ? 'a way' : 'impossible'}`, () => {
        const group = groupIn(from);
        if (isAllowed) {
          group.transition(to, time);
          expect(group.state).to.equal(to);
        } else {
          expect(() => group.transition(to, time)).to.throw(InvariantViolation, 'changes its state');
          expect(group.state).to.equal(from);
        }
      });
    }
  }
});
