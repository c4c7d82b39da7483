import { failure } from '@tidemark/core';
import {
  decodeXerial,
  encodeXerial,
  snappyBlockSize,
  XERIAL_BLOCK_BYTES,
  type SnappyBlockCodec,
} from '@tidemark/record';
import { expect } from 'chai';
import { bytesOf, concat } from './batches.ts';

/** The plain Snappy format with literals only: all that the framing needs to be tested with. Counts what it is asked for. */
class LiteralSnappy implements SnappyBlockCodec {
  inflated: number[] = [];

  compress(block: Uint8Array): Uint8Array {
    const out = [...varint(block.length)];
    for (let at = 0; at < block.length; at += 256) {
      const part = block.subarray(at, at + 256);
      out.push(60 << 2, part.length - 1, ...part);
    }
    return Uint8Array.from(out);
  }

  decompress(block: Uint8Array, sizeBytes: number) {
    this.inflated.push(sizeBytes);
    const out: number[] = [];
    for (let at = varint(snappyBlockSize(block, 0, block.length)).length; at < block.length;) {
      if (block[at] !== 60 << 2) return failure('CORRUPT_MESSAGE', 'not a literal');
      const length = block[at + 1]! + 1;
      out.push(...block.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    return { ok: true as const, bytes: Uint8Array.from(out) };
  }
}

function varint(value: number): number[] {
  const out: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) out.push((left % 0x80) | 0x80);
  return [...out, left];
}

const header = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1];
const framed = (...blocks: Uint8Array[]): Uint8Array =>
  concat(Uint8Array.from(header), ...blocks.flatMap((block) => [int32(block.length), block]));

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value);
  return bytes;
}

describe('Xerial’s framing of snappy', () => {
  const codec = new LiteralSnappy();
  const bound = 1 << 20;

  it('begins with its magic and versions, and cuts the input into blocks of 32 KiB', () => {
    const input = Uint8Array.from({ length: XERIAL_BLOCK_BYTES + 5 }, (_, index) => index);
    const bytes = encodeXerial(input, codec);
    const first = codec.compress(input.subarray(0, XERIAL_BLOCK_BYTES));
    expect(bytes).to.deep.equal(framed(first, codec.compress(input.subarray(XERIAL_BLOCK_BYTES))));
    expect(decodeXerial(bytes, codec, bound)).to.deep.equal({ ok: true, bytes: input });
  });

  it('of nothing is the header alone', () => {
    expect([...encodeXerial(new Uint8Array(0), codec)]).to.deep.equal(header);
    expect(decodeXerial(Uint8Array.from(header), codec, 0)).to.deep.equal({
      ok: true,
      bytes: new Uint8Array(0),
    });
  });

  it('may be missing: one raw block, of any size', () => {
    const input = new Uint8Array(XERIAL_BLOCK_BYTES * 2).fill(7);
    expect(decodeXerial(codec.compress(input), codec, bound)).to.deep.equal({ ok: true, bytes: input });
  });

  it('is added up before a block is inflated, so what is too large costs nothing', () => {
    const counting = new LiteralSnappy();
    const blocks = [codec.compress(new Uint8Array(600)), codec.compress(new Uint8Array(600))];
    const answer = decodeXerial(framed(...blocks), counting, 1199);
    expect(answer).to.include({ ok: false, error: 'MESSAGE_TOO_LARGE' });
    expect(counting.inflated).to.deep.equal([]);
    expect(decodeXerial(framed(...blocks), counting, 1200).ok).to.equal(true);
    expect(decodeXerial(blocks[0]!, counting, 599)).to.include({ error: 'MESSAGE_TOO_LARGE' });
  });

  it('refuses a block that declares more than its bytes can hold, however generous the bound', () => {
    const bomb = concat(Uint8Array.from(varint(2 ** 30)), bytesOf('tiny'));
    for (const bytes of [bomb, framed(bomb)]) {
      expect(decodeXerial(bytes, codec, 2 ** 31)).to.include({ ok: false, error: 'CORRUPT_MESSAGE' });
    }
  });

  it('refuses everything that is cut off or lies', () => {
    const block = codec.compress(bytesOf('some text to compress'));
    const good = framed(block);
    const lying = Uint8Array.from(block);
    lying[0] = 5;
    const broken: [string, Uint8Array][] = [
      ['empty', new Uint8Array(0)],
      ['header only in part', good.subarray(0, 12)],
      ['a length cut off', good.subarray(0, 18)],
      ['a block cut off', good.subarray(0, good.length - 1)],
      ['a length below zero', concat(Uint8Array.from(header), int32(-1), block)],
      ['a block of nothing', concat(Uint8Array.from(header), int32(0))],
      ['a size that is no varint', framed(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff))],
      ['a size that is wrong', framed(lying)],
      ['a later version', Uint8Array.from(header.with(15, 2))],
      ['a block that is broken inside', framed(concat(block.subarray(0, 1), new Uint8Array(20)))],
    ];
    for (const [what, bytes] of broken) {
      expect(decodeXerial(bytes, codec, bound), what).to.include({ ok: false, error: 'CORRUPT_MESSAGE' });
    }
  });
});
