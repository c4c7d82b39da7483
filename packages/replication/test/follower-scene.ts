// A follower and its log, fed by the log of a leader, and a transcript of what the two say to each other.

import type { LeaderEpoch, Offset } from '@tidemark/core';
import {
  decidePosition,
  PartitionFollower,
  type AskedPosition,
  type FetchAnswer,
  type FollowerStep,
} from '@tidemark/replication';
import { EpochLog } from './epoch-log.ts';

export const BACKOFF_MS = 1000;

/** From '1x3 2x1': three records of epoch 1, then one of epoch 2. */
export function logOf(history: string, start = 0): EpochLog {
  const log = new EpochLog();
  log.start = start;
  for (const run of history.split(' ').filter((each) => each !== '')) {
    const [epoch, count] = run.split('x').map(Number);
    log.append(epoch!, count!);
  }
  return log;
}

export class FollowerScene {
  nowMs = 0;
  readonly log: EpochLog;
  readonly transcript: string[] = [];
  follower: PartitionFollower;
  position: AskedPosition | undefined;
  last: FollowerStep = { type: 'none' };

  constructor(log: EpochLog, leaderEpoch: number, highWatermark = 0) {
    this.log = log;
    this.follower = this.#newFollower(leaderEpoch, highWatermark);
  }

  get hw(): number {
    return this.follower.highWatermark;
  }

  /** The metadata has a new leader epoch. */
  newEpoch(leaderEpoch: number): this {
    this.follower = this.#newFollower(leaderEpoch, this.hw);
    return this.begin();
  }

  begin(): this {
    return this.take(this.follower.begin(this.log));
  }

  /** Does what it is told, and notes it. */
  take(step: FollowerStep): this {
    this.last = step;
    if (step.type === 'ask') {
      this.position = step.position;
      this.transcript.push(`asks from ${step.position.fetchOffset}, epoch ${step.position.lastFetchedEpoch}`);
    } else if (step.type === 'truncate') {
      this.log.truncateTo(step.to);
      this.transcript.push(`cuts to ${step.to}${step.losesCommitted ? ', losing what was committed' : ''}`);
      return this.take(this.follower.truncated(this.log));
    } else if (step.type === 'startAnew') {
      this.log.startAnew(step.to);
      this.transcript.push(
        `starts anew at ${step.to}${step.losesCommitted ? ', losing what was committed' : ''}`,
      );
      return this.take(this.follower.truncated(this.log));
    } else if (step.type === 'wait') {
      this.transcript.push(`waits ${step.untilMs - this.nowMs} ms`);
    }
    return this;
  }

  answer(answer: FetchAnswer, asked = this.position!): this {
    return this.take(this.follower.answered(asked, answer, this.log, this.nowMs));
  }

  /** Talks with the leader until it has everything, the high watermark being where it is. */
  follow(leader: EpochLog, highWatermark: number = leader.logEndOffset): this {
    for (let round = 0; round < 20; round++) {
      const decision = decidePosition(this.position!, leader);
      if (decision.type === 'accepted') {
        this.transcript.push('is accepted');
        return this.fetch(leader, highWatermark);
      }
      if (decision.type === 'diverging') {
        this.transcript.push(`is told: epoch ${decision.epoch} ends at ${decision.endOffset}`);
      } else {
        this.transcript.push(`is told: ${decision.type}`);
      }
      this.answer(decision);
      if (this.follower.state !== 'fetching') return this;
    }
    throw new Error('they do not come to an end');
  }

  fetch(leader: EpochLog, highWatermark: number = leader.logEndOffset): this {
    const progress = { highWatermark: highWatermark as Offset, logStartOffset: leader.logStartOffset };
    const { position } = this;
    for (let offset: number = this.log.nextOffset; offset < leader.logEndOffset; offset++) {
      const record = leader.at(offset)!;
      const step = this.follower.answered(
        position!,
        {
          type: 'batches',
          baseOffset: offset as Offset,
          firstBatchOffset: offset as Offset,
          lastEpoch: record.epoch as LeaderEpoch,
          isIntact: true,
          ...progress,
        },
        this.log,
        this.nowMs,
      );
      if (step.type !== 'append') throw new Error(`did not append: ${step.type}`);
      this.log.push(record);
    }
    this.take(this.follower.answered(position!, { type: 'progress', ...progress }, this.log, this.nowMs));
    this.follower.advance(this.log.nextOffset);
    return this;
  }

  #newFollower(leaderEpoch: number, highWatermark: number): PartitionFollower {
    return new PartitionFollower({
      leaderEpoch: leaderEpoch as LeaderEpoch,
      highWatermark: highWatermark as Offset,
      backoffMs: BACKOFF_MS,
    });
  }
}
