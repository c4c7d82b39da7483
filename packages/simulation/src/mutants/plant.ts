// Loaded with `node --import` before everything else: from then on files are loaded through mutant-hooks.ts.

import { register } from 'node:module';

register('./mutant-hooks.js', import.meta.url);
