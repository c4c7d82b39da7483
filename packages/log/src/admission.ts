// Whether a log takes appends at the moment, and why not. Contract: while the disk is full exactly one append at a time is let
// through as a probe; its success opens the log again, its failure keeps it closed.

import { failure, type Failure } from '@tidemark/core';
import { closedLog, DISK_FULL_MESSAGE, type LogContext } from './log-context.ts';

type DiskState = 'roomy' | 'cutting' | 'full' | 'probing';

export class Admission {
  readonly #context: LogContext;
  readonly #name: string;
  #disk: DiskState = 'roomy';
  isClosed = false;
  /** Cuts that are under way or wait for their turn. */
  cuts = 0;

  constructor(context: LogContext, name: string) {
    this.#context = context;
    this.#name = name;
  }

  /** From when a cut is asked for: whoever looks at the end of the log meanwhile would see one that does not stay. */
  get isTruncating(): boolean {
    return this.cuts > 0;
  }

  /** Asked before anything of an append is done. */
  refusal(sizeBytes: number, pendingBytes: number, isUrgent: boolean): Failure | undefined {
    const { offline, limits } = this.#context;
    if (offline !== undefined) return offline;
    if (this.isClosed) return closedLog(this.#name);
    if (this.isTruncating) {
      return failure('REPLICA_NOT_AVAILABLE', `The log ${this.#name} is being truncated.`);
    }
    if (this.#disk !== 'roomy' && this.#disk !== 'full') {
      return failure('KAFKA_STORAGE_ERROR', DISK_FULL_MESSAGE);
    }
    if (isUrgent) return undefined;
    const waiting = pendingBytes > 0 && pendingBytes + sizeBytes > limits.maxPartitionPendingBytes;
    if (waiting) return this.#tooMuch(pendingBytes, limits.maxPartitionPendingBytes, 'partition');
    const { pendingBytes: inFolder } = this.#context;
    if (inFolder > 0 && inFolder + sizeBytes > limits.maxFolderPendingBytes) {
      return this.#tooMuch(inFolder, limits.maxFolderPendingBytes, 'log folder');
    }
    return undefined;
  }

  /** An append was queued. */
  admitted(): void {
    if (this.#disk === 'full') this.#disk = 'probing';
  }

  wrote(): void {
    this.#disk = 'roomy';
  }

  /** From the failed write until its remains are cut off. Answers whether there was room before. */
  cutting(): boolean {
    const isNews = this.#disk === 'roomy';
    this.#disk = 'cutting';
    return isNews;
  }

  full(): void {
    this.#disk = 'full';
  }

  #tooMuch(pending: number, limit: number, what: string): Failure {
    return failure(
      'THROTTLING_QUOTA_EXCEEDED',
      `${pending} bytes wait to be written to the ${what} already and the limit is ${limit}; retry a little later.`,
    );
  }
}
