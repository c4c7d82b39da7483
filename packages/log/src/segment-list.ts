// The segments of a log in order of their base offsets. Contract: there is always an active one, the last.

import { invariant } from '@tidemark/core';
import type { Segment } from './segment.ts';

export class SegmentList {
  readonly #segments: Segment[] = [];

  get count(): number {
    return this.#segments.length;
  }

  get active(): Segment {
    const last = this.#segments.at(-1);
    invariant(last !== undefined, 'a log has an active segment');
    return last;
  }

  get first(): Segment {
    const first = this.#segments[0];
    invariant(first !== undefined, 'a log has a first segment');
    return first;
  }

  get sizeBytes(): number {
    let total = 0;
    for (const segment of this.#segments) total += segment.sizeBytes;
    return total;
  }

  at(index: number): Segment | undefined {
    return this.#segments[index];
  }

  /** A copy, so that the list may change while it is gone over. */
  all(): Segment[] {
    return [...this.#segments];
  }

  slice(from: number, to: number): Segment[] {
    return this.#segments.slice(from, to);
  }

  push(segment: Segment): void {
    const last = this.#segments.at(-1);
    invariant(last === undefined || segment.baseOffset > last.baseOffset, 'segments are in order', {
      baseOffset: segment.baseOffset,
    });
    this.#segments.push(segment);
  }

  /** Index of the segment that would hold `offset`; -1 below the first. */
  floorIndex(offset: number): number {
    let low = 0;
    let high = this.#segments.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (this.#segments[middle]!.baseOffset <= offset) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }

  /** The offset behind the segment at `index`: the next one's base, or `endOffset` for the active one. */
  endOffsetOf(index: number, endOffset: number): number {
    return this.#segments[index + 1]?.baseOffset ?? endOffset;
  }

  /** Whether these are in the list, one after another. */
  isRun(segments: readonly Segment[]): boolean {
    const index = this.#segments.indexOf(segments[0]!);
    return index >= 0 && segments.every((each, at) => this.#segments[index + at] === each);
  }

  /** Puts one in the place of `old`, which are a run. */
  replace(old: readonly Segment[], segment: Segment): void {
    invariant(this.isRun(old), 'segments to replace are in the list');
    this.#segments.splice(this.#segments.indexOf(old[0]!), old.length, segment);
  }

  /** Takes out the first `count`. */
  removeFirst(count: number): Segment[] {
    return this.#segments.splice(0, count);
  }

  /** Takes out everything behind `index`. */
  removeAfter(index: number): Segment[] {
    return this.#segments.splice(index + 1);
  }
}
