// The marker that a folder was closed with everything on disk (KIP-966 needs to tell that stop from every other). Contract: taken
// away durably before anything is appended, so that it never stands for a run that it did not end.

import { decodeUtf8, encodeUtf8, type BrokerEpoch, type Disk } from '@tidemark/core';
import { readWholeFile, replaceFile } from './atomic-file.ts';

const MARKER_FILE = '.clean-shutdown';
const VERSION = 1;

export interface CleanShutdown {
  readonly version: number;
  /** The epoch of the incarnation that stopped; -1 when it had none. */
  readonly brokerEpoch: BrokerEpoch;
}

/** Undefined: there is no marker, or none that can be read. The marker is gone for good when this resolves. */
export async function takeCleanShutdown(disk: Disk, directory: string): Promise<CleanShutdown | undefined> {
  const path = `${directory}/${MARKER_FILE}`;
  const bytes = await readWholeFile(disk, path, 4096);
  if (bytes === undefined) return undefined;
  await disk.removeFile(path);
  await disk.syncDirectory(directory);
  return parse(decodeUtf8(bytes));
}

export async function writeCleanShutdown(
  disk: Disk,
  directory: string,
  brokerEpoch: BrokerEpoch,
): Promise<void> {
  const marker: CleanShutdown = { version: VERSION, brokerEpoch };
  await replaceFile(disk, directory, MARKER_FILE, encodeUtf8(`${JSON.stringify(marker)}\n`));
}

function parse(text: string): CleanShutdown | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // A marker that is not JSON was not written by a clean stop.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { version, brokerEpoch } = value as Partial<CleanShutdown>;
  if (version !== VERSION || typeof brokerEpoch !== 'number' || !Number.isSafeInteger(brokerEpoch)) {
    return undefined;
  }
  return { version, brokerEpoch };
}
