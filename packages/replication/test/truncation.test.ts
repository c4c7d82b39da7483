import { expect } from 'chai';
import { EpochLog } from './epoch-log.ts';
import { FollowerScene, logOf } from './follower-scene.ts';
import { SeededPrng } from './seeded-prng.ts';

function copyOf(log: EpochLog, length = log.records.length): EpochLog {
  const copy = new EpochLog();
  for (const record of log.records.slice(0, length)) copy.push(record);
  return copy;
}

/** How many records the two begin with alike. */
function shared(one: EpochLog, other: EpochLog): number {
  const end = one.records.findIndex(({ epoch }, index) => epoch !== other.records[index]?.epoch);
  return end < 0 ? one.records.length : end;
}

/** Five logs as elections at random can leave them: each epoch began once, at the end of some log. */
function histories(prng: SeededPrng): readonly EpochLog[] {
  const logs = Array.from({ length: 5 }, () => new EpochLog());
  for (let epoch = 1; epoch <= 7; epoch++) {
    const leader = prng.pick(logs);
    leader.append(epoch, prng.below(4));
    for (let each = 0; each < 5; each++) {
      // A part of the others follows, some only for a while.
      if (prng.chance(40) && logs[each] !== leader) {
        const length = prng.below(leader.records.length + 1);
        if (length >= shared(logs[each]!, leader)) logs[each] = copyOf(leader, length);
      }
    }
  }
  return logs;
}

describe('truncation by epochs, never by the high watermark (rule 1)', () => {
  it('KIP-101, scenario 1: a follower that restarts with a late high watermark keeps what was committed', () => {
    // A leads in epoch 0 and both records are committed, but B has heard of the first only. B restarts, and A fails at once.
    const b = new FollowerScene(logOf('0x2'), 0, 1);
    b.begin();
    expect(b.transcript, 'B cuts nothing by itself').to.deep.equal(['asks from 2, epoch 0']);
    // So B has both when it leads in epoch 1, and A, back as its follower, agrees.
    b.log.assignLeaderEpoch(1);
    const a = new FollowerScene(logOf('0x2'), 1, 2).begin().follow(b.log);
    expect(a.transcript).to.deep.equal(['asks from 2, epoch 0', 'is accepted']);
    expect(a.log.history).to.equal('0x2');
    expect(a.hw).to.equal(2);
  });

  it('KIP-101, scenario 2: logs of the same length that differ are found out and made the same', () => {
    // Both restart after losing power; B had one record on disk, leads in epoch 1 and appends its own. A has two of epoch 0.
    const b = logOf('0x1 1x1');
    const a = new FollowerScene(logOf('0x2'), 1, 1).begin().follow(b, 2);
    expect(a.transcript).to.deep.equal([
      'asks from 2, epoch 0',
      'is told: epoch 0 ends at 1',
      'cuts to 1',
      'asks from 1, epoch 0',
      'is accepted',
    ]);
    expect(a.log.history).to.equal(b.history);
  });

  it('KIP-279: after fast changes of leaders the follower goes down epoch by epoch', () => {
    // The follower led in epoch 4, which the leader never saw; the leader followed somebody in epoch 3 and leads in 5.
    const leader = logOf('1x4 3x6 5x3');
    const follower = new FollowerScene(logOf('1x4 2x5 4x3'), 5, 4).begin().follow(leader);
    expect(follower.transcript).to.deep.equal([
      'asks from 12, epoch 4',
      'is told: epoch 3 ends at 10',
      // It has no epoch 3: down to the end of its own next lower one, and ask again.
      'cuts to 9',
      'asks from 9, epoch 2',
      'is told: epoch 1 ends at 4',
      'cuts to 4',
      'asks from 4, epoch 1',
      'is accepted',
    ]);
    expect(follower.log.history).to.equal(leader.history);
  });

  it('a follower ahead of its leader in the same epoch is cut to the leader’s end', () => {
    const leader = logOf('1x5');
    leader.assignLeaderEpoch(2);
    const follower = new FollowerScene(logOf('1x8'), 2, 5).begin().follow(leader);
    expect(follower.transcript).to.include.members(['is told: epoch 1 ends at 5', 'cuts to 5']);
    expect(follower.log.history).to.equal('1x5');
  });

  it('an epoch in which the follower led and appended nothing is dropped before anything is asked (rule 2)', () => {
    // The leader may have more of epoch 1, which would not follow an epoch 2.
    const log = logOf('1x4');
    log.assignLeaderEpoch(2);
    const leader = logOf('1x6 3x1');
    const follower = new FollowerScene(log, 3, 4).begin();
    expect(follower.transcript).to.deep.equal(['cuts to 4', 'asks from 4, epoch 1']);
    expect(log.latestEpoch).to.equal(1);
    expect(follower.follow(leader).log.history).to.equal('1x6 3x1');
  });

  it('rule 2, KAFKA-7164: a new epoch is validated even when the leader is the same broker', () => {
    // A leads in epoch 1 and loses what was not on its disk; nobody else takes over, and it leads again in epoch 2.
    const leader = logOf('1x10');
    const follower = new FollowerScene(logOf('1x4'), 1).begin().follow(leader, 6);
    expect(follower.hw).to.equal(6);
    leader.crash(7);
    leader.assignLeaderEpoch(2);
    leader.append(2, 5);
    follower.transcript.length = 0;
    follower.newEpoch(2).follow(leader, 7);
    expect(follower.transcript).to.deep.equal([
      'asks from 10, epoch 1',
      'is told: epoch 1 ends at 7',
      'cuts to 7',
      'asks from 7, epoch 1',
      'is accepted',
    ]);
    expect(follower.log.history).to.equal('1x7 2x5');
  });

  it('whatever the two histories, they come to agree, and nothing that both had is cut', () => {
    for (let seed = 0; seed < 300; seed++) {
      const logs = histories(new SeededPrng(seed));
      for (const mine of logs) {
        for (const other of logs) {
          const leader = copyOf(other);
          leader.assignLeaderEpoch(20);
          const follower = new FollowerScene(copyOf(mine), 20).begin().follow(leader);
          expect(follower.log.history, `${mine.history} after ${other.history}`).to.equal(leader.history);
          const cuts = follower.transcript.filter((line) => line.startsWith('cuts to '));
          const lowest = Math.min(...cuts.map((line) => Number(line.slice('cuts to '.length))));
          expect(lowest, `${mine.history} after ${other.history}`).to.be.at.least(shared(mine, other));
        }
      }
    }
  });

  it('an unclean election is said to lose what was committed, and the high watermark goes down with the log', () => {
    const leader = logOf('1x3 5x1');
    const follower = new FollowerScene(logOf('1x10'), 5, 8).begin();
    follower.follow(leader, 3);
    expect(follower.transcript).to.include('cuts to 3, losing what was committed');
    expect(follower.hw).to.equal(3);
  });
});

describe('a follower out of its leader’s range', () => {
  it('behind the leader’s log start it starts anew there', () => {
    const leader = logOf('1x20 2x5');
    leader.deleteBefore(15);
    const follower = new FollowerScene(logOf('1x10'), 2, 9).begin().follow(leader);
    expect(follower.transcript).to.deep.equal([
      'asks from 10, epoch 1',
      'is told: outOfRange',
      'starts anew at 15',
      'asks from 15, epoch -1',
      'is accepted',
    ]);
    expect(follower.log.start).to.equal(15);
    expect(follower.log.history).to.equal('1x5 2x5');
    expect(follower.hw).to.equal(25);
  });

  it('with records of its own where the leader has none any more it keeps nothing of them', () => {
    // It led in epoch 1, and what it had at 50 and above was never committed; the next leader appended its own and let it age out.
    const leader = logOf('1x50 2x60');
    leader.deleteBefore(90);
    const follower = new FollowerScene(logOf('1x100'), 2, 50).begin().follow(leader);
    expect(follower.transcript).to.deep.equal([
      'asks from 100, epoch 1',
      'is told: epoch 1 ends at 90',
      'cuts to 90',
      'asks from 90, epoch 1',
      'is told: outOfRange',
      'starts anew at 90',
      'asks from 90, epoch -1',
      'is accepted',
    ]);
    expect([follower.log.start, follower.log.history]).to.deep.equal([90, '2x20']);
  });

  it('its high watermark is then where the leader’s log starts, for what is gone was committed', () => {
    const leader = logOf('1x20 2x5');
    leader.deleteBefore(15);
    const follower = new FollowerScene(logOf('1x10'), 2, 9).begin();
    follower.answer({
      type: 'outOfRange',
      logStartOffset: leader.logStartOffset,
      logEndOffset: leader.logEndOffset,
    });
    expect(follower.hw).to.equal(15);
  });

  it('with an empty log beyond the leader’s end it starts anew, and says what that loses', () => {
    const leader = logOf('1x5 3x1');
    const follower = new FollowerScene(logOf('', 50), 3, 50).begin().follow(leader, 6);
    expect(follower.transcript).to.include('starts anew at 0, losing what was committed');
    expect(follower.log.history).to.equal('1x5 3x1');
  });

  it('with records it never starts anew because of a leader’s end: that is for the epochs to decide', () => {
    const follower = new FollowerScene(logOf('1x10'), 2, 5).begin();
    follower.answer({ type: 'outOfRange', logStartOffset: 0 as never, logEndOffset: 4 as never });
    expect(follower.transcript.at(-1)).to.equal('waits 1000 ms');
    expect(follower.log.history).to.equal('1x10');
  });
});
