import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { mutants, planted, type Mutant } from '@tidemark/simulation';

describe('a mutant', () => {
  const mutant: Mutant = {
    name: 'm',
    file: 'f',
    find: 'a + b',
    replace: 'a - b',
    expected: ['log-matching'],
  };

  it('is planted where its text stands once', () => {
    expect(planted(mutant, 'return a + b;')).to.equal('return a - b;');
  });

  it('is stale where its text is gone or stands twice', () => {
    for (const source of ['return b + a;', 'a + b + (a + b)']) {
      expect(() => planted(mutant, source)).to.throw(RangeError, 'stale');
    }
  });

  it('stands once in the file that is compiled', () => {
    for (const each of mutants) {
      planted(each, readFileSync(new URL(`../../${each.file}`, import.meta.url), 'utf8'));
    }
  });

  it('has a name of its own, changes something, and somebody who is to notice it', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).to.equal(mutants.length);
    for (const { name, find, replace, expected } of mutants) {
      expect(find, name).not.to.equal(replace);
      expect(expected, name).not.to.deep.equal([]);
    }
  });
});
