import { expect } from 'chai';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Transcript } from './transcript.ts';

// Each file is a story: commands, and what was seen when they were run. REWRITE=1 writes down what is seen now; read the difference
// before committing it.
const folder = new URL('./transcripts/', import.meta.url);
const rewrites = process.env['REWRITE'] === '1';

describe('transcripts', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

  it('are there', () => {
    expect(files.length).above(10);
  });

  for (const name of files) {
    it(name.replace('.txt', '').replaceAll('-', ' '), () => {
      const file = new URL(name, folder);
      const expected = readFileSync(file, 'utf8');
      const observed = Transcript.rewrite(expected);
      if (rewrites) writeFileSync(file, observed);
      else expect(observed).equals(expected);
    });
  }
});
