import { expect } from 'chai';
import { decidePosition, type FetchPosition } from '@tidemark/replication';
import { logOf } from './follower-scene.ts';
import { e, LeaderScene, at } from './leader-scene.ts';

const position = (fetchOffset: number, lastFetchedEpoch: number): FetchPosition => ({
  fetchOffset: at(fetchOffset),
  lastFetchedEpoch: e(lastFetchedEpoch),
});
const judge = (log: ReturnType<typeof logOf>, fetchOffset: number, epoch: number) =>
  decidePosition(position(fetchOffset, epoch), log);

describe('where a follower may go on (rules 1 and 2)', () => {
  const log = () => logOf('1x4 3x6 5x5');

  it('in the leader’s history, anywhere', () => {
    for (const [offset, epoch] of [
      [0, -1],
      [1, 1],
      [4, 1],
      [5, 3],
      [10, 3],
      [11, 5],
      [15, 5],
    ] as const) {
      expect(judge(log(), offset, epoch).type, `${offset} in ${epoch}`).to.equal('accepted');
    }
  });

  it('not past where its last epoch ended: the largest epoch not above it, and its end', () => {
    expect(judge(log(), 5, 1)).to.deep.equal({ type: 'diverging', epoch: 1, endOffset: 4 });
    expect(judge(log(), 11, 3)).to.deep.equal({ type: 'diverging', epoch: 3, endOffset: 10 });
    expect(judge(log(), 16, 5)).to.deep.equal({ type: 'diverging', epoch: 5, endOffset: 15 });
  });

  it('not with a last epoch the leader never had, even where it has records', () => {
    expect(judge(log(), 5, 2)).to.deep.equal({ type: 'diverging', epoch: 1, endOffset: 4 });
    expect(judge(log(), 4, 4)).to.deep.equal({ type: 'diverging', epoch: 3, endOffset: 10 });
  });

  it('not below the log’s start, whatever the epochs: it has to begin anew there', () => {
    const deleted = log();
    deleted.deleteBefore(6);
    expect(judge(deleted, 5, 2)).to.deep.equal({ type: 'outOfRange', logStartOffset: 6, logEndOffset: 15 });
    expect(judge(deleted, 0, -1).type).to.equal('outOfRange');
    expect(judge(deleted, 6, -1).type).to.equal('accepted');
  });

  it('not at the log’s start with a last epoch that ended before it: what that was here nobody can tell any more', () => {
    const deleted = log();
    deleted.deleteBefore(6);
    expect(judge(deleted, 6, 1)).to.deep.equal({ type: 'outOfRange', logStartOffset: 6, logEndOffset: 15 });
    expect(judge(deleted, 7, 1)).to.deep.equal({ type: 'diverging', epoch: 1, endOffset: 6 });
    expect(judge(deleted, 6, 3).type).to.equal('accepted');
    deleted.deleteBefore(15);
    expect(judge(deleted, 15, 3).type).to.equal('outOfRange');
    expect(judge(deleted, 15, 5).type, 'the leader’s own epoch').to.equal('accepted');
  });

  it('not beyond the end with an empty log', () => {
    expect(judge(log(), 15, -1).type).to.equal('accepted');
    expect(judge(log(), 16, -1).type).to.equal('outOfRange');
  });

  it('not with an epoch above all the leader’s: its log must not be touched at a guess', () => {
    expect(judge(log(), 15, 6)).to.have.nested.property('failure.error', 'UNKNOWN_LEADER_EPOCH');
  });
});

describe('who may follow', () => {
  it('in an older epoch nobody, in a newer one not yet (rule 3)', () => {
    const scene = new LeaderScene();
    expect(scene.ask(2, 0, { epoch: 4 })).to.have.nested.property('failure.error', 'FENCED_LEADER_EPOCH');
    expect(scene.ask(2, 0, { epoch: 6 })).to.have.nested.property('failure.error', 'UNKNOWN_LEADER_EPOCH');
    expect(scene.ask(2, 0).type).to.equal('accepted');
  });

  it('brokers with a replica', () => {
    const scene = new LeaderScene();
    expect(scene.ask(4, 0)).to.have.nested.property('failure.error', 'NOT_LEADER_OR_FOLLOWER');
    scene.view.replicas = [...scene.view.replicas, 4 as never];
    scene.metadata();
    expect(scene.ask(4, 0).type).to.equal('accepted');
  });

  it('no earlier incarnation of a broker (rule 9)', () => {
    const scene = new LeaderScene();
    expect(scene.ask(2, 0, { brokerEpoch: 19 })).to.have.nested.property(
      'failure.error',
      'STALE_BROKER_EPOCH',
    );
    expect(scene.ask(2, 0, { brokerEpoch: 21 }).type).to.equal('accepted');
    expect(scene.ask(2, 0, { brokerEpoch: 20 })).to.have.nested.property(
      'failure.error',
      'STALE_BROKER_EPOCH',
    );
  });
});
