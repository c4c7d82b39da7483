// All mutants: the mistakes that implementations of Raft make, each with the property that it breaks, and those of records. The
// texts are those of the compiled files. Who loses metadata loses records.

import { groupMutants } from './group-mutants.ts';
import { type Mutant } from './mutant.ts';
import { LOSS, recordMutants } from './record-mutants.ts';

const raftMutants: readonly Mutant[] = [
  {
    name: 'the vote is not fsynced',
    file: 'runtime/dist/quorum/metadata-store.js',
    find: `value: encoded(hardStateCodec, state) }], {
            sync: true,`,
    replace: `value: encoded(hardStateCodec, state) }], {
            sync: false,`,
    expected: ['one-vote-per-term', 'election-safety'],
  },
  {
    name: 'answers do not wait until the term is persisted',
    file: 'runtime/dist/quorum/raft-quorum.js',
    find: 'await this.#options.store.saveHardState(ready.hardState);',
    replace: 'this.#options.store.saveHardState(ready.hardState).catch(this.#options.onFatal);',
    expected: ['one-vote-per-term', 'election-safety'],
  },
  {
    name: 'an entry of an older term is committed by counting',
    file: 'raft/dist/leadership.js',
    find: 'majority <= log.commitOffset || log.termAt(majority) !== term)',
    replace: 'majority <= log.commitOffset)',
    expected: ['leader-commit', 'leader-completeness', 'state-machine-safety', ...LOSS],
  },
  {
    name: 'a follower cuts its log without looking for a conflict',
    file: 'raft/dist/follower.js',
    find: 'entries.findIndex(({ endOffset, term }) => log.termAt(endOffset) !== term);',
    replace: 'entries.length === 0 ? -1 : 0;',
    expected: [
      'leader-append-only',
      'leader-completeness',
      'state-machine-safety',
      'acknowledged-command-lost',
      'node-failed',
      ...LOSS,
    ],
  },
  {
    name: 'two voter changes at once',
    file: 'raft/dist/leadership.js',
    find: 'if (votersEndOffset > this.#context.log.commitOffset) {',
    replace: 'if (votersEndOffset < 0) {',
    expected: ['voter-change'],
  },
  {
    name: 'learners count in the quorum',
    file: 'raft/dist/leadership.js',
    find: 'const majority = matches.sort(',
    replace: `for (const { key, matchOffset } of this.#progress.values())
            if (!voters.some((voter) => isSameReplica(voter, key)))
                matches.push(matchOffset);
        const majority = matches.sort(`,
    expected: [
      'leader-completeness',
      'state-machine-safety',
      'acknowledged-command-lost',
      'linearizable-read',
      ...LOSS,
    ],
  },
  {
    name: 'a stale snapshot is applied',
    file: 'raft/dist/follower.js',
    find: 'if (snapshot.endOffset <= log.commitOffset || log.termAt(snapshot.endOffset) === snapshot.term) {',
    replace: 'if (snapshot.endOffset < 0) {',
    expected: [
      'leader-append-only',
      'state-machine-safety',
      'leader-completeness',
      'acknowledged-command-lost',
      'node-failed',
      ...LOSS,
    ],
  },
  {
    name: 'a leader answers reads without a quorum',
    file: 'raft/dist/leadership.js',
    find: 'this.#reads.ask(id);',
    replace: 'this.#context.outbox.confirmedReads.push({ id, offset: this.#context.log.commitOffset });',
    expected: ['linearizable-read'],
  },
  {
    name: 'entries are acknowledged before they are on the disk',
    file: 'runtime/dist/quorum/raft-quorum.js',
    find: 'await Promise.all([...written, log.flush()]);',
    replace: 'await Promise.all(written);',
    expected: ['leader-completeness', 'state-machine-safety', 'acknowledged-command-lost', ...LOSS],
  },
];

export const mutants: readonly Mutant[] = [...raftMutants, ...recordMutants, ...groupMutants];
