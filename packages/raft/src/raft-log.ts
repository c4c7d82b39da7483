// A replica's log as the machine sees it: where terms begin, the newest entries in memory, and how far all of it is on disk and
// committed. Older entries are on the disk only; whoever needs them asks the driver to read them.
//
// Holds: base.endOffset <= commitOffset <= end, nothing below commitOffset is ever taken off, and `stableOffset` counts only what
// the driver has confirmed.

import { invariant, type Offset, type Term } from '@tidemark/core';
import { EntryCache } from './entry-cache.ts';
import { ORIGIN, type Entry, type LogPosition } from './entry.ts';

/** A term's first entry begins here. */
export interface TermStart {
  readonly term: Term;
  readonly startOffset: Offset;
}

export interface RaftLogState {
  /** Everything below is in the snapshot on this replica's disk; with the term of its last entry. */
  readonly base: LogPosition;
  /** The first offset that can be read from the log on disk; at or below `base.endOffset`. */
  readonly logStartOffset: Offset;
  /** Of all entries from `logStartOffset` on, in rising order; the first may begin above a start that was cut. */
  readonly termStarts: readonly TermStart[];
  /** All entries from `base.endOffset` on. */
  readonly entries: readonly Entry[];
}

export class RaftLog {
  #logStartOffset: Offset;
  /** A position below which terms are not known, except at exactly this one. */
  #floor: LogPosition;
  readonly #termStarts: TermStart[];
  readonly #cache = new EntryCache();
  #uncommittedBytes = 0;
  #commitOffset: Offset;
  #stableOffset: Offset;
  #end: LogPosition;

  constructor({ base, logStartOffset, termStarts, entries }: RaftLogState) {
    this.#logStartOffset = logStartOffset;
    this.#floor = logStartOffset === base.endOffset ? base : logStartOffset === 0 ? ORIGIN : base;
    this.#termStarts = [...termStarts];
    this.#commitOffset = base.endOffset;
    this.#end = base;
    for (const entry of entries) this.#push(entry);
    this.#stableOffset = this.#end.endOffset;
  }

  get logStartOffset(): Offset {
    return this.#logStartOffset;
  }

  get end(): LogPosition {
    return this.#end;
  }

  get endOffset(): Offset {
    return this.#end.endOffset;
  }

  get commitOffset(): Offset {
    return this.#commitOffset;
  }

  /** Everything below is on this replica's disk. */
  get stableOffset(): Offset {
    return this.#stableOffset;
  }

  /** Bytes of entries that are not committed. */
  get uncommittedBytes(): number {
    return this.#uncommittedBytes;
  }

  /** What is below is on the disk only. */
  get cachedFrom(): Offset {
    return this.#cache.first?.baseOffset ?? this.#end.endOffset;
  }

  /** The term of the entry that ends at `endOffset`; undefined where that is not known (cut off, or not there yet). */
  termAt(endOffset: Offset): Term | undefined {
    if (endOffset === 0) return ORIGIN.term;
    if (endOffset === this.#floor.endOffset) return this.#floor.term;
    if (endOffset > this.#end.endOffset || endOffset <= this.#logStartOffset) return undefined;
    return this.#termStarts.findLast(({ startOffset }) => startOffset < endOffset)?.term;
  }

  /** The largest term at or below `term` that this log has, and where its entries end; the floor if it has none. */
  endOfTerm(term: Term): LogPosition {
    const at = this.#termStarts.findLastIndex((start) => start.term <= term);
    if (at < 0) return this.#floor.term <= term ? this.#floor : ORIGIN;
    const next = this.#termStarts[at + 1];
    const endOffset = next === undefined ? this.#end.endOffset : next.startOffset;
    return { term: this.#termStarts[at]!.term, endOffset };
  }

  /** Puts the entry at the end. */
  append(entry: Entry): void {
    invariant(entry.term >= this.#end.term, 'terms do not fall along a log', {
      term: entry.term,
      end: this.#end.term,
    });
    this.#push(entry);
  }

  /** Takes off everything from `offset` on, which begins an entry. */
  truncate(offset: Offset): void {
    invariant(offset >= this.#commitOffset, 'what is committed stays', {
      offset,
      commit: this.#commitOffset,
    });
    while ((this.#cache.last?.baseOffset ?? -1) >= offset) {
      this.#uncommittedBytes -= this.#cache.pop()!.payload.length;
    }
    while (this.#termStarts.length > 0 && this.#termStarts.at(-1)!.startOffset >= offset) {
      this.#termStarts.pop();
    }
    const term = this.#cache.last?.term ?? this.#termBefore(offset);
    this.#end = { endOffset: offset, term };
    if (this.#stableOffset > offset) this.#stableOffset = offset;
  }

  /** The snapshot takes the place of everything. */
  restart(snapshot: LogPosition): void {
    this.#logStartOffset = snapshot.endOffset;
    this.#floor = snapshot;
    this.#termStarts.length = 0;
    this.#cache.clear();
    this.#uncommittedBytes = 0;
    this.#commitOffset = snapshot.endOffset;
    // Not before the driver says so: a heartbeat that comes meanwhile must not be told that the snapshot is on disk.
    this.#stableOffset = 0 as Offset;
    this.#end = snapshot;
  }

  /** Never back. */
  commitTo(offset: Offset): boolean {
    if (offset <= this.#commitOffset) return false;
    invariant(offset <= this.#end.endOffset, 'only what is in the log is committed', {
      offset,
      end: this.#end.endOffset,
    });
    for (const entry of this.#cache.from(this.#commitOffset)) {
      if (entry.endOffset > offset) break;
      this.#uncommittedBytes -= entry.payload.length;
    }
    this.#commitOffset = offset;
    return true;
  }

  /** The log up to `offset` is on disk. Answers whether that is news. */
  stableTo(offset: Offset): boolean {
    if (offset <= this.#stableOffset) return false;
    this.#stableOffset = offset;
    return true;
  }

  /** The log on disk begins at `offset` from now on: what came before was removed there. */
  removedBefore(offset: Offset): void {
    if (offset <= this.#logStartOffset) return;
    const term = this.termAt(offset);
    this.#logStartOffset = offset;
    if (offset > this.#floor.endOffset && term !== undefined) this.#floor = { endOffset: offset, term };
    while (this.#termStarts.length > 1 && this.#termStarts[1]!.startOffset <= offset)
      this.#termStarts.shift();
  }

  /**
   * Entries from `from` on, as many as fill `maxBytes` and at least one, none past `upTo`; 'onDisk' when they are no longer in
   * memory. `from` may lie inside an entry, which then comes whole.
   */
  slice(from: Offset, upTo: Offset, maxBytes: number): readonly Entry[] | 'onDisk' {
    if (from >= upTo) return [];
    if (this.#cache.isEmpty || from < this.cachedFrom) return 'onDisk';
    const found: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#cache.from(from)) {
      if (entry.endOffset > upTo) break;
      bytes += entry.payload.length;
      if (found.length > 0 && bytes > maxBytes) break;
      found.push(entry);
    }
    return found;
  }

  /** Lets go of the oldest entries below `below` while more than `keepBytes` are held. */
  forget(below: Offset, keepBytes: number): void {
    while (this.#cache.bytes > keepBytes && this.#cache.first!.endOffset <= below) this.#cache.shift();
  }

  #termBefore(offset: Offset): Term {
    if (offset === this.#floor.endOffset) return this.#floor.term;
    return this.#termStarts.findLast(({ startOffset }) => startOffset < offset)?.term ?? this.#floor.term;
  }

  #push(entry: Entry): void {
    invariant(entry.baseOffset === this.#end.endOffset, 'a log has no gaps', {
      base: entry.baseOffset,
      end: this.#end.endOffset,
    });
    const last = this.#termStarts.at(-1);
    if (last === undefined || last.term < entry.term) {
      this.#termStarts.push({ term: entry.term, startOffset: entry.baseOffset });
    }
    this.#cache.push(entry);
    this.#uncommittedBytes += entry.payload.length;
    this.#end = { endOffset: entry.endOffset, term: entry.term };
  }
}
