import { expect } from 'chai';
import fc from 'fast-check';
import { parseProperties } from '@tidemark/core';

describe('.properties files', () => {
  it('are read as Java reads them', () => {
    const text = [
      '\uFEFF# comment',
      '! also a comment',
      'a=1',
      '  b : 2  ',
      'c 3',
      'd=',
      'e',
      'path=C\\:\\\\logs\\ttab',
      'snow\\u2603man = \\u2603',
      'list=one,\\',
      '   two,\\',
      '   three',
      'even=back\\\\',
      'key\\ with\\=signs=x=y',
      'last=line\\',
    ].join('\r\n');
    expect(parseProperties(text)).to.deep.equal([
      { name: 'a', value: '1', line: 3 },
      { name: 'b', value: '2  ', line: 4 },
      { name: 'c', value: '3', line: 5 },
      { name: 'd', value: '', line: 6 },
      { name: 'e', value: '', line: 7 },
      { name: 'path', value: 'C:\\logs\ttab', line: 8 },
      { name: 'snow☃man', value: '☃', line: 9 },
      { name: 'list', value: 'one,two,three', line: 10 },
      { name: 'even', value: 'back\\', line: 13 },
      { name: 'key with=signs', value: 'x=y', line: 14 },
      { name: 'last', value: 'line', line: 15 },
    ]);
  });

  it('of any content are read to the end without a failure', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '=', ':', '\\', '\n', '#', ' ', 'u', '0') }),
        (text) => {
          for (const { line } of parseProperties(text)) expect(line).to.be.within(1, text.split('\n').length);
        },
      ),
    );
  });
});
