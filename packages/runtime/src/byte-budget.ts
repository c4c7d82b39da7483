// A limit in bytes over what is in flight, first come first served. One request is let through whatever its size while nothing
// else is in flight: a budget smaller than the largest request must not stop it for ever.

interface Waiter {
  readonly bytes: number;
  readonly admit: (admitted: boolean) => void;
}

export class ByteBudget {
  readonly #limitBytes: number;
  #usedBytes = 0;
  readonly #waiters: Waiter[] = [];
  readonly #maxWaiters: number;
  #closed = false;

  /** `maxWaiters`: how many may queue for the budget; the next is refused at once. */
  constructor(limitBytes: number, maxWaiters: number) {
    this.#limitBytes = limitBytes;
    this.#maxWaiters = maxWaiters;
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
    return new Promise((admit) => this.#waiters.push({ bytes, admit }));
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
    for (let next = this.#waiters[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiters[0]) {
      this.#waiters.shift();
      this.#usedBytes += next.bytes;
      next.admit(true);
    }
  }

  /** Refuses everybody who waits, now and later. */
  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters.splice(0)) waiter.admit(false);
  }

  #fits(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + bytes <= this.#limitBytes;
  }
}
