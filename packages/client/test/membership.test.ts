import { expect } from 'chai';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { MembershipTranscript } from './membership-transcript.ts';

// Each file is a story: commands, and what was seen when they were run. REWRITE=1 writes down what is seen now; read the difference
// before committing it.
const folder = new URL('./transcripts/', import.meta.url);
const rewrites = process.env['REWRITE'] === '1';

describe('a member of a group', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

  it('has its stories', () => {
    expect(files.length).above(7);
  });

  for (const name of files) {
    it(name.replace('.txt', '').replaceAll('-', ' '), async () => {
      const file = new URL(name, folder);
      const expected = readFileSync(file, 'utf8');
      const observed = await MembershipTranscript.rewrite(expected);
      if (rewrites) writeFileSync(file, observed);
      else expect(observed).equals(expected);
    });
  }
});
