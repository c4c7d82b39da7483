// What one replica has kept: the hard state, a snapshot and the entries behind it. It survives a crash; what was being written
// when the crash came is there up to a point the test chooses.

import { invariant, type Offset, type Term } from '@tidemark/core';
import type {
  Entry,
  HardState,
  InstallSnapshot,
  LogPosition,
  RaftLogState,
  Ready,
  TermStart,
  VoterSet,
} from '@tidemark/raft';

/** The state machine of these tests: where it stands, and a digest of everything applied. */
export interface Image {
  readonly endOffset: Offset;
  readonly term: Term;
  readonly digest: number;
}

export const EMPTY_IMAGE: Image = { endOffset: 0 as Offset, term: 0 as Term, digest: 0 };

export function applied(image: Image, { kind, term, baseOffset, endOffset, payload }: Entry): Image {
  invariant(baseOffset === image.endOffset, 'entries are applied without a gap', { baseOffset, image });
  let digest = Math.imul(image.digest ^ endOffset ^ (term << 16) ^ kind.length, 0x01000193);
  for (const byte of payload) digest = Math.imul(digest ^ byte, 0x01000193);
  return { endOffset, term, digest: digest >>> 0 };
}

/** A snapshot has some bytes more than it needs, so that it comes in several pieces. */
export function imageBytes(image: Image): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(image).padEnd(100, ' '));
}

export function imageFrom(pieces: readonly Uint8Array[]): Image {
  const decoder = new TextDecoder();
  const text = pieces.map((piece) => decoder.decode(piece, { stream: true })).join('');
  return JSON.parse(text) as Image;
}

/** One thing the disk does: the steps of a `Ready` in the order of its contract. */
export type DiskStep =
  | { readonly type: 'hardState'; readonly hardState: HardState }
  | { readonly type: 'install'; readonly install: InstallSnapshot }
  | { readonly type: 'truncate'; readonly to: Offset }
  | { readonly type: 'entry'; readonly entry: Entry };

export function diskSteps({ install, truncateTo, entries }: Ready): DiskStep[] {
  const steps: DiskStep[] = [];
  if (install !== undefined) steps.push({ type: 'install', install });
  if (truncateTo !== undefined) steps.push({ type: 'truncate', to: truncateTo });
  for (const entry of entries) steps.push({ type: 'entry', entry });
  return steps;
}

export class FakeDisk {
  hardState: HardState = { term: 0 as Term, vote: undefined };
  image: Image = EMPTY_IMAGE;
  /** Those in force at `image.endOffset`. */
  imageVoters: VoterSet;
  logStartOffset = 0 as Offset;
  /** From `logStartOffset` on. */
  entries: Entry[] = [];

  constructor(voters: VoterSet) {
    this.imageVoters = voters;
  }

  get endOffset(): Offset {
    return this.entries.at(-1)?.endOffset ?? this.logStartOffset;
  }

  do(step: DiskStep): void {
    switch (step.type) {
      case 'hardState':
        invariant(step.hardState.term >= this.hardState.term, 'a term never falls');
        this.hardState = step.hardState;
        return;
      case 'install': {
        const { snapshot, voters, pieces } = step.install;
        const image = imageFrom(pieces);
        invariant(image.endOffset === snapshot.endOffset && image.term === snapshot.term, 'a whole snapshot');
        this.image = image;
        this.imageVoters = voters;
        this.logStartOffset = snapshot.endOffset;
        this.entries = [];
        return;
      }
      case 'truncate':
        invariant(step.to >= this.image.endOffset, 'what is in the image is not taken off the log');
        this.entries = this.entries.filter(({ endOffset }) => endOffset <= step.to);
        invariant(this.endOffset === step.to, 'a log is cut between entries', { to: step.to });
        return;
      case 'entry':
        invariant(step.entry.baseOffset === this.endOffset, 'entries are written without a gap', {
          base: step.entry.baseOffset,
          end: this.endOffset,
        });
        this.entries.push(step.entry);
    }
  }

  /** Whether the log or the snapshot on this disk holds what ends there. */
  holds({ endOffset, term }: LogPosition): boolean {
    if (endOffset <= this.image.endOffset) return true;
    return this.entries.some((entry) => entry.endOffset === endOffset && entry.term === term);
  }

  saveImage(image: Image, voters: VoterSet): void {
    this.image = image;
    this.imageVoters = voters;
  }

  /** Cuts whole entries below `offset`; answers where the log begins now. */
  removeBefore(offset: Offset): Offset {
    invariant(offset <= this.image.endOffset, 'only what is in the image may go');
    while (this.entries.length > 0 && this.entries[0]!.endOffset <= offset) {
      this.logStartOffset = this.entries.shift()!.endOffset;
    }
    return this.logStartOffset;
  }

  /** Whole entries from the one that holds `from` on, at least one, none that ends above `upTo`. */
  read(from: Offset, upTo: Offset, maxBytes: number): readonly Entry[] {
    if (from < this.logStartOffset) return [];
    const found: Entry[] = [];
    let bytes = 0;
    for (const entry of this.entries) {
      if (entry.endOffset <= from) continue;
      bytes += entry.payload.length;
      if (entry.endOffset > upTo || (found.length > 0 && bytes > maxBytes)) break;
      found.push(entry);
    }
    return found;
  }

  logState(): RaftLogState {
    const { endOffset, term } = this.image;
    const termStarts: TermStart[] = [];
    for (const entry of this.entries) {
      if (termStarts.at(-1)?.term !== entry.term) {
        termStarts.push({ term: entry.term, startOffset: entry.baseOffset });
      }
    }
    return {
      base: { endOffset, term },
      logStartOffset: this.logStartOffset,
      termStarts,
      entries: this.entries.filter((entry) => entry.baseOffset >= endOffset),
    };
  }
}
