// A rate as a bucket that fills at it: what is used may take it below zero, and nothing more is let through until it is above again.
// Over any stretch of time no more passes than the rate allows, the bucket's content once, and the one request that overdrew it.

export class TokenBucket {
  #tokens: number;
  #atMs: number;
  #perMs: number;
  #capacity: number;

  /** `rate` a second. `burstSeconds`: how much of it may be used at once after a pause. */
  constructor(rate: number, burstSeconds: number, nowMs: number) {
    this.#perMs = rate / 1000;
    this.#capacity = rate * burstSeconds;
    this.#tokens = this.#capacity;
    this.#atMs = nowMs;
  }

  /** Another rate from now on; a debt stays the time it was. */
  change(rate: number, burstSeconds: number, nowMs: number): void {
    this.#fill(nowMs);
    const perMs = rate / 1000;
    if (this.#tokens < 0) this.#tokens = (this.#tokens / this.#perMs) * perMs;
    this.#perMs = perMs;
    this.#capacity = rate * burstSeconds;
    this.#tokens = Math.min(this.#tokens, this.#capacity);
  }

  use(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#tokens -= amount;
  }

  /** How long until something may pass; 0: it may. */
  waitMs(nowMs: number): number {
    this.#fill(nowMs);
    return this.#tokens >= 0 ? 0 : Math.ceil(-this.#tokens / this.#perMs);
  }

  /** Nothing was used that would have to be remembered. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= this.#capacity;
  }

  #fill(nowMs: number): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
  }
}
