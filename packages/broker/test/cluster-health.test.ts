import { expect } from 'chai';
import { FAR_BEHIND_OFFSETS, healthReasons, type HealthReason } from '../src/handlers/cluster-health.ts';
import { partitionHealth } from '../src/handlers/partition-health.ts';
import type { QuorumStatus } from '../src/quorum-context.ts';
import { configOf, imageOf, progress, quorumOf, replica, type ImageStory } from './quorum-story.ts';

const config = configOf();
const calm = quorumOf({ voterIds: [1, 2, 3], replicas: [progress(2, 110, 5), progress(3, 110, 5)] });
const allUp: ImageStory = { brokers: [{ id: 1 }, { id: 2 }, { id: 3 }] };

function reasons(story: ImageStory, quorum: QuorumStatus = calm, self = 1): readonly HealthReason[] {
  return healthReasons({ self: replica(self), image: imageOf(story), quorum, config });
}

const whats = (found: readonly HealthReason[]) => found.map(({ what, severity }) => `${severity} ${what}`);

describe('the health of a cluster', () => {
  it('is good where every broker is there, every partition full and every voter heard of', () => {
    const topics = { orders: [{ replicas: [1, 2, 3], isr: [1, 2, 3], leader: 1 }] };
    expect(reasons({ ...allUp, topics })).to.deep.equal([]);
  });

  it('is good in one node that is everything', () => {
    const quorum = quorumOf({ voterIds: [1] });
    const topics = { orders: [{ replicas: [1], isr: [1], leader: 1 }] };
    expect(reasons({ brokers: [{ id: 1 }], topics }, quorum)).to.deep.equal([]);
  });

  it('names each partition once, by the worst that is wrong with it', () => {
    const found = reasons({
      ...allUp,
      topics: {
        orders: [
          { replicas: [1, 2, 3], isr: [2], leader: -1 },
          { replicas: [1, 2, 3], isr: [1], leader: 1 },
          { replicas: [1, 2, 3], isr: [1, 2], leader: 1 },
          { replicas: [1, 2, 3], isr: [1, 2, 3], leader: 1 },
        ],
      },
    });
    expect(whats(found)).to.deep.equal([
      'critical offline-partitions',
      'critical under-min-isr-partitions',
      'warning under-replicated-partitions',
    ]);
    expect(found.map(({ detail }) => detail.split(': ')[1])).to.deep.equal([
      'orders-0',
      'orders-1',
      'orders-2',
    ]);
    for (const { command } of found) expect(command).to.equal('tidemark topic describe orders');
  });

  it('counts all and names the first five', () => {
    const partitions = Array.from({ length: 7 }, () => ({ replicas: [1, 2], isr: [], leader: -1 }));
    expect(reasons({ ...allUp, topics: { t: partitions } })[0]?.detail).to.equal(
      '7 partitions without a leader, which can be neither written nor read: t-0, t-1, t-2, t-3, t-4 and 2 more',
    );
  });

  it('takes min.insync.replicas from the topic where it says so', () => {
    const story = {
      ...allUp,
      topics: { strict: [{ replicas: [1, 2, 3], isr: [1, 2], leader: 1 }] },
      configs: { strict: { 'min.insync.replicas': '3' } },
    };
    expect(whats(reasons(story))).to.deep.equal(['critical under-min-isr-partitions']);
  });

  it('does not take a replica that a move has just added for a lost one', () => {
    const moving = [{ replicas: [1, 2, 3], isr: [1, 2], leader: 1, adding: [3], removing: [1] }];
    const image = imageOf({ ...allUp, topics: { orders: moving } });
    expect(partitionHealth(image, config).underReplicated.count).to.equal(0);
  });

  it('suffers from brokers without a heartbeat', () => {
    const [reason] = reasons({ brokers: [{ id: 1 }, { id: 2, fenced: true }, { id: 3 }] });
    expect(reason).to.include({ what: 'fenced-brokers', detail: '1 broker without a heartbeat: 2' });
    expect(reason?.command, 'it has nothing, and may go').to.equal('tidemark cluster unregister --id 2');
    const holds = {
      brokers: [{ id: 1 }, { id: 2, fenced: true }],
      topics: { orders: [{ replicas: [1, 2], isr: [1], leader: 1 }] },
    };
    const needed = reasons(holds).find(({ what }) => what === 'fenced-brokers');
    expect(needed?.command).to.equal('tidemark cluster info');
  });
});

describe('the health of a quorum', () => {
  it('with one silent voter of three hangs on the other two', () => {
    const quorum = quorumOf({ voterIds: [1, 2, 3], replicas: [progress(2, 110, 5), progress(3, 50, 2_001)] });
    const found = reasons(allUp, quorum);
    expect(whats(found)).to.deep.equal(['warning silent-voters', 'warning quorum-at-risk']);
    expect(found[0]?.detail).to.equal('1 voter of 3 has not answered for 2000 ms: 3');
    expect(found[0]?.command, 'it may only have been killed').to.equal('tidemark quorum status');
    expect(found[1]?.detail).to.contain('2 of 3 voters answer');
  });

  it('with one silent voter of five stands', () => {
    const replicas = [2, 3, 4].map((id) => progress(id, 110, 5));
    const found = reasons(allUp, quorumOf({ voterIds: [1, 2, 3, 4, 5], replicas }));
    expect(whats(found)).to.deep.equal(['warning silent-voters']);
  });

  it('without a majority is lost, although the leader has not noticed', () => {
    const replicas = [progress(2, 50, 9_000), progress(3, 50, 9_000)];
    expect(whats(reasons(allUp, quorumOf({ voterIds: [1, 2, 3], replicas })))).to.deep.equal([
      'critical silent-voters',
    ]);
  });

  it('of two voters is always one short', () => {
    const [reason] = reasons(allUp, quorumOf({ voterIds: [1, 2], replicas: [progress(2, 110, 5)] }));
    expect(reason).to.include({ what: 'quorum-at-risk' });
    expect(reason?.remedy).to.contain('add a voter');
  });

  it('without a leader is the worst there is, on any node', () => {
    const lost = quorumOf({ voterIds: [1, 2, 3], role: 'prospective', leader: undefined });
    const [reason] = reasons(allUp, lost, 2);
    expect(reason).to.include({ what: 'no-controller', severity: 'critical' });
    expect(reason?.detail)
      .to.contain('node 2 knows of no active controller')
      .and.to.contain('2 of the voters 1, 2, 3');
  });

  it('is not judged by a follower, which hears of nobody but the leader', () => {
    const follower = quorumOf({ voterIds: [1, 2, 3], role: 'follower' });
    expect(reasons(allUp, follower, 2)).to.deep.equal([]);
  });

  it('knows an observer that is far behind from one that is on its way, or gone', () => {
    const lagging = (matchOffset: number, contactMs: number) =>
      whats(
        reasons(
          allUp,
          quorumOf({
            voterIds: [1],
            logEndOffset: 20_000 as QuorumStatus['logEndOffset'],
            replicas: [progress(4, matchOffset, contactMs, false)],
          }),
        ),
      );
    expect(lagging(20_000 - FAR_BEHIND_OFFSETS, 5)).to.deep.equal([]);
    expect(lagging(20_000 - FAR_BEHIND_OFFSETS - 1, 5)).to.deep.equal(['warning lagging-observers']);
    expect(lagging(0, 60_000)).to.deep.equal([]);
  });
});
