// Module hooks that put the mutant named by the environment into the file it is for; see plant.ts.

import { type LoadHook } from 'node:module';
import { MUTANT_VARIABLE, planted, type Mutant } from './mutant.ts';

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  const text = process.env[MUTANT_VARIABLE];
  if (text === undefined) return loaded;
  const mutant = JSON.parse(text) as Mutant;
  if (!url.endsWith(`/packages/${mutant.file}`)) return loaded;
  return { ...loaded, source: planted(mutant, sourceText(loaded.source)) };
};

function sourceText(source: string | ArrayBuffer | NodeJS.TypedArray | undefined): string {
  if (typeof source === 'string') return source;
  return new TextDecoder().decode(source);
}
