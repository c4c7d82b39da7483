// Entries and messages for tests that make them by hand.

import type { Offset, Term } from '@tidemark/core';
import { encodeVoters, type Entry, type EntryKind, type LogPosition } from '@tidemark/raft';
import { voterOf } from './replica-group.ts';

export const position = (endOffset: number, term: number): LogPosition => ({
  endOffset: endOffset as Offset,
  term: term as Term,
});

export function entry(
  term: number,
  baseOffset: number,
  text = 'x',
  count = 1,
  kind: EntryKind = 'data',
): Entry {
  return {
    kind,
    term: term as Term,
    baseOffset: baseOffset as Offset,
    endOffset: (baseOffset + count) as Offset,
    payload: kind === 'leaderChange' ? new Uint8Array(0) : new TextEncoder().encode(text),
  };
}

export function votersEntry(term: number, baseOffset: number, nodes: readonly number[]): Entry {
  const payload = encodeVoters(nodes.map((node) => voterOf(node)));
  return { ...entry(term, baseOffset), kind: 'voters', payload };
}

/** One entry for each term given, in a row from offset 0 on. */
export const logOf = (...terms: number[]): Entry[] =>
  terms.map((term, at) => entry(term, at, `${term}.${at}`));
