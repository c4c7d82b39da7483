// Topics whose offsets a coordinator removes, one at a time, while others are deleted.
import { expect } from 'chai';
import { DeletedTopics } from '../src/group/deleted-topics.ts';
import { Pauses } from '../src/pauses.ts';
import { ManualClock, settled } from './manual-clock.ts';

describe('a topic that is deleted while the offsets of another one are being removed', () => {
  for (let turns = 0; turns < 6; turns++) {
    it(`is not forgotten, ${turns} turns after that one`, async () => {
      const removed: string[] = [];
      const bugs: unknown[] = [];
      const topics = new DeletedTopics({
        pauses: new Pauses(new ManualClock()),
        retryMs: 1_000,
        isActive: () => true,
        forget: (topic) => {
          removed.push(topic);
          return Promise.resolve(true);
        },
        endOffset: () => 0,
        onFatal: (cause) => bugs.push(cause),
      });
      topics.add('one');
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      topics.add('two');
      await settled();
      expect(removed).to.deep.equal(['one', 'two']);
      expect(topics.refusal([{ topic: 'two' }]), 'commits to a new topic of that name are taken').to.equal(
        undefined,
      );
      expect(bugs).to.deep.equal([]);
    });
  }
});
