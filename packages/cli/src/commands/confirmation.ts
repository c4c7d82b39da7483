// Asks before something is destroyed. Without a terminal nobody can answer, so the command refuses and says which flag means yes.
import { createInterface } from 'node:readline/promises';
import type { CommandContext } from '../command-context.ts';
import { CommandFailure, usageFailure } from '../exit.ts';

/** Returns when the user agreed; throws otherwise. */
export async function confirm({ io }: CommandContext, question: string): Promise<void> {
  if (io.stdin.isTTY !== true || io.stderr.isTTY !== true) {
    throw usageFailure(`${question} Nobody can answer here`, 'add -y to go ahead without being asked');
  }
  const prompt = createInterface({ input: io.stdin, output: io.stderr });
  try {
    const answer = await prompt.question(`${question} [y/N] `);
    if (/^y(?:es)?$/i.test(answer.trim())) return;
  } finally {
    prompt.close();
  }
  throw new CommandFailure('nothing was changed');
}
