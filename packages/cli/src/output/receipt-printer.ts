// Receipts on stdout while records are still being sent: one JSON object a line, one array, or a YAML list. They are gathered into
// larger writes; `drained` holds the command back while the reader is slower than the producer.
import type { Receipt } from '@tidemark/client';
import type { Writable } from 'node:stream';
import { write } from '../command-context.ts';
import { toYaml } from './yaml.ts';
import type { OutputFormat } from './report.ts';

const WRITE_BYTES = 64 * 1_024;

export class ReceiptPrinter {
  readonly #stdout: Writable;
  readonly #format: OutputFormat;
  #pending = '';
  #count = 0;
  #written: Promise<boolean> = Promise.resolve(true);

  constructor(stdout: Writable, format: OutputFormat) {
    this.#stdout = stdout;
    this.#format = format;
  }

  print(receipt: Receipt): void {
    const { topic, partition, offset, timestampMs, leaderEpoch, inSyncReplicas, onDisk, duplicate } = receipt;
    const shown = {
      topic,
      partition,
      offset,
      timestamp: timestampMs,
      leaderEpoch,
      inSyncReplicas,
      onDisk,
      duplicate,
    };
    const first = this.#count++ === 0;
    if (this.#format === 'json') this.#pending += `${first ? '[\n' : ',\n'}  ${JSON.stringify(shown)}`;
    else if (this.#format === 'yaml') this.#pending += toYaml([shown]);
    else this.#pending += `${JSON.stringify(shown)}\n`;
    if (this.#pending.length >= WRITE_BYTES) this.#flush();
  }

  async drained(): Promise<void> {
    await this.#written;
  }

  async end(): Promise<void> {
    if (this.#format === 'json') this.#pending += this.#count === 0 ? '[]\n' : '\n]\n';
    this.#flush();
    await this.#written;
  }

  #flush(): void {
    const text = this.#pending;
    this.#pending = '';
    this.#written = this.#written.then(() => write(this.#stdout, text));
  }
}
