// The mistakes that implementations of group coordinators make. The texts are those of the compiled files.

import { type CheckerName } from '../cluster/violations.ts';
import { type Mutant } from './mutant.ts';

/** What members see of a coordinator that does not know what another one, or itself, has promised. */
const AMNESIA: readonly CheckerName[] = ['group-offset-lost', 'two-owners', 'stale-generation'];

export const groupMutants: readonly Mutant[] = [
  {
    name: 'commits of who is no member any more are taken',
    file: 'group/dist/handlers/offsets.js',
    find: 'const refused = group.checkMember(memberId, instanceId) ?? checkGeneration(group, generation);',
    replace: 'const refused = undefined;',
    expected: AMNESIA,
  },
  {
    name: 'a commit is answered before the high watermark passes it',
    file: 'runtime/dist/group/coordinator-turns.js',
    find: 'const baseOffset = this.#writes.gather(',
    replace: `this.#parked.answer(output.replies);
        const baseOffset = this.#writes.gather(`,
    expected: AMNESIA,
  },
  {
    name: 'a commit is answered when it is appended, with the batch it gathered in',
    file: 'runtime/dist/group/group-writes.js',
    find: 'this.#appended.push(...this.#gathered);',
    replace: 'this.#appended.push(...this.#gathered.map((write) => ({ ...write, endOffset: 0 })));',
    expected: AMNESIA,
  },
  {
    name: 'a coordinator serves before it has read its partition',
    file: 'runtime/dist/group/group-loader.js',
    find: 'while (offset < endOffset && !isOver()) {',
    replace: 'while (offset < 0 && !isOver()) {',
    expected: AMNESIA,
  },
  {
    name: 'a coordinator reads from the high watermark on',
    file: 'runtime/dist/group/group-loader.js',
    find: 'let offset = log.logStartOffset;',
    replace: 'let offset = partition.highWatermark;',
    expected: AMNESIA,
  },
];
