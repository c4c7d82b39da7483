// Every log entry that any replica ever had, as links of chains: a link knows the one before it, so a link stands for a whole log,
// and two logs are equal where they hold the same link. What Raft promises about logs becomes comparing two references.

import { type Offset, type Term } from '@tidemark/core';
import { decodeVoters, type Entry, type EntryKind, type LogPosition, type VoterSet } from '@tidemark/raft';

export interface Link {
  readonly endOffset: Offset;
  readonly baseOffset: Offset;
  readonly term: Term;
  readonly kind: EntryKind;
  /** Of this entry and all before it. */
  readonly hash: number;
  /** Undefined for the beginning of all logs alone. */
  readonly previous: Link | undefined;
  /** Of a `voters` entry. */
  readonly voters: VoterSet | undefined;
  /** The newest `voters` entry up to here, this one included. */
  readonly votersLink: Link | undefined;
}

const TERM_STRIDE = 2 ** 32;
const positionOf = (term: number, endOffset: number): number => term * TERM_STRIDE + endOffset;

export class LogHistory {
  readonly origin: Link;
  readonly #links = new Map<number, Link>();

  /** `voters`: those in force before the first entry. */
  constructor(voters?: VoterSet) {
    const origin = {
      endOffset: 0 as Offset,
      baseOffset: 0 as Offset,
      term: 0 as Term,
      kind: 'data' as const,
      hash: 0,
      previous: undefined,
      voters,
      votersLink: undefined as Link | undefined,
    };
    if (voters !== undefined) origin.votersLink = origin;
    this.origin = origin;
  }

  /** The one log that ends with an entry of `term` at `endOffset`, if any replica ever had one. */
  find({ term, endOffset }: LogPosition): Link | undefined {
    return endOffset === 0 ? this.origin : this.#links.get(positionOf(term, endOffset));
  }

  /**
   * The link of `entry` behind `previous`. Undefined when another log ends with the same term at the same offset and is not the
   * same log: then there are two histories of one term.
   */
  extend(previous: Link, entry: Entry): Link | undefined {
    const hash = hashOf(previous.hash, entry);
    const position = positionOf(entry.term, entry.endOffset);
    const known = this.#links.get(position);
    if (known !== undefined) {
      return known.previous === previous && known.hash === hash ? known : undefined;
    }
    const { baseOffset, endOffset, term, kind, payload } = entry;
    const voters = kind === 'voters' ? votersOf(payload) : undefined;
    const { votersLink } = previous;
    const link = { endOffset, baseOffset, term, kind, hash, previous, voters, votersLink };
    if (voters !== undefined) link.votersLink = link;
    this.#links.set(position, link);
    return link;
  }
}

/** The part of `link`'s log that ends at `endOffset`; undefined when no entry ends there. */
export function prefixOf(link: Link, endOffset: number): Link | undefined {
  let at: Link | undefined = link;
  while (at !== undefined && at.endOffset > endOffset) at = at.previous;
  return at?.endOffset === endOffset ? at : undefined;
}

/** For messages: `term:endOffset#hash`. */
export function nameOf({ term, endOffset, hash }: Link): string {
  return `${term}:${endOffset}#${(hash >>> 0).toString(16)}`;
}

function votersOf(payload: Uint8Array): VoterSet | undefined {
  const decoded = decodeVoters(payload);
  return decoded.ok ? decoded.voters : undefined;
}

const KIND_CODES: Readonly<Record<EntryKind, number>> = { data: 1, leaderChange: 2, voters: 3 };

/** A record batch begins with its base offset, length and epoch, which are stamped into it when it is stored; entries have them too. */
const STAMPED_BYTES = 16;

function hashOf(previous: number, { kind, term, payload }: Entry): number {
  let hash = Math.imul(previous ^ term, 0x9e3779b1) ^ KIND_CODES[kind] ^ (payload.length << 3);
  const from = kind === 'data' ? STAMPED_BYTES : 0;
  const whole = payload.length - ((payload.length - from) & 3);
  for (let at = from; at < whole; at += 4) {
    const word = payload[at]! | (payload[at + 1]! << 8) | (payload[at + 2]! << 16) | (payload[at + 3]! << 24);
    hash = Math.imul(hash ^ word, 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  for (let at = Math.max(from, whole); at < payload.length; at++) {
    hash = Math.imul(hash ^ payload[at]!, 0xc2b2ae35);
  }
  return hash ^ (hash >>> 16);
}
