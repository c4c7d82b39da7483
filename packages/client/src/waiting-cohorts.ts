// Counts those who wait, so that somebody can be told when all who wait now have left, whoever has come meanwhile: under steady load
// there is always somebody waiting.

/** Those who came between one question and the next. */
export interface Cohort {
  size: number;
  /** Whoever asked when it was the last one. */
  told: (() => void) | undefined;
}

export class WaitingCohorts {
  /** The oldest first; all but the last have been asked about. */
  readonly #cohorts: Cohort[] = [{ size: 0, told: undefined }];

  /** Answers what `leave` is to be called with. */
  join(): Cohort {
    const last = this.#cohorts.at(-1)!;
    last.size += 1;
    return last;
  }

  leave(cohort: Cohort): void {
    cohort.size -= 1;
    while (this.#cohorts.length > 1 && this.#cohorts[0]!.size === 0) this.#cohorts.shift()!.told?.();
  }

  /** Resolves when everybody has left who is here now. */
  left(): Promise<void> {
    const last = this.#cohorts.at(-1)!;
    if (this.#cohorts.length === 1 && last.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      last.told = resolve;
      this.#cohorts.push({ size: 0, told: undefined });
    });
  }
}
