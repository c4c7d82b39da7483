// A wait before the next attempt that a newer leader ends: whoever failed before it was elected says nothing about it. Synchronous.
// Counted by `ClusterMetadata.leadersLearned` and not by time, so that what is learned in the same millisecond is not missed.

export class LeaderPause {
  #untilMs = -Infinity;
  #leadersLearned = 0;

  /** `untilMs` on the monotonic clock; `leadersLearned` as it is now. */
  begin(untilMs: number, leadersLearned: number): void {
    this.#untilMs = untilMs;
    this.#leadersLearned = leadersLearned;
  }

  end(): void {
    this.#untilMs = -Infinity;
  }

  /** Whether the leader that became known at `learnedAt` is newer than the failure. */
  isOvertaken(learnedAt: number): boolean {
    return learnedAt > this.#leadersLearned;
  }

  /** When it is over, for a partition whose leader became known at `learnedAt`; undefined when it is. */
  endsAt(nowMs: number, learnedAt: number): number | undefined {
    return this.#untilMs > nowMs && !this.isOvertaken(learnedAt) ? this.#untilMs : undefined;
  }
}
