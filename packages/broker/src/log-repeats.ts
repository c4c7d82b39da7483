// Keeps one trouble from filling the log: of lines with the same level and message the first few in a window are written; the rest
// is counted, and the count is written when the window is over. What a line says beside its message does not make it another one.
// Memory is bounded: beyond `MAX_MESSAGES` different messages in a window, the rest goes through uncounted.

export interface RepeatLimits {
  readonly windowMs: number;
  /** Lines of one message in a window. */
  readonly burst: number;
}

export const defaultRepeatLimits: RepeatLimits = { windowMs: 10_000, burst: 10 };

const MAX_MESSAGES = 256;

interface Window {
  written: number;
  withheld: number;
}

export class LogRepeats {
  readonly #limits: RepeatLimits;
  readonly #windows = new Map<string, Window>();

  constructor(limits: RepeatLimits = defaultRepeatLimits) {
    this.#limits = limits;
  }

  /**
   * Whether the line may be written. `summary` is called at most once for a window, after it, when lines were withheld; the timer
   * keeps no process alive.
   */
  admits(level: number, message: string, summary: (withheld: number) => void): boolean {
    const key = `${level} ${message}`;
    const { windowMs, burst } = this.#limits;
    const window = this.#windows.get(key);
    if (window === undefined) {
      if (this.#windows.size < MAX_MESSAGES) this.#begin(key, windowMs, summary);
      return true;
    }
    if (window.written < burst) {
      window.written += 1;
      return true;
    }
    window.withheld += 1;
    return false;
  }

  #begin(key: string, windowMs: number, summary: (withheld: number) => void): void {
    const window = { written: 1, withheld: 0 };
    this.#windows.set(key, window);
    setTimeout(() => {
      this.#windows.delete(key);
      if (window.withheld > 0) summary(window.withheld);
    }, windowMs).unref();
  }
}
