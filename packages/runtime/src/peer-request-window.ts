// What a server remembers of one incarnation of a caller: which of its requests have come already, and how long they are under
// way. Contract: `admit` answers true at most once for a sequence number, whatever is repeated or comes late; what it holds is
// bounded by twice `REORDER_WINDOW` numbers.

/** A request that so many later ones of its caller have overtaken is taken for a repetition. */
export const REORDER_WINDOW = 4096;
/** Two monotonic clocks may drift apart by less than this share; NTP slews by at most half of it. */
const MAX_DRIFT = 0.001;

export class PeerRequestWindow {
  /** This and everything below it has come, or is given up. */
  #floor = 0;
  #highest = 0;
  readonly #above = new Set<number>();
  /** The smallest difference seen between our clock at arrival and the caller's at sending, and when it was seen. */
  #fastest: { readonly differenceMs: number; readonly atMs: number } | undefined;

  /** Whether this request has not come before. */
  admit(sequence: number): boolean {
    if (sequence <= this.#floor || this.#above.has(sequence)) return false;
    this.#above.add(sequence);
    this.#highest = Math.max(this.#highest, sequence);
    // At twice the window, so that what it costs to go through them is shared by as many requests.
    if (this.#highest - this.#floor > 2 * REORDER_WINDOW) this.#giveUpBelow(this.#highest - REORDER_WINDOW);
    while (this.#above.delete(this.#floor + 1)) this.#floor += 1;
    return true;
  }

  /**
   * How much longer than the fastest one this request was under way at least, in ms. The clocks' difference is not known, but
   * the smallest one seen bounds it; the bound fades, because a clock that goes slower would make everything look late in time.
   */
  lateMs(sentAtMs: number, nowMs: number): number {
    const differenceMs = nowMs - sentAtMs;
    const fastest = this.#fastest;
    const expectedMs =
      fastest === undefined ? differenceMs : fastest.differenceMs + (nowMs - fastest.atMs) * MAX_DRIFT;
    if (differenceMs > expectedMs) return differenceMs - expectedMs;
    this.#fastest = { differenceMs, atMs: nowMs };
    return 0;
  }

  #giveUpBelow(floor: number): void {
    for (const sequence of this.#above) if (sequence <= floor) this.#above.delete(sequence);
    this.#floor = floor;
  }
}
