import { expect } from 'chai';
import fc from 'fast-check';
import {
  isTopicId,
  isTopicName,
  offset,
  partitionIndex,
  topicIdFromBytes,
  topicIdToBytes,
} from '@tidemark/core';

describe('ids', () => {
  it('refuses numbers outside the range of the id, and says so', () => {
    expect(() => offset(-1)).to.throw(RangeError, 'an offset must be an integer from 0 to 9007199254740991');
    expect(() => offset(2 ** 53)).to.throw(RangeError);
    expect(() => partitionIndex(2 ** 31)).to.throw(RangeError, 'a partition index');
    expect(() => partitionIndex(1.5)).to.throw(RangeError);
    expect(partitionIndex(2 ** 31 - 1)).to.equal(2 ** 31 - 1);
  });

  it('takes the topic names Kafka takes, and no path', () => {
    for (const good of ['a', 'orders.v2', '__consumer_offsets', 'A-b_c.9', 'x'.repeat(249)]) {
      expect(isTopicName(good), good).to.equal(true);
    }
    for (const bad of ['', '.', '..', '../x', 'a/b', 'a b', 'ä', 'x'.repeat(250), 'a\n']) {
      expect(isTopicName(bad), JSON.stringify(bad)).to.equal(false);
    }
  });

  it('writes 16 bytes as 22 characters of base64url, and reads them back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const id = topicIdFromBytes(bytes);
        expect(id).to.equal(Buffer.from(bytes).toString('base64url'));
        expect(isTopicId(id)).to.equal(true);
        expect(topicIdToBytes(id)).to.deep.equal(new Uint8Array(bytes));
      }),
    );
  });
});
