// `tidemark verify`: a receipts file against what the partitions hold now. Exit code 0 when nothing that was acknowledged is lost, moved
// or changed, 1 when something is or the partitions cannot be read, 2 when the file cannot be.
import { createReadStream } from 'node:fs';
import type { CommandContext } from '../command-context.ts';
import { exitCodes, usageFailure, type ExitCode } from '../exit.ts';
import { ProgressLine } from '../output/progress-line.ts';
import { ClusterLogReader } from '../receipts/cluster-log-reader.ts';
import { FindingPrinter } from '../receipts/finding-printer.ts';
import { ReceiptVerifier } from '../receipts/receipt-verifier.ts';
import { ReceiptWindows } from '../receipts/receipt-windows.ts';

export interface VerifyOptions {
  readonly receipts: string;
  readonly search: number;
}

const FILE_CHUNK_BYTES = 256 * 1_024;

/** An error of the file and not of the cluster. */
async function* chunksOf(path: string): AsyncGenerator<Buffer, void, undefined> {
  const input = createReadStream(path, { highWaterMark: FILE_CHUNK_BYTES });
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw usageFailure(
      `the receipts cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      'write them with `tidemark produce TOPIC --receipts FILE`',
    );
  } finally {
    input.destroy();
  }
}

export async function verify(
  context: CommandContext,
  _args: readonly string[],
  options: VerifyOptions,
): Promise<ExitCode | undefined> {
  const { stderr, stdout } = context.io;
  const progress = new ProgressLine(
    { isTerminal: stderr.isTTY === true, write: (text) => void stderr.write(text) },
    { forced: context.progress, nowMs: performance.now() },
  );
  const printer = new FindingPrinter(stdout, context.output ?? 'table');
  const windows = new ReceiptWindows();
  const reader = new ClusterLogReader(context);
  let read = 0;
  const verifier = new ReceiptVerifier({
    reader,
    searchOffsets: options.search,
    onFinding: async (finding) => {
      progress.clear();
      await printer.finding(finding);
    },
    onRead: (records) => {
      read += records;
      progress.update('read', read, 0, performance.now());
    },
  });
  try {
    for await (const window of windows.read(chunksOf(options.receipts))) await verifier.verify(window);
  } finally {
    progress.clear();
    await reader.close();
  }
  const { receipts, records } = verifier.result;
  const ok = records.lost === 0 && records.moved === 0 && records.changed === 0;
  await printer.summary({ ok, tornLastLine: windows.isTorn, receipts, records });
  return ok ? undefined : exitCodes.failure;
}
