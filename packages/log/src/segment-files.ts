// The names of the files in a partition's folder, as Kafka has them: the base offset in twenty digits and an extension.
// Contract: only names that `parseSegmentFile` knows are ever opened, changed or removed as parts of a segment.

export type SegmentFileKind = 'log' | 'index' | 'timeindex' | 'snapshot';

export const DELETED_SUFFIX = '.deleted';
/** A segment that the cleaner is writing; nothing stands on it yet. */
export const CLEANED_SUFFIX = '.cleaned';
/** A cleaned segment that is whole and takes the place of those it was made from. */
export const SWAP_SUFFIX = '.swap';
export const TEMPORARY_SUFFIX = '.tmp';
export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint';
export const PARTITION_METADATA_FILE = 'partition.metadata';

export function segmentFileName(baseOffset: number, kind: SegmentFileKind): string {
  return `${String(baseOffset).padStart(20, '0')}.${kind}`;
}

const SEGMENT_FILE = /^([0-9]{20})\.(log|index|timeindex|snapshot)$/;

export function parseSegmentFile(
  name: string,
): { readonly baseOffset: number; readonly kind: SegmentFileKind } | undefined {
  const match = SEGMENT_FILE.exec(name);
  if (match === null) return undefined;
  const baseOffset = Number(match[1]);
  if (!Number.isSafeInteger(baseOffset)) return undefined;
  return { baseOffset, kind: match[2] as SegmentFileKind };
}
