// Commits what the application is done with at every interval: a record counts once the application has come back for more. What it has
// in its hands is not committed, and so is read again by whoever gets the partition if it does not come back.
import type { Clock, Timer } from '@tidemark/core';
import type { OffsetToCommit } from './offset-commits.ts';

export interface AutoCommitOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** What has changed since the last commit. */
  readonly due: () => readonly OffsetToCommit[];
  readonly commit: (offsets: readonly OffsetToCommit[]) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

export class AutoCommit {
  readonly #options: AutoCommitOptions;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: AutoCommitOptions) {
    this.#options = options;
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    const { clock, intervalMs } = this.#options;
    this.#timer = clock.setTimer(intervalMs, () => void this.#run());
  }

  async #run(): Promise<void> {
    const { due, commit, onError } = this.#options;
    try {
      const offsets = due();
      if (offsets.length > 0) await commit(offsets);
    } catch (error) {
      if (!this.#isStopped) onError(error);
    }
    if (!this.#isStopped) this.#arm();
  }
}
