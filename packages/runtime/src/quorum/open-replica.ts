// What the disk has kept of a replica: hard state, image, and the log from the image on. Image and log are written apart, so this
// is also where the two are made to agree after a crash between them.

import { failure, TidemarkError, type Offset, type Term } from '@tidemark/core';
import type { MetadataImage } from '@tidemark/controller';
import type { PartitionLog } from '@tidemark/log';
import type { Entry, HardState, LogPosition, RaftLogState, VoterSet } from '@tidemark/raft';
import { MetadataState } from './metadata-state.ts';
import type { MetadataStore } from './metadata-store.ts';
import { readEntries } from './raft-quorum.ts';

export interface OpenedReplica {
  readonly hardState: HardState | undefined;
  readonly voters: VoterSet;
  readonly base: LogPosition;
  readonly image: MetadataImage;
  readonly log: Omit<RaftLogState, 'base'>;
}

const READ_BYTES = 4 * 1024 * 1024;

/** Rejects with TidemarkError when either cannot be read, or the log begins above the image: what lies between is lost. */
export async function openReplica(store: MetadataStore, log: PartitionLog): Promise<OpenedReplica> {
  const hardState = await store.loadHardState();
  const imageState = await store.loadImageState();
  const base = imageState.position;
  const image = await MetadataState.load(store, imageState);
  if (hardState === undefined && base.endOffset > 0) {
    throw TidemarkError.from(
      failure(
        'CORRUPT_MESSAGE',
        'The metadata store has an image but no term: it was tampered with, or half of it is lost.',
      ),
    );
  }
  if (log.logStartOffset > base.endOffset) {
    throw TidemarkError.from(
      failure(
        'KAFKA_STORAGE_ERROR',
        `The metadata log begins at offset ${log.logStartOffset} and the image ends at ${base.endOffset}: what lies between is lost. Empty the folder so that this node joins anew.`,
      ),
    );
  }
  if (!continues(log, base)) {
    // What is read after a process was killed may not be on the disk yet; the log must not begin above what is.
    await store.saveImage([], imageState, true);
    await log.truncateFullyAndStartAt(base.endOffset);
  }
  return { hardState, voters: imageState.voters, base, image, log: await readLog(log, base) };
}

/** Whether the log holds the image's last entry. If not, a snapshot was stored and the log not yet begun anew. */
function continues(log: PartitionLog, { endOffset, term }: LogPosition): boolean {
  if (log.nextOffset < endOffset) return false;
  if (endOffset === 0 || log.logStartOffset >= endOffset) return true;
  return (log.epochAt((endOffset - 1) as Offset) as number | undefined) === term;
}

async function readLog(log: PartitionLog, base: LogPosition): Promise<Omit<RaftLogState, 'base'>> {
  const end = log.nextOffset;
  const entries: Entry[] = [];
  for (let at = base.endOffset; at < end;) {
    const read = await readEntries(log, at, end, READ_BYTES);
    if (!read.ok) throw TidemarkError.from(read);
    const first = read.entries[0];
    const last = read.entries.at(-1);
    if (first === undefined || last === undefined || first.baseOffset > at) {
      throw TidemarkError.from(failure('CORRUPT_MESSAGE', `The metadata log has no batch at offset ${at}.`));
    }
    entries.push(...read.entries);
    at = last.endOffset;
  }
  const termStarts = log.leaderEpochs.map(({ epoch, startOffset }) => ({
    term: epoch as Term,
    startOffset: startOffset as Offset,
  }));
  return { logStartOffset: log.logStartOffset, termStarts, entries };
}
