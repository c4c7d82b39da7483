// Reassignment files, the plan of least moves, and whom a throttle on them holds for.
import {
  mergedMembers,
  parseReassignment,
  proposeReassignment,
  reassignmentFile,
  throttleOf,
} from '@tidemark/cli';
import { expect } from 'chai';

const placed = (partition: number, replicas: number[], addingReplicas: number[] = []) => ({
  topic: 'orders',
  partition,
  replicas,
  addingReplicas,
});
const planned = (partition: number, replicas: number[]) => ({ topic: 'orders', partition, replicas });

describe('a reassignment', () => {
  it('is read as it was written', () => {
    const plan = [planned(0, [1, 2]), planned(1, [2, 3])];
    expect(parseReassignment(JSON.stringify(reassignmentFile(plan)), 'f')).to.deep.equal(plan);
  });

  it('is refused, with the place, when it cannot be meant', () => {
    const say = (partitions: unknown, version = 1) => {
      try {
        parseReassignment(JSON.stringify({ version, partitions }), 'f.json');
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    const one = { topic: 'orders', partition: 0, replicas: [1, 2] };
    expect(say([{ ...one, log_dirs: ['any', 'any'] }])).to.equal('');
    expect(say([one], 2)).to.contain('its version is not 1');
    expect(say([])).to.contain('names no partitions');
    expect(say([one, one])).to.contain('orders:0 is there twice');
    expect(say([{ ...one, replicas: [] }])).to.contain('replicas of orders:0');
    expect(say([{ ...one, replicas: [1, '2'] }])).to.contain('replicas of orders:0');
    expect(say([{ ...one, replicas: [1, 1] }])).to.contain('orders:0 has a broker twice');
    expect(say([{ ...one, log_dirs: ['/data'] }])).to.contain('names a log folder');
    expect(say([{ partition: 0, replicas: [1] }])).to.contain('entry 1 has no topic');
    expect(() => parseReassignment('{', 'f.json')).to.throw('f.json is no reassignment');
  });

  it('is planned with the fewest moves, evenly, each replica in its place', () => {
    const now = [planned(0, [1, 2, 3]), planned(1, [2, 3, 1]), planned(2, [3, 1, 2])];
    expect(proposeReassignment(now, [1, 2, 3])).to.deep.equal(now);
    expect(proposeReassignment(now, [1, 2, 4])).to.deep.equal([
      planned(0, [1, 2, 4]),
      planned(1, [2, 4, 1]),
      planned(2, [4, 1, 2]),
    ]);
    expect(() => proposeReassignment(now, [1, 2])).to.throw('only 2 brokers are named');
  });

  it('throttles who is there as leaders and who comes as followers, and nobody of what does not move', () => {
    const throttle = throttleOf(
      [placed(0, [1, 2]), placed(1, [2, 3]), placed(2, [1, 2, 3], [3])],
      [planned(0, [2, 4]), planned(1, [3, 2]), planned(2, [2, 3])],
    );
    expect(throttle.brokerIds).to.deep.equal([1, 2, 3, 4]);
    expect([...throttle.leaders]).to.deep.equal([['orders', ['0:1', '0:2', '2:1', '2:2']]]);
    expect([...throttle.followers]).to.deep.equal([['orders', ['0:4', '2:3']]]);
  });

  it('leaves the throttles of moves under way alone', () => {
    expect(mergedMembers('', ['0:1'])).to.equal('0:1');
    expect(mergedMembers('0:1,0:2', ['0:2', '1:1'])).to.equal('0:1,0:2,1:1');
    expect(mergedMembers('*', ['0:2'])).to.equal('*');
  });
});
