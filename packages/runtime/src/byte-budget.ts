// A limit in bytes over what is in flight, first come first served; what waits its turn is held by somebody, and bounded as well. One
// request is let through whatever its size while nothing else is in flight: a budget smaller than the largest request must not stop it
// for ever.

interface Waiter {
  readonly bytes: number;
  readonly admit: (admitted: boolean) => void;
}

export class ByteBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;
  readonly #waiters: Waiter[] = [];
  readonly #maxWaiters: number;
  readonly #maxWaitingBytes: number;
  #waitingBytes = 0;
  #closed = false;

  /**
   * `maxWaiters`: how many may queue for the budget, `maxWaitingBytes`: and how much they may want; the next is refused at once. For
   * what exists only once it is let through, as the answer to a fetch, Infinity.
   */
  constructor(limitBytes: number, maxWaiters: number, maxWaitingBytes = Infinity) {
    this.#limitBytes = limitBytes;
    this.#maxWaiters = maxWaiters;
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get waiterCount(): number {
    return this.#waiters.length;
  }

  /** Takes the bytes at once if they fit and nobody waits. */
  tryTake(bytes: number): boolean {
    if (this.#waiters.length > 0 || !this.#fits(bytes)) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Takes the bytes now or in turn; answers false when the queue is full or the budget was closed. */
  take(bytes: number): Promise<boolean> {
    if (this.tryTake(bytes)) return Promise.resolve(true);
    if (this.#closed || this.#waiters.length >= this.#maxWaiters) return Promise.resolve(false);
    const waitsAlone = this.#waiters.length === 0;
    if (!waitsAlone && this.#waitingBytes + bytes > this.#maxWaitingBytes) return Promise.resolve(false);
    this.#waitingBytes += bytes;
    return new Promise((admit) => this.#waiters.push({ bytes, admit }));
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
    for (let next = this.#waiters[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiters[0]) {
      this.#waiters.shift();
      this.#waitingBytes -= next.bytes;
      this.#usedBytes += next.bytes;
      next.admit(true);
    }
  }

  /** Refuses everybody who waits, now and later. */
  close(): void {
    this.#closed = true;
    this.#waitingBytes = 0;
    for (const waiter of this.#waiters.splice(0)) waiter.admit(false);
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#limitBytes;
  }
}
