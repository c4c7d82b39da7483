import { expect } from 'chai';
import { failure, type LeaderEpoch, type Offset } from '@tidemark/core';
import type { FetchedBatches } from '@tidemark/replication';
import { BACKOFF_MS, FollowerScene, logOf } from './follower-scene.ts';

const at = (offset: number) => offset as Offset;
const batches = (changes: Partial<FetchedBatches> = {}): FetchedBatches => ({
  type: 'batches',
  baseOffset: at(5),
  firstBatchOffset: changes.baseOffset ?? at(5),
  lastEpoch: 1 as LeaderEpoch,
  isIntact: true,
  highWatermark: at(5),
  logStartOffset: at(0),
  ...changes,
});
const scene = () => new FollowerScene(logOf('1x5'), 1).begin();

describe('the high watermark of a follower (rule 4)', () => {
  it('is the smaller of the leader’s and the end of what it holds for good', () => {
    const leader = logOf('1x20');
    const { follower, log, position } = scene().follow(leader, 12);
    expect(follower.highWatermark).to.equal(12);
    follower.answered(position!, { type: 'progress', highWatermark: at(30), logStartOffset: at(0) }, log, 0);
    expect(follower.advance(at(18))).to.equal(true);
    expect(follower.highWatermark).to.equal(18);
    expect(follower.advance(at(18))).to.equal(false);
  });

  it('never goes back because the leader’s is lower: a new leader may know less', () => {
    const story = scene().follow(logOf('1x20'), 12).newEpoch(2);
    story.follow(logOf('1x20'), 8);
    expect(story.hw).to.equal(12);
  });

  it('is not moved by a leader that has not accepted the position', () => {
    const story = scene();
    expect(story.follower.advance(at(5))).to.equal(false);
    expect(story.hw).to.equal(0);
  });
});

describe('what a follower appends', () => {
  it('what follows its end, of an epoch the leader can have', () => {
    expect(scene().answer(batches()).last.type).to.equal('append');
  });

  it('nothing that is damaged: it waits a little and asks again', () => {
    const story = scene().answer(batches({ isIntact: false }));
    expect(story.transcript).to.deep.equal(['asks from 5, epoch 1', 'waits 1000 ms']);
    expect(story.take(story.follower.resume(story.log, BACKOFF_MS - 1)).last.type).to.equal('none');
    expect(story.take(story.follower.resume(story.log, BACKOFF_MS)).transcript.at(-1)).to.equal(
      'asks from 5, epoch 1',
    );
  });

  it('what begins below its end only where it is empty, from where that batch begins (DeleteRecords inside a batch)', () => {
    const inside = batches({ firstBatchOffset: at(3) });
    expect(scene().answer(inside).last.type).to.equal('append');
    const empty = new FollowerScene(logOf('', 5), 1).begin();
    expect(empty.answer(inside).last).to.deep.equal({ type: 'startInside', firstBatchOffset: 3 });
    expect(empty.follower.state).to.equal('truncating');
  });

  it('nothing with a gap before it, nor of an epoch after the leader’s', () => {
    expect(scene().answer(batches({ baseOffset: at(6) })).last.type).to.equal('wait');
    expect(scene().answer(batches({ lastEpoch: 2 as LeaderEpoch })).last.type).to.equal('wait');
  });

  it('nothing twice', () => {
    expect(scene().answer(batches({ baseOffset: at(4) })).last.type).to.equal('none');
  });

  it('what its log does not take is asked for again later', () => {
    const story = scene().answer(batches());
    story.take(story.follower.appendFailed(0));
    expect(story.last).to.deep.include({ type: 'wait', untilMs: BACKOFF_MS });
  });
});

describe('late answers', () => {
  it('to something asked before the last truncation count for nothing, whatever they say', () => {
    const story = new FollowerScene(logOf('1x4 2x5'), 3).begin();
    const first = story.position!;
    story.answer({ type: 'diverging', epoch: 1 as LeaderEpoch, endOffset: at(4) });
    story.follow(logOf('1x4 3x9'), 13);
    expect(story.log.history).to.equal('1x4 3x9');
    story.answer({ type: 'diverging', epoch: 1 as LeaderEpoch, endOffset: at(4) }, first);
    story.answer({ type: 'outOfRange', logStartOffset: at(100), logEndOffset: at(200) }, first);
    story.answer({ type: 'progress', highWatermark: at(9), logStartOffset: at(9) }, first);
    expect(story.log.history).to.equal('1x4 3x9');
    expect(story.follower.deletableBefore(story.log)).to.equal(undefined);
  });

  it('during a truncation count for nothing, and nothing is asked', () => {
    const { follower, log, position } = scene();
    const step = follower.answered(
      position!,
      { type: 'diverging', epoch: 1 as LeaderEpoch, endOffset: at(3) },
      log,
      0,
    );
    expect(step).to.deep.equal({ type: 'truncate', to: 3, losesCommitted: false });
    expect(follower.state).to.equal('truncating');
    expect(follower.answered(position!, batches(), log, 0).type).to.equal('none');
    expect(follower.askAgain(log).type).to.equal('none');
    expect(follower.appendFailed(0).type).to.equal('none');
    expect(follower.advance(at(5))).to.equal(false);
    log.truncateTo(3);
    expect(follower.truncated(log)).to.have.nested.property('position.fetchOffset', 3);
  });

  it('has a high watermark no higher than what is left, from when it begins on: it may be written down meanwhile', () => {
    const { follower, log, position } = scene();
    follower.answered(position!, { type: 'progress', highWatermark: at(5), logStartOffset: at(0) }, log, 0);
    follower.advance(at(5));
    expect(follower.highWatermark).to.equal(5);
    const step = follower.answered(
      position!,
      { type: 'diverging', epoch: 1 as LeaderEpoch, endOffset: at(3) },
      log,
      0,
    );
    expect(step).to.deep.equal({ type: 'truncate', to: 3, losesCommitted: true });
    expect(follower.highWatermark).to.equal(3);
  });
});

describe('a follower that is refused', () => {
  it('waits for the metadata where asking again would not help (rules 3 and 9)', () => {
    for (const error of ['FENCED_LEADER_EPOCH', 'STALE_BROKER_EPOCH'] as const) {
      const story = scene().answer({ type: 'refused', failure: failure(error) });
      expect(story.last).to.deep.include({ type: 'wait', untilMs: Infinity });
      expect(story.take(story.follower.resume(story.log, 1e9)).last.type).to.equal('none');
      expect(story.take(story.follower.askAgain(story.log)).last.type).to.equal('none');
    }
  });

  it('asks again after replica.fetch.backoff.ms where it would: the leader may not know yet', () => {
    for (const error of ['UNKNOWN_LEADER_EPOCH', 'NOT_LEADER_OR_FOLLOWER', 'KAFKA_STORAGE_ERROR'] as const) {
      const story = scene().answer({ type: 'refused', failure: failure(error) });
      expect(story.take(story.follower.resume(story.log, BACKOFF_MS)).last.type).to.equal('ask');
    }
  });

  it('asks again in a new session from where it is by then', () => {
    const story = scene().follow(logOf('1x9'));
    story.take(story.follower.askAgain(story.log));
    expect(story.transcript.at(-1)).to.equal('asks from 9, epoch 1');
  });
});

describe('the leader’s log start', () => {
  it('takes the follower’s records with it, as far as they are committed', () => {
    const leader = logOf('1x20');
    const story = scene().follow(leader, 10);
    const progress = (logStartOffset: number) =>
      story.answer({ type: 'progress', highWatermark: at(10), logStartOffset: at(logStartOffset) });
    expect(story.follower.deletableBefore(story.log)).to.equal(undefined);
    progress(7);
    expect(story.follower.deletableBefore(story.log)).to.equal(7);
    progress(15);
    expect(story.follower.deletableBefore(story.log)).to.equal(10);
  });
});
