// The progress line: one line on stderr, rewritten in place on a terminal, printed once a second elsewhere, and only there if
// `--progress` asks for it. Time is handed in, so that nothing here waits. It never writes to stdout.
import { formatBytes, formatCount } from './quantity.ts';

export interface ProgressSink {
  readonly isTerminal: boolean;
  write(text: string): void;
}

const REWRITE_MS = 100;
const LINE_MS = 1_000;
const CLEAR = '\r\u001b[K';

export class ProgressLine {
  readonly #sink: ProgressSink;
  readonly #enabled: boolean;
  readonly #startMs: number;
  #shownMs: number;
  #dirty = false;

  /** `forced` is `--progress`: show it although stderr is no terminal. */
  constructor(sink: ProgressSink, options: { readonly forced: boolean; readonly nowMs: number }) {
    this.#sink = sink;
    this.#enabled = sink.isTerminal || options.forced;
    this.#startMs = options.nowMs;
    this.#shownMs = options.nowMs;
  }

  /** Cheap when it is not time to show anything. `label` is what is being done. */
  update(label: string, records: number, bytes: number, nowMs: number): void {
    if (!this.#enabled) return;
    if (nowMs - this.#shownMs < (this.#sink.isTerminal ? REWRITE_MS : LINE_MS)) return;
    this.#shownMs = nowMs;
    const seconds = Math.max((nowMs - this.#startMs) / 1_000, 0.001);
    const text = `${label} ${formatCount(records)} records, ${formatBytes(bytes)}, ${formatCount(records / seconds)}/s`;
    this.#sink.write(this.#sink.isTerminal ? `${CLEAR}${text}` : `${text}\n`);
    this.#dirty = this.#sink.isTerminal;
  }

  /** Takes the line away before something else is written to stderr, and at the end. */
  clear(): void {
    if (this.#dirty) this.#sink.write(CLEAR);
    this.#dirty = false;
  }
}
