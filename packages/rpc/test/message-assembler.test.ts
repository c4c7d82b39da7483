import { expect } from 'chai';
import fc from 'fast-check';
import { MessageAssembler } from '../src/server/message-assembler.ts';

const MAX = 4 * 1024 * 1024;

function framed(length: number, fill: number): Buffer {
  const message = Buffer.alloc(5 + length, fill);
  message[0] = 0;
  message.writeUInt32BE(length, 1);
  return message;
}

describe('putting messages together', () => {
  it('gives back what was sent, however it was cut, and holds for each what it has', () => {
    const lengths = fc.array(
      fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 3_000_000 })),
      {
        maxLength: 5,
      },
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(lengths, cuts, (sizes, pieces) => {
        let held = 0;
        const assembler = new MessageAssembler(MAX, (bytes) => {
          held += bytes;
        });
        const sent = sizes.map((size, at) => framed(size, at + 1));
        const all = Buffer.concat(sent);
        const got: Buffer[] = [];
        for (let at = 0, turn = 0; at < all.length; turn++) {
          const piece = all.subarray(at, at + pieces[turn % pieces.length]!);
          got.push(...assembler.write(piece));
          at += piece.length;
        }
        expect(Buffer.concat(got).equals(all)).to.equal(true);
        expect(got.map(({ length }) => length)).to.deep.equal(sent.map(({ length }) => length));
        // What is whole is its own memory: the buffer it came in is used again.
        expect(held).to.equal(all.length);
      }),
      { numRuns: 60 },
    );
  });

  it('holds what has come of a message, not what was declared', () => {
    let held = 0;
    const assembler = new MessageAssembler(MAX, (bytes) => {
      held += bytes;
    });
    const message = framed(MAX, 7);
    assembler.write(message.subarray(0, 100));
    expect(held).to.be.at.most(70_000);
    assembler.write(message.subarray(100, 1_000_000));
    expect(held).to.be.within(1_000_000, 2_100_000);
  });

  it('refuses a message that is too large by what it declares', () => {
    const assembler = new MessageAssembler(100, () => undefined);
    expect(() => assembler.write(framed(101, 0).subarray(0, 5))).to.throw('larger than max (101 vs 100)');
  });

  it('notices a message that comes in crumbs, and none that comes in small messages', () => {
    const crumbs = new MessageAssembler(MAX, () => undefined);
    crumbs.write(framed(MAX, 0).subarray(0, 5));
    for (let at = 0; at < 1_100; at++) crumbs.write(Buffer.alloc(1));
    expect(crumbs.isCrumbled).to.equal(true);
    const messages = new MessageAssembler(MAX, () => undefined);
    for (let at = 0; at < 5_000; at++) messages.write(framed(10, 0));
    expect(messages.isCrumbled).to.equal(false);
  });
});
