import { expect } from 'chai';
import { failure, isFailure, topicIdFromBytes } from '@tidemark/core';
import {
  answerPartitions,
  checkAddress,
  checkEpoch,
  checkOffset,
  type PartitionAddress,
  type WirePartition,
} from '@tidemark/rpc';

const id = topicIdFromBytes(new Uint8Array(16).fill(7));
const at = (topic: string, partition: number, topicId = ''): WirePartition => ({ topic, topicId, partition });
const errorOf = (value: unknown): string | undefined => (isFailure(value) ? value.error : undefined);

describe('the edge check of partitions', () => {
  it('takes a name, an id or both', () => {
    expect(checkAddress(at('orders', 0))).to.deep.equal({
      topic: 'orders',
      topicId: undefined,
      partition: 0,
    });
    expect(checkAddress(at('', 1, id))).to.deep.equal({ topic: undefined, topicId: id, partition: 1 });
    expect(checkAddress(at('orders', 2, id))).to.deep.equal({ topic: 'orders', topicId: id, partition: 2 });
  });

  it('refuses names that are no names, paths above all', () => {
    for (const name of ['../x', '.', '..', 'a/b', 'a\0b', 'é', 'x'.repeat(250), ' ']) {
      expect(errorOf(checkAddress(at(name, 0))), name).to.equal('INVALID_TOPIC_EXCEPTION');
    }
    expect(errorOf(checkAddress(at('', 0)))).to.equal('INVALID_REQUEST');
    expect(errorOf(checkAddress(at('', 0, 'not-an-id')))).to.equal('INVALID_REQUEST');
    expect(errorOf(checkAddress(at('orders', -1)))).to.equal('INVALID_REQUEST');
  });

  it('refuses offsets that a number cannot hold, and epochs below "not known"', () => {
    expect(checkOffset(2 ** 53 - 1, 'fetch_offset')).to.equal(2 ** 53 - 1);
    expect(errorOf(checkOffset(2 ** 53, 'fetch_offset'))).to.equal('INVALID_REQUEST');
    expect(errorOf(checkOffset(-1, 'fetch_offset'))).to.equal('INVALID_REQUEST');
    expect(checkEpoch(-1, 'epoch')).to.equal(undefined);
    expect(checkEpoch(0, 'epoch')).to.equal(0);
    expect(errorOf(checkEpoch(-2, 'epoch'))).to.equal('INVALID_REQUEST');
  });

  it('answers in the order asked, the refused in their places, and runs the rest as one', async () => {
    const runs: number[][] = [];
    const answers = await answerPartitions(
      [at('a', 0), at('../x', 0), at('a', 1), at('b', 7), at('b', 7)],
      (_wire, address: PartitionAddress) =>
        address.partition === 1 ? failure('INVALID_REQUEST', 'no ones') : address.partition,
      (accepted) => {
        runs.push([...accepted]);
        return accepted.map((each) => each * 10);
      },
      (wire, result) => `${wire.topic}:${isFailure(result) ? result.error : result}`,
    );
    expect(runs).to.deep.equal([[0]]);
    expect(answers).to.deep.equal([
      'a:0',
      '../x:INVALID_TOPIC_EXCEPTION',
      'a:INVALID_REQUEST',
      'b:INVALID_REQUEST',
      'b:INVALID_REQUEST',
    ]);
  });
});
