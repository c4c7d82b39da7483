// The node's folder: whose it is, locked, recovered.

import { DiskError, type BrokerConfig, type Clock, type Disk, type Prng } from '@tidemark/core';
import { LogFolder } from '@tidemark/log';
import type { Codecs } from '@tidemark/record';
import { METADATA_LOG_NAME } from '@tidemark/runtime';
import type { Logger } from 'pino';
import type { FailureSignal } from './failure-signal.ts';
import { checkMetaProperties, type ExpectedMeta, type MetaProperties } from './meta-properties.ts';
import { StartupError } from './startup-error.ts';

export interface FolderOptions {
  readonly config: BrokerConfig;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly log: Logger;
  readonly failure: FailureSignal;
}

/** The folder, as the Disk's root sees it. */
/** The store in `log.dirs`, beside the logs. */
export const METADATA_STORE_NAME = 'metadata';
const ROOT = '.';
const PROGRESS_EVERY_MS = 1_000;

export interface FoundFolder {
  readonly meta: MetaProperties;
  /** Nothing but its identity is left of what this node had promised and stored. */
  readonly isEmptied: boolean;
}

/** Looks before anything is locked or changed. `undefined` for a folder that is new. */
export async function checkFolder(disk: Disk, expected: ExpectedMeta): Promise<FoundFolder | undefined> {
  if ((await disk.stat(ROOT)) === undefined) return undefined;
  const meta = await checkMetaProperties(disk, expected);
  const names = (await disk.list(ROOT)).filter(({ kind }) => kind === 'directory').map(({ name }) => name);
  const partitions = names.filter((name) => /-\d+$/.test(name));
  if (partitions.length > 0 && !names.includes(METADATA_LOG_NAME)) {
    throw new StartupError(
      `the folder ${expected.folder} holds partitions (${partitions[0]!} and ${partitions.length - 1} more) but no ${METADATA_LOG_NAME}, so nothing says what they are`,
      `restore ${METADATA_LOG_NAME} from a backup, or point log.dirs at another folder`,
    );
  }
  if (meta === undefined) return undefined;
  return { meta, isEmptied: !names.includes(METADATA_LOG_NAME) && !names.includes(METADATA_STORE_NAME) };
}

export function openFolder(
  { config, clock, prng, log, failure }: FolderOptions,
  disk: Disk,
  codecs: Codecs,
  onFailed: () => void,
  onDiskFull: () => void,
): Promise<LogFolder> {
  return LogFolder.open({
    disk,
    clock,
    prng,
    codecs,
    directory: ROOT,
    tailBytes: config.get('log.tail.bytes'),
    cleaner: {
      dedupeBufferBytes: config.get('log.cleaner.dedupe.buffer.size'),
      ioBytesPerSecond: config.get('log.cleaner.io.max.bytes.per.second'),
      maxInflatedBytes: config.get('max.inflated.batch.bytes'),
    },
    onOffline: (cause) => {
      onFailed();
      failure.raise(cause, 'the log folder failed and takes no more writes; the process ends');
    },
    onDiskFull,
    onWarning: (message, cause) => log.warn({ err: cause }, message),
    onProgress: recoveryProgress(clock, log),
  });
}

/** A long recovery says now and then how far it is; a short one says nothing. */
function recoveryProgress(clock: Clock, log: Logger): (name: string, scannedBytes: number) => void {
  let saidAtMs = clock.monotonicMs();
  return (partition, scannedBytes) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - saidAtMs < PROGRESS_EVERY_MS) return;
    saidAtMs = nowMs;
    log.info({ partition, scannedBytes }, 'checking the ends of logs');
  };
}

/** Turns the disk's refusals into why the node does not start. */
export async function diskErrors<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    const elsewhere = 'or point log.dirs at another folder';
    if (cause.code === 'ELOCKED') {
      throw new StartupError(
        `the folder ${folder} is in use by another process`,
        `stop that process, ${elsewhere}`,
        { cause },
      );
    }
    const mayNot = cause.code === 'EACCES' || cause.code === 'EROFS';
    throw new StartupError(
      `the folder ${folder} cannot be ${mayNot ? 'written' : 'used'} (${cause.message})`,
      `${mayNot ? 'give this user the right to' : 'see to the disk'}, ${elsewhere}`,
      { cause },
    );
  }
}
