import { partitionFor } from '@tidemark/group';
import { expect } from 'chai';

// The hash codes are those of java.lang.String.
describe('the partition of a group', () => {
  it('is where Kafka puts it', () => {
    expect(partitionFor('hello', 50)).equals(99_162_322 % 50);
    expect(partitionFor('', 50)).equals(0);
    // -1808118735
    expect(partitionFor('String', 50)).equals(1_808_118_735 % 50);
  });

  it('is 0 for the one hash code whose absolute value is not an int32', () => {
    expect(partitionFor('polygenelubricants', 50)).equals(0);
    expect(partitionFor('polygenelubricants', 7)).equals(0);
  });
});
