import { expect } from 'chai';
import fc from 'fast-check';
import { byteString, FieldReader, FieldWriter, listOf, text } from '@tidemark/core';

function written(value: string): Uint8Array {
  const writer = new FieldWriter(1);
  text.write(writer, value);
  return writer.finish();
}

describe('the codec of a text', () => {
  const texts = [
    '',
    'orders',
    'x'.repeat(127),
    'x'.repeat(128),
    'ä',
    'orders-ä',
    `${'x'.repeat(126)}ä`,
    '€',
    '😀',
  ];

  for (const value of texts) {
    it(`writes the length in UTF-8, then that, of ${JSON.stringify(value.slice(-9))} (${value.length})`, () => {
      const utf8 = Buffer.from(value, 'utf8');
      const writer = new FieldWriter();
      byteString.write(writer, utf8);
      expect(written(value)).to.deep.equal(writer.finish());
      expect(text.read(new FieldReader(written(value)))).to.equal(value);
    });
  }

  it('keeps texts apart that are written one after another, whatever they hold', () => {
    const several = listOf(text);
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: 'grapheme' }))),
        (values) => {
          const writer = new FieldWriter(1);
          several.write(writer, values);
          expect(several.read(new FieldReader(writer.finish()))).to.deep.equal(values);
        },
      ),
    );
  });
});
