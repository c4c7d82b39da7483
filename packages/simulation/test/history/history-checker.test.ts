// The history checker: a clean history passes, and for every anomaly a history that has it is caught by its name.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { anomalyNames, HistoryChecker, type AnomalyName } from '@tidemark/simulation';

const TP = 't-0';

type Rules = NonNullable<ConstructorParameters<typeof HistoryChecker>[0]>;

/** Three acknowledged records, 1 to 3, but for what `over` says. */
function history(
  over: {
    readonly final?: readonly (readonly [offset: number, value: number])[];
    readonly polls?: readonly (readonly [offset: number, value: number, highWatermark: number])[];
  } = {},
  rules: Rules = {},
): HistoryChecker {
  const checker = new HistoryChecker(rules);
  for (const value of [1, 2, 3]) checker.invoke(0, TP, value);
  for (const value of [1, 2, 3]) checker.ok(0, TP, value, value - 1);
  for (const poll of over.polls ?? [1, 2, 3].map((value) => [value - 1, value, value] as const)) {
    checker.poll('c', TP, ...poll);
  }
  for (const read of over.final ?? [1, 2, 3].map((value) => [value - 1, value] as const)) {
    checker.finalRead(TP, ...read);
  }
  return checker;
}

function failedWriteRead(rules: Rules): HistoryChecker {
  const checker = history({ final: [[0, 1], [1, 2], [2, 3], [3, 4]] }, rules); // prettier-ignore
  checker.invoke(0, TP, 4);
  checker.fail(0, TP, 4);
  return checker;
}

function replicas(digests: readonly string[], rules: Rules = {}): HistoryChecker {
  const checker = history({}, rules);
  digests.forEach((digest, node) => checker.replica(TP, node, digest));
  return checker;
}

function told(rules: Rules, tell: (checker: HistoryChecker) => void): HistoryChecker {
  const checker = history({}, rules);
  tell(checker);
  return checker;
}

const planted: Readonly<Record<AnomalyName, (rules: Rules) => HistoryChecker>> = {
  'lost-write': (rules) => history({ final: [[0, 1], [1, 2]] }, rules), // prettier-ignore
  unseen: (rules) => history({ polls: [[0, 1, 1], [1, 2, 2]] }, rules), // prettier-ignore
  'inconsistent-offsets': (rules) => history({ final: [[0, 2], [1, 1], [2, 3]] }, rules), // prettier-ignore
  duplicate: (rules) => history({ final: [[0, 1], [1, 2], [2, 3], [3, 3]] }, rules), // prettier-ignore
  phantom: (rules) => history({ final: [[0, 1], [1, 2], [2, 3], [3, 99]] }, rules), // prettier-ignore
  'failed-write-read': failedWriteRead,
  reordered: (rules) => history({ final: [[0, 2], [1, 1], [2, 3]] }, rules), // prettier-ignore
  'poll-skip': (rules) => history({ polls: [[0, 1, 3], [2, 3, 3]] }, rules), // prettier-ignore
  'nonmonotonic-poll': (rules) => history({ polls: [[0, 1, 3], [1, 2, 3], [0, 1, 3]] }, rules), // prettier-ignore
  'precommitted-read': (rules) => history({ polls: [[0, 1, 3], [1, 3, 3]] }, rules), // prettier-ignore
  'hw-regressed': (rules) => history({ polls: [[0, 1, 3], [1, 2, 2], [2, 3, 3]] }, rules), // prettier-ignore
  'replica-mismatch': (rules) => replicas(['a', 'a', 'b'], rules),
  'offset-gap': (rules) => history({ final: [[0, 1], [2, 3]] }, rules), // prettier-ignore
  'too-little-traffic': (rules) => history({}, { ...rules, minAcknowledged: 4 }),
  'no-progress-during-fault': (rules) => told(rules, (checker) => checker.noProgressDuringFault('a kill')),
  'no-progress-after-heal': (rules) => told(rules, (checker) => checker.noProgressAfterHeal(TP)),
  'no-full-isr': (rules) => told(rules, (checker) => checker.noFullIsr(TP)),
};

describe('history checker', () => {
  it('has nothing to say about a clean history', () => {
    const report = replicas(['a', 'a', 'a']).report();
    assert.deepEqual(report.examples, []);
    assert.ok(report.passed);
    assert.equal(report.acknowledged, 3);
  });

  for (const name of anomalyNames) {
    it(`names ${name}`, () => {
      const report = planted[name]({}).report();
      assert.ok(report.counts.has(name), report.examples.join('\n'));
      assert.ok(!report.passed);
    });
  }

  it('lets acks=1 lose what it acknowledged, unread or not, and says where and around which fault', () => {
    const checker = new HistoryChecker({ acks: 1 });
    checker.invoke(0, TP, 1);
    checker.ok(0, TP, 1, 0);
    checker.poll('c', TP, 0, 1, 1);
    checker.faultBegan('pause');
    checker.faultHealed();
    // Between two faults, and under the second one: both are the second one's.
    for (const value of [2, 3, 4]) checker.invoke(0, TP, value);
    checker.ok(0, TP, 2, 1);
    checker.faultBegan('kill');
    checker.ok(0, TP, 3, 2);
    checker.faultHealed();
    checker.ok(0, TP, 4, 1);
    checker.poll('c', TP, 1, 4, 2);
    checker.finalRead(TP, 0, 1);
    checker.finalRead(TP, 1, 4);
    const report = checker.report();
    assert.deepEqual(report.counts, new Map([['lost-write', 2]]), report.examples.join('\n'));
    assert.ok(report.passed);
    assert.deepEqual(report.losses, [{ tp: TP, fault: 'kill #2', count: 2, firstOffset: 1, lastOffset: 2 }]);
  });

  for (const name of anomalyNames.filter((each) => each !== 'lost-write')) {
    it(`does not let acks=1 have ${name}`, () => {
      const report = planted[name]({ acks: 1 }).report();
      assert.ok(report.counts.has(name), report.examples.join('\n'));
      assert.ok(!report.passed);
    });
  }

  it('passes any valid history, and not with one final record lost, doubled or changed', () => {
    const sends = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        sends,
        fc.nat(),
        fc.constantFrom('none', 'lost', 'doubled', 'changed'),
        (by, at, mutation) => {
          const checker = new HistoryChecker();
          by.forEach((producer, offset) => {
            checker.invoke(producer, TP, offset + 1);
            checker.ok(producer, TP, offset + 1, offset);
            checker.poll('c', TP, offset, offset + 1, offset + 1);
          });
          const final = by.map((_, offset) => offset + 1);
          const hit = at % final.length;
          if (mutation === 'lost') final.splice(hit, 1);
          if (mutation === 'doubled') final.splice(hit, 0, final[hit]!);
          if (mutation === 'changed') final[hit] = 1_000;
          final.forEach((value, offset) => checker.finalRead(TP, offset, value));
          assert.equal(checker.report().passed, mutation === 'none');
        },
      ),
    );
  });
});
