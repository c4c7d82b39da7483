// The offset grammar, and where each position lands in a partition.
import { expect } from 'chai';
import { CommandFailure, parseOffsetSpec, startingOffset } from '@tidemark/cli';

const NOW = Date.UTC(2026, 5, 1);
const range = { startOffset: 10, endOffset: 50 };
const lands = (text: string, timestampOffset?: number) =>
  startingOffset(parseOffsetSpec(text, NOW), range, timestampOffset);

describe('the offset grammar', () => {
  it('names the ends, with the words of other tools too', () => {
    for (const word of ['start', 'earliest', 'beginning']) expect(lands(word).offset).to.equal(10);
    for (const word of ['end', 'latest']) expect(lands(word).offset).to.equal(50);
  });

  it('counts from the ends and stays inside', () => {
    expect(lands('+2').offset).to.equal(12);
    expect(lands('+200').offset).to.equal(50);
    expect(lands('-3').offset).to.equal(47);
    expect(lands('-300').offset).to.equal(10);
    expect(lands('+0').offset).to.equal(10);
    expect(lands('-0').offset).to.equal(50);
  });

  it('takes an offset as it is', () => {
    expect(lands('47')).to.deep.equal({ offset: 47, skipBelow: 47, missing: 0 });
  });

  it('waits for an offset of the future, and says what is gone of the past', () => {
    expect(lands('60')).to.deep.equal({ offset: 50, skipBelow: 60, missing: 0 });
    expect(lands('7')).to.deep.equal({ offset: 10, skipBelow: 10, missing: 3 });
  });

  it('takes times: ISO in any zone, a date, Unix seconds and milliseconds, a duration ago', () => {
    const newYear = { kind: 'timestamp', timestampMs: Date.UTC(2026, 0, 1) };
    for (const text of [
      '@2026-01-01T00:00:00Z',
      '@2026-01-01T01:00:00+01:00',
      '@2026-01-01T00:00:00',
      '@2026-01-01',
      '@1767225600000',
      '@1767225600',
    ]) {
      expect(parseOffsetSpec(text, NOW), text).to.deep.equal(newYear);
    }
    expect(parseOffsetSpec('@-90m', NOW)).to.deep.equal({ kind: 'timestamp', timestampMs: NOW - 5_400_000 });
  });

  it('begins at the end when nothing is as young as the time', () => {
    expect(lands('@2026-01-01', 33).offset).to.equal(33);
    expect(lands('@2026-01-01', undefined).offset).to.equal(50);
  });

  it('refuses everything else as wrong usage, with the grammar', () => {
    for (const text of [
      '',
      'middle',
      '1.5',
      '+x',
      '-',
      '+',
      '@',
      '@yesterday',
      '@12345678901234',
      '-1.5',
      '0x10',
    ]) {
      expect(() => parseOffsetSpec(text, NOW), text)
        .to.throw(CommandFailure)
        .with.property('exitCode', 2);
    }
  });
});
