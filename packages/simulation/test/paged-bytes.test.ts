import { expect } from 'chai';
import fc from 'fast-check';
import { PagedBytes } from '../src/paged-bytes.ts';

type Step =
  | { readonly do: 'write'; readonly at: number; readonly length: number }
  | { readonly do: 'resize'; readonly to: number }
  | { readonly do: 'clone' };

const place = fc.oneof(fc.nat(200), fc.nat(10_000));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('write' as const), at: place, length: place }),
  fc.record({ do: fc.constant('resize' as const), to: place }),
  fc.constant({ do: 'clone' as const }),
);

/** What a file has to be, the simple way. */
function after(content: Uint8Array, one: Exclude<Step, { do: 'clone' }>, fill: number): Uint8Array {
  if (one.do === 'write' && one.length === 0) return content;
  const size = one.do === 'resize' ? one.to : Math.max(content.length, one.at + one.length);
  const next = new Uint8Array(size);
  next.set(content.subarray(0, size));
  if (one.do === 'write') next.fill(fill, one.at, one.at + one.length);
  return next;
}

describe('the content of a simulated file', () => {
  it('reads as it was written, cut and grown, and a clone as it was then', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let bytes = new PagedBytes();
        let model: Uint8Array = new Uint8Array(0);
        const kept: (readonly [PagedBytes, Uint8Array])[] = [];
        for (const [turn, one] of steps.entries()) {
          if (one.do === 'clone') {
            kept.push([bytes, model]);
            bytes = bytes.clone();
            continue;
          }
          model = after(model, one, turn + 1);
          if (one.do === 'write') bytes.write(new Uint8Array(one.length).fill(turn + 1), one.at);
          else bytes.resize(one.to);
        }
        for (const [content, expected] of [...kept, [bytes, model] as const]) {
          expect(content.toBytes()).to.deep.equal(expected);
        }
      }),
    );
  });
});
