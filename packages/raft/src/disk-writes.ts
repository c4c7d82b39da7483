// What is on its way to the disk: how far entries were handed out, what is to be taken off or replaced first, and what of it counts
// as written when the driver says so. What is taken off the log while it is being written does not count, even if it comes back.

import type { Offset } from '@tidemark/core';
import type { RaftLog } from './raft-log.ts';
import type { InstallSnapshot, Ready } from './ready.ts';

export class DiskWrites {
  readonly #log: RaftLog;
  /** Up to here entries were handed to the driver. */
  #handed: Offset;
  #truncateTo: Offset | undefined;
  #install: InstallSnapshot | undefined;
  /** Taken and not yet persisted, oldest first, with what each puts on disk for good. */
  #writing: { readonly ready: Ready; readonly upTo: Offset }[] = [];

  constructor(log: RaftLog) {
    this.#log = log;
    this.#handed = log.endOffset;
  }

  /** The log was cut. */
  truncated(from: Offset): void {
    this.#writing = this.#writing.map((each) => (each.upTo > from ? { ...each, upTo: from } : each));
    if (this.#handed <= from) return;
    this.#handed = from;
    this.#truncateTo = Math.min(this.#truncateTo ?? Infinity, from) as Offset;
  }

  /** The log was replaced. */
  replaced(install: InstallSnapshot): void {
    this.#writing = [];
    this.#handed = install.snapshot.endOffset;
    this.#truncateTo = undefined;
    this.#install = install;
  }

  /** What is to be done next, with entries below `upTo`. */
  next(upTo: Offset): Pick<Ready, 'install' | 'truncateTo' | 'entries' | 'position'> {
    const found = this.#log.slice(this.#handed, upTo, Infinity);
    const entries = found === 'onDisk' ? [] : found;
    const endOffset = entries.at(-1)?.endOffset ?? this.#handed;
    const position = { endOffset, term: this.#log.termAt(endOffset) ?? this.#log.end.term };
    const next = { install: this.#install, truncateTo: this.#truncateTo, entries, position };
    this.#handed = endOffset;
    this.#install = undefined;
    this.#truncateTo = undefined;
    return next;
  }

  taken(ready: Ready): void {
    const { install, truncateTo, entries, position } = ready;
    if (install === undefined && truncateTo === undefined && entries.length === 0) return;
    this.#writing.push({ ready, upTo: position.endOffset });
  }

  /** It, and every one before it. Answers whether more of the log is on disk now. */
  persisted(ready: Ready): boolean {
    const at = this.#writing.findIndex((writing) => writing.ready === ready);
    if (at < 0) return false;
    const { upTo } = this.#writing[at]!;
    this.#writing.splice(0, at + 1);
    return this.#log.stableTo(upTo);
  }
}
