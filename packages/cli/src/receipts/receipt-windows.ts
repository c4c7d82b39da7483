// A receipts file in windows of bounded size: lines are read in the order they were written, so many at a time that reading the
// partitions is worth while, and so few that a file of any length goes through the same memory.
import { usageFailure } from '../exit.ts';
import { parseReceiptLine, type ReceiptLine } from './receipt-line.ts';

export interface NumberedReceipt extends ReceiptLine {
  /** In the file, from 1. */
  readonly line: number;
}

export interface WindowLimits {
  readonly maxRecords: number;
  readonly maxLines: number;
}

/** With 4 bytes a record and a few hundred a line, below 30 MB. */
export const DEFAULT_WINDOW: WindowLimits = { maxRecords: 500_000, maxLines: 50_000 };

/** A thousand checksums take 8 KB. */
const MAX_LINE_BYTES = 64 * 1_024;

export class ReceiptWindows {
  readonly #limits: WindowLimits;
  #line = 0;
  #isTorn = false;

  constructor(limits: WindowLimits = DEFAULT_WINDOW) {
    this.#limits = limits;
  }

  /** The last line has no end: whoever wrote it was killed. It says nothing and was left out. */
  get isTorn(): boolean {
    return this.#isTorn;
  }

  /** Throws a usage failure (exit code 2) that names the line when one is not a receipt. */
  async *read(input: AsyncIterable<Buffer>): AsyncGenerator<readonly NumberedReceipt[], void, undefined> {
    let receipts: NumberedReceipt[] = [];
    let records = 0;
    for await (const text of this.#lines(input)) {
      const parsed = parseReceiptLine(text);
      if ('fault' in parsed) {
        throw usageFailure(
          `line ${this.#line} of the receipts ${parsed.fault}`,
          'only a file that `tidemark produce --receipts` wrote can be verified',
        );
      }
      receipts.push({ ...parsed, line: this.#line });
      records += parsed.count;
      if (records < this.#limits.maxRecords && receipts.length < this.#limits.maxLines) continue;
      yield receipts;
      receipts = [];
      records = 0;
    }
    if (receipts.length > 0) yield receipts;
  }

  async *#lines(input: AsyncIterable<Buffer>): AsyncGenerator<string, void, undefined> {
    let rest = Buffer.alloc(0);
    for await (const chunk of input) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      for (let end = bytes.indexOf(10, at); end >= 0; end = bytes.indexOf(10, at)) {
        this.#line += 1;
        if (end > at) yield bytes.toString('utf8', at, end);
        at = end + 1;
      }
      rest = Buffer.from(bytes.subarray(at));
      if (rest.length > MAX_LINE_BYTES) {
        throw usageFailure(`line ${this.#line + 1} of the receipts has more than ${MAX_LINE_BYTES} bytes`);
      }
    }
    this.#isTorn = rest.length > 0;
  }
}
