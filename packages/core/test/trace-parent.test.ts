import { expect } from 'chai';
import fc from 'fast-check';
import { formatTraceParent, parseTraceParent } from '@tidemark/core';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('traceparent', () => {
  it('is read as W3C Trace Context writes it, and written so that it is read back', () => {
    expect(parseTraceParent(`00-${TRACE}-${SPAN}-01`)).to.deep.equal({
      ...{ traceId: TRACE, spanId: SPAN, flags: 1 },
    });
    const hex = (length: number): fc.Arbitrary<string> =>
      fc
        .array(
          fc.integer({ min: 0, max: 15 }).map((digit) => digit.toString(16)),
          { minLength: length, maxLength: length },
        )
        .map((digits) => digits.join(''))
        .filter((text) => !/^0+$/.test(text));
    fc.assert(
      fc.property(hex(32), hex(16), fc.integer({ min: 0, max: 255 }), (traceId, spanId, flags) => {
        const parent = { traceId, spanId, flags };
        expect(parseTraceParent(formatTraceParent(parent))).to.deep.equal(parent);
      }),
    );
  });

  it('of a later version may be longer; what is none is passed over', () => {
    expect(parseTraceParent(`cc-${TRACE}-${SPAN}-01-what-comes`)?.spanId).to.equal(SPAN);
    for (const none of [
      '',
      'ff',
      `ff-${TRACE}-${SPAN}-01`,
      `00-${TRACE}-${SPAN}-01-more`,
      `00-${TRACE.toUpperCase()}-${SPAN}-01`,
      `00-${'0'.repeat(32)}-${SPAN}-01`,
      `00-${TRACE}-${'0'.repeat(16)}-01`,
      `00-${TRACE}-${SPAN}-1`,
      ` 00-${TRACE}-${SPAN}-01`,
      `cc-${TRACE}-${SPAN}-01-${'x'.repeat(300)}`,
    ]) {
      expect(parseTraceParent(none), none).to.equal(undefined);
    }
  });
});
