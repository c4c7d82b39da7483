// How many bytes a second replication may take for the replicas that are throttled (KIP-73). Contract: over a second and longer no
// more than the rate and one burst go through; what is taken beyond, because a batch is not cut, is waited for afterwards.

/** So long a rate may be saved up, in milliseconds. */
const BURST_MS = 100;

export class ReplicationQuota {
  #bytesPerSecond = Infinity;
  /** What may be taken; below 0 what was taken too early. */
  #bytes = 0;
  #atMs = -Infinity;

  /** Infinity: no limit. */
  setRate(bytesPerSecond: number, nowMs: number): void {
    if (bytesPerSecond === this.#bytesPerSecond) return;
    this.#bytesPerSecond = bytesPerSecond;
    this.#bytes = 0;
    this.#atMs = nowMs;
  }

  get isLimited(): boolean {
    return this.#bytesPerSecond !== Infinity;
  }

  take(bytes: number, nowMs: number): void {
    if (!this.isLimited) return;
    this.#fill(nowMs);
    this.#bytes -= bytes;
  }

  /** Milliseconds until something may be taken again; 0: now. */
  waitMs(nowMs: number): number {
    if (!this.isLimited) return 0;
    this.#fill(nowMs);
    return this.#bytes >= 0 ? 0 : Math.ceil((-this.#bytes * 1000) / this.#bytesPerSecond);
  }

  #fill(nowMs: number): void {
    const burst = (this.#bytesPerSecond * BURST_MS) / 1000;
    this.#bytes = Math.min(burst, this.#bytes + ((nowMs - this.#atMs) * this.#bytesPerSecond) / 1000);
    this.#atMs = nowMs;
  }
}
