// The mistakes that implementations of replicated logs make, each with the anomalies that betray it. The texts are those of the
// compiled files.

import { type CheckerName } from '../cluster/violations.ts';
import { type Mutant } from './mutant.ts';

/** What a client may see of a record that was committed by too few, or not at all. */
export const LOSS: readonly CheckerName[] = [
  'lost-write',
  'precommitted-read',
  'in-sync-behind',
  'inconsistent-offsets',
  'replica-mismatch',
  'high-watermark-cut',
];

export const recordMutants: readonly Mutant[] = [
  {
    name: 'a record is acknowledged before it is replicated',
    file: 'replication/dist/partition-leader.js',
    find: 'if (isInSync || this.#isWaitedFor(follower, nowMs))',
    replace: 'if (isInSync && false)',
    expected: LOSS,
  },
  {
    name: 'a follower cuts at its high watermark, not by epochs',
    file: 'replication/dist/partition-follower.js',
    find: 'const { nextOffset, latestEpoch } = log;',
    replace: `const { nextOffset, latestEpoch } = log;
        if (nextOffset > this.#highWatermark)
            return this.#truncate(this.#highWatermark);`,
    expected: LOSS,
  },
  {
    name: 'a follower that is not caught up joins the in-sync replicas',
    file: 'replication/dist/partition-leader.js',
    find: `acknowledgedOffset >= this.#highWatermark &&
            acknowledgedOffset >= this.epochStartOffset &&`,
    replace: 'acknowledgedOffset >= 0 &&',
    expected: LOSS,
  },
  {
    name: 'records are said to be deleted before the followers have deleted them',
    file: 'replication/dist/partition-leader.js',
    find: 'return this.#followers.every(({ id, logStartOffset }) => logStartOffset >= offset || ',
    replace: 'return this.#followers.every(({ id }) => true || ',
    expected: ['deleted-record-back'],
  },
  {
    name: 'records are said to be deleted while too few are in sync',
    file: 'replication/dist/partition-leader.js',
    find: `isDeletedBefore(offset) {
        if (!this.#hasEnough())
            return false;`,
    replace: 'isDeletedBefore(offset) {',
    expected: ['deleted-record-back'],
  },
  {
    name: 'a follower that has deleted records still joins the in-sync replicas',
    file: 'replication/dist/partition-leader.js',
    find: '            logStartOffset >= this.#deletedBefore);',
    replace: '            logStartOffset >= 0);',
    expected: ['deleted-record-back'],
  },
  {
    name: 'a new leader takes its end for the high watermark',
    file: 'replication/dist/partition-leader.js',
    find: 'this.#highWatermark = Math.min(highWatermark, acknowledgeableEndOffset);',
    replace: 'this.#highWatermark = acknowledgeableEndOffset;',
    expected: LOSS,
  },
  {
    name: 'a new leader begins with a high watermark of 0',
    file: 'replication/dist/partition-leader.js',
    find: 'this.#highWatermark = Math.min(highWatermark, acknowledgeableEndOffset);',
    replace: 'this.#highWatermark = 0;',
    expected: ['high-watermark-regressed', ...LOSS],
  },
  {
    name: 'what is known of producers is lost with a restart',
    file: 'log/dist/recovery.js',
    find: 'producersFrom: from,',
    replace: 'producersFrom: Infinity,',
    expected: ['duplicate', 'lost-write', 'inconsistent-offsets'],
  },
  {
    name: 'followers do not learn of producers',
    file: 'log/dist/appender.js',
    find: `if (batch.producerId >= 0)
                producers.add(batch, batchBase, lastOffset, state.writtenOffset);`,
    replace: `if (isLeader && batch.producerId >= 0)
                producers.add(batch, batchBase, lastOffset, state.writtenOffset);`,
    expected: ['duplicate', 'lost-write', 'inconsistent-offsets'],
  },
  {
    name: 'a short write passes for a whole one',
    file: 'log/dist/write-fully.js',
    find: 'while (written < total) {',
    replace: 'while (written < 0) {',
    expected: [
      ...LOSS,
      'node-failed',
      'liveness',
      'log-matching',
      'leader-completeness',
      'state-machine-safety',
    ],
  },
  {
    name: 'a failed sync is tried again',
    file: 'log/dist/sync-loop.js',
    find: `this.#context.goOffline(error);
                break;`,
    replace: `this.#isRequested = true;
                continue;`,
    expected: [
      ...LOSS,
      'sync-after-failure',
      'node-failed',
      'leader-completeness',
      'state-machine-safety',
      'acknowledged-command-lost',
    ],
  },
  {
    name: 'what an earlier incarnation of a follower held counts for the next one',
    file: 'replication/dist/follower-progress.js',
    find: 'return this.isActive && this.brokerEpoch === this.registeredEpoch;',
    replace: 'return this.isActive;',
    // What it had deleted, too.
    expected: [...LOSS, 'deleted-record-back'],
  },
  {
    name: 'a follower that is ahead of the leader is not cut',
    file: 'replication/dist/fetch-decision.js',
    find: 'if (epoch < lastFetchedEpoch || endOffset < fetchOffset)',
    replace: 'if (epoch < lastFetchedEpoch)',
    expected: [...LOSS, 'liveness', 'node-failed'],
  },
  {
    name: 'min.insync.replicas is not looked at',
    file: 'replication/dist/partition-leader.js',
    find: 'return this.#isr.committed.length >= this.#settings.minInsyncReplicas;',
    replace: 'return true;',
    expected: LOSS,
  },
];
