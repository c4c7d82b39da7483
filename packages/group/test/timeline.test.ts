import { expect } from 'chai';
import fc from 'fast-check';
import { DeadlineQueue } from '../src/deadline-queue.ts';
import { Timeline } from '../src/timeline.ts';

const step = fc.oneof(
  fc.record({
    type: fc.constant('set' as const),
    group: fc.constantFrom('g', 'h'),
    key: fc.constantFrom('a', 'b'),
    value: fc.option(fc.nat(9), { nil: undefined }),
  }),
  fc.record({ type: fc.constantFrom('commit' as const, 'revert' as const), percent: fc.nat(100) }),
);

interface Written {
  readonly group: string;
  readonly key: string;
  readonly value: number | undefined;
}

/** What a log of writes comes to. */
function replayed(writes: readonly Written[], group: string): ReadonlyMap<string, number> {
  const entries = new Map<string, number>();
  for (const { group: of, key, value } of writes) {
    if (of !== group) continue;
    if (value === undefined) entries.delete(key);
    else entries.set(key, value);
  }
  return entries;
}

describe('a timeline', () => {
  it('has the latest state and the committed one, whatever is written, committed and taken back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const timeline = new Timeline<number>();
        const log: Written[] = [];
        let highWatermark = 0;
        for (const one of steps) {
          if (one.type === 'set') {
            timeline.set(log.length, one.group, one.key, one.value);
            log.push(one);
          } else {
            const point = highWatermark + Math.round(((log.length - highWatermark) * one.percent) / 100);
            if (one.type === 'commit') timeline.commit((highWatermark = point));
            else {
              timeline.revertTo(point);
              log.length = point;
            }
          }
          for (const group of ['g', 'h']) {
            expect(timeline.latest(group)).deep.equals(replayed(log, group));
            expect(timeline.committed(group)).deep.equals(replayed(log.slice(0, highWatermark), group));
          }
          expect(timeline.hasPending).equals(log.length > highWatermark);
        }
      }),
    );
  });
});

describe('a queue of deadlines', () => {
  it('answers who is due by the newest deadline of each', () => {
    const deadline = fc.oneof(fc.nat(50), fc.constant(Infinity));
    const input = fc.array(fc.tuple(fc.nat(9), deadline, fc.boolean()), { maxLength: 300 });
    fc.assert(
      fc.property(input, (inputs) => {
        const queue = new DeadlineQueue();
        const model = new Map<string, number>();
        for (const [group, deadlineMs, isDue] of inputs) {
          if (isDue && deadlineMs !== Infinity) {
            const due = [...model].filter(([, at]) => at <= deadlineMs).map(([name]) => name);
            const taken: string[] = [];
            for (let next = queue.takeDue(deadlineMs); next !== undefined; next = queue.takeDue(deadlineMs)) {
              taken.push(next);
            }
            expect(taken.sort()).deep.equals(due.sort());
            for (const name of due) model.delete(name);
          } else {
            queue.set(`g${group}`, deadlineMs);
            if (deadlineMs === Infinity) model.delete(`g${group}`);
            else model.set(`g${group}`, deadlineMs);
          }
          expect(queue.nextDeadlineMs).equals(Math.min(...model.values(), Infinity));
        }
      }),
    );
  });
});
