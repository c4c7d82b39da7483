// The history of a run: every event goes to the checker at once and, as a line, to a file that is there when the run failed.
// `[ms since the run began, what, ...]`; read again with `make chaos-check HISTORY=file`.
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import {
  historyLine,
  parseHistoryLine,
  tell,
  type HistoryChecker,
  type HistoryEvent,
} from '@tidemark/simulation';

const BUFFERED_CHARS = 64 * 1024;

export class RecordedHistory {
  readonly path: string;
  readonly #checker: HistoryChecker;
  readonly #file: number;
  readonly #beganMs = performance.now();
  #lines: string[] = [];
  #chars = 0;
  #isClosed = false;

  constructor(path: string, checker: HistoryChecker) {
    this.path = path;
    this.#checker = checker;
    this.#file = openSync(path, 'wx');
  }

  tell(...event: HistoryEvent): void {
    if (this.#isClosed) return;
    const line = `${historyLine(performance.now() - this.#beganMs, event)}\n`;
    this.#lines.push(line);
    this.#chars += line.length;
    if (this.#chars >= BUFFERED_CHARS) this.#write();
    tell(this.#checker, event);
  }

  /** Nothing is taken any more. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#write();
    closeSync(this.#file);
  }

  #write(): void {
    let bytes = Buffer.from(this.#lines.join(''));
    while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#file, bytes));
    this.#lines = [];
    this.#chars = 0;
  }
}

export async function replay(path: string, checker: HistoryChecker): Promise<void> {
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    tell(checker, parseHistoryLine(line));
  }
}
