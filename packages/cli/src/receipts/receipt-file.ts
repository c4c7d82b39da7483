// The receipts of `produce --receipts`: one line for the records of a batch, once they are acknowledged. A file that exists is refused:
// receipts are not written over. A command that is killed loses at most its last lines; never is something written that was not
// acknowledged. `close` answers once everything is on disk.
import type { Receipt } from '@tidemark/client';
import { open, type FileHandle } from 'node:fs/promises';
import { CommandFailure, usageFailure } from '../exit.ts';
import { formatReceiptLine, MAX_RECORDS_PER_LINE } from './receipt-line.ts';

const WRITE_BYTES = 64 * 1_024;

interface Run {
  readonly first: Receipt;
  readonly checksums: number[];
}

export class ReceiptFile {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #onError: (error: unknown) => void;
  #run: Run | undefined;
  #ending = false;
  #pending = '';
  #written: Promise<void> = Promise.resolve();
  #failed = false;

  private constructor(file: FileHandle, path: string, onError: (error: unknown) => void) {
    this.#file = file;
    this.#path = path;
    this.#onError = onError;
  }

  /** `onError` hears of the first write that fails; nothing is written after it. */
  static async create(path: string, onError: (error: unknown) => void): Promise<ReceiptFile> {
    try {
      return new ReceiptFile(await open(path, 'wx'), path, onError);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
        throw usageFailure(`${path} exists, and receipts are not written over`, 'give another --receipts');
      }
      throw error;
    }
  }

  /** In the order the records are acknowledged. */
  add(receipt: Receipt, checksum: number): void {
    const run = this.#run;
    if (run !== undefined && run.checksums.length < MAX_RECORDS_PER_LINE && follows(run, receipt)) {
      run.checksums.push(checksum);
      return;
    }
    this.#endRun();
    this.#run = { first: receipt, checksums: [checksum] };
    if (this.#ending) return;
    this.#ending = true;
    // The records of a batch are acknowledged in one go.
    setImmediate(() => {
      this.#ending = false;
      this.#endRun();
    });
  }

  /** The disk has kept up. */
  drained(): Promise<void> {
    if (this.#run === undefined) this.#flush();
    return this.#written;
  }

  async close(): Promise<void> {
    this.#endRun();
    this.#flush();
    await this.#written;
    try {
      if (!this.#failed) await this.#file.sync();
    } catch (error) {
      this.#fail(error);
    }
    await this.#file.close();
  }

  #endRun(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const { topic, topicId, partition, leaderEpoch, offset, timestampMs, inSyncReplicas, onDisk } = run.first;
    this.#pending += formatReceiptLine({
      topic,
      topicId,
      partition,
      leaderEpoch,
      baseOffset: offset,
      count: run.checksums.length,
      timestamp: timestampMs,
      inSyncReplicas,
      onDisk,
      checksums: Uint32Array.from(run.checksums),
    });
    if (this.#pending.length >= WRITE_BYTES) this.#flush();
  }

  #flush(): void {
    const text = this.#pending;
    this.#pending = '';
    if (text === '') return;
    this.#written = this.#written.then(async () => {
      if (this.#failed) return;
      try {
        await this.#file.appendFile(text);
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  #fail(cause: unknown): void {
    this.#failed = true;
    const why = cause instanceof Error ? cause.message : String(cause);
    this.#onError(new CommandFailure(`the receipts cannot be written to ${this.#path}: ${why}`, { cause }));
  }
}

/** One behind the other, acknowledged together. */
function follows({ first, checksums }: Run, receipt: Receipt): boolean {
  return (
    receipt.topic === first.topic &&
    receipt.partition === first.partition &&
    receipt.offset === (first.offset < 0 ? -1 : first.offset + checksums.length) &&
    receipt.leaderEpoch === first.leaderEpoch &&
    receipt.topicId === first.topicId &&
    receipt.onDisk === first.onDisk &&
    receipt.inSyncReplicas === first.inSyncReplicas
  );
}
