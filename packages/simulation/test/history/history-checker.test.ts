// The history checker: a clean history passes, and for every anomaly a history that has it is caught by its name.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { anomalyNames, HistoryChecker, type AnomalyName } from '@tidemark/simulation';

const TP = 't-0';

/** Three acknowledged records, 1 to 3, but for what `over` says. */
function history(
  over: {
    readonly final?: readonly (readonly [offset: number, value: number])[];
    readonly polls?: readonly (readonly [offset: number, value: number, highWatermark: number])[];
  } = {},
  rules: ConstructorParameters<typeof HistoryChecker>[0] = {},
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

function failedWriteRead(): HistoryChecker {
  const checker = history({ final: [[0, 1], [1, 2], [2, 3], [3, 4]] }); // prettier-ignore
  checker.invoke(0, TP, 4);
  checker.fail(0, TP, 4);
  return checker;
}

function replicas(...digests: readonly string[]): HistoryChecker {
  const checker = history();
  digests.forEach((digest, node) => checker.replica(TP, node, digest));
  return checker;
}

function told(tell: (checker: HistoryChecker) => void): HistoryChecker {
  const checker = history();
  tell(checker);
  return checker;
}

const planted: Readonly<Record<AnomalyName, () => HistoryChecker>> = {
  'lost-write': () => history({ final: [[0, 1], [1, 2]] }), // prettier-ignore
  unseen: () => history({ polls: [[0, 1, 1], [1, 2, 2]] }), // prettier-ignore
  'inconsistent-offsets': () => history({ final: [[0, 2], [1, 1], [2, 3]] }), // prettier-ignore
  duplicate: () => history({ final: [[0, 1], [1, 2], [2, 3], [3, 3]] }), // prettier-ignore
  phantom: () => history({ final: [[0, 1], [1, 2], [2, 3], [3, 99]] }), // prettier-ignore
  'failed-write-read': failedWriteRead,
  reordered: () => history({ final: [[0, 2], [1, 1], [2, 3]] }), // prettier-ignore
  'poll-skip': () => history({ polls: [[0, 1, 3], [2, 3, 3]] }), // prettier-ignore
  'nonmonotonic-poll': () => history({ polls: [[0, 1, 3], [1, 2, 3], [0, 1, 3]] }), // prettier-ignore
  'precommitted-read': () => history({ polls: [[0, 1, 3], [1, 3, 3]] }), // prettier-ignore
  'hw-regressed': () => history({ polls: [[0, 1, 3], [1, 2, 2], [2, 3, 3]] }), // prettier-ignore
  'replica-mismatch': () => replicas('a', 'a', 'b'),
  'offset-gap': () => history({ final: [[0, 1], [2, 3]] }), // prettier-ignore
  'too-little-traffic': () => history({}, { minAcknowledged: 4 }),
  'no-progress-during-fault': () => told((checker) => checker.noProgressDuringFault('a kill')),
  'no-full-isr': () => told((checker) => checker.noFullIsr(TP)),
};

describe('history checker', () => {
  it('has nothing to say about a clean history', () => {
    const report = replicas('a', 'a', 'a').report();
    assert.deepEqual(report.examples, []);
    assert.ok(report.passed);
    assert.equal(report.acknowledged, 3);
  });

  for (const name of anomalyNames) {
    it(`names ${name}`, () => {
      const report = planted[name]().report();
      assert.ok(report.counts.has(name), report.examples.join('\n'));
      assert.ok(!report.passed);
    });
  }

  it('counts what acks=1 may lose, and lets it pass', () => {
    const report = history({ final: [[0, 1], [1, 2]] }, { acks: 1 }).report(); // prettier-ignore
    assert.equal(report.counts.get('lost-write'), 1);
    assert.ok(report.passed);
  });

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
