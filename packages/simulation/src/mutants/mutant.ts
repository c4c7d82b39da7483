// A mutant: one mistake planted into compiled production code while it is loaded; nothing on disk changes. `find` must occur exactly
// once in the file: when the code has moved on the mutant is stale, and says so instead of passing for caught or harmless.

import { type CheckerName } from '../cluster/violations.ts';

export interface Mutant {
  readonly name: string;
  /** Below `packages/`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Any of these may be the first to notice it. */
  readonly expected: readonly CheckerName[];
}

/** How the mutant reaches the process it is planted in. */
export const MUTANT_VARIABLE = 'TIDEMARK_MUTANT';

/** The source with the mistake in it; throws RangeError for a stale mutant. */
export function planted({ name, file, find, replace }: Mutant, source: string): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new RangeError(`mutant "${name}" is stale: its text occurs ${parts.length - 1} times in ${file}`);
  }
  return parts.join(replace);
}
