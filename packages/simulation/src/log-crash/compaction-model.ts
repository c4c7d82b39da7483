// What a compacted log must hold, seen from outside: what was appended at which offset, and how far the log has promised it. Rules:
//
//   C1  what is there is what was appended at that offset, and offsets increase
//   C2  of everything below the end that was found, each key's last record is there; a tombstone may be gone, together with all that
//       it hides, once `delete.retention.ms` has passed since it was appended
//   C3  the end is at or above what was promised, and not above what was appended

export interface ModelRecord {
  readonly offset: number;
  readonly key: string;
  /** Null: a tombstone. */
  readonly value: string | null;
  readonly appendedMs: number;
}

export interface CompactionExpectation {
  readonly records: readonly ModelRecord[];
  /** Cut off, or being cut off: may be there until that is done. */
  readonly leaving: readonly ModelRecord[];
  readonly durableEnd: number;
  readonly highestEnd: number;
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
}

export interface FoundRecord {
  readonly offset: number;
  readonly key: string;
  readonly value: string | null;
}

export function compactionFaults(
  found: readonly FoundRecord[],
  endOffset: number,
  expected: CompactionExpectation,
): string[] {
  const faults: string[] = [];
  if (endOffset < expected.durableEnd) {
    faults.push(`C3 lost: ends at ${endOffset}, promised up to ${expected.durableEnd}`);
  }
  if (endOffset > expected.highestEnd) faults.push(`C3: ends at ${endOffset}, above ${expected.highestEnd}`);
  const history = [...expected.records, ...expected.leaving];
  const known = new Set(history.map(identity));
  let before = -1;
  for (const record of found) {
    if (record.offset <= before) faults.push(`C1: ${record.offset} comes after ${before}`);
    before = record.offset;
    if (!known.has(identity(record))) faults.push(`C1: ${identity(record)} was not appended`);
  }
  // While a cut is under way either history may be the one that is there.
  const complete = [expected.records, ...(expected.leaving.length > 0 ? [history] : [])].map((records) =>
    lastRecordFaults(found, endOffset, records, expected),
  );
  faults.push(...(complete.find((each) => each.length === 0) ?? complete[0]!));
  return faults;
}

function lastRecordFaults(
  found: readonly FoundRecord[],
  endOffset: number,
  records: readonly ModelRecord[],
  expected: CompactionExpectation,
): string[] {
  const faults: string[] = [];
  const last = new Map<string, ModelRecord>();
  for (const record of records) if (record.offset < endOffset) last.set(record.key, record);
  const there = new Map(found.map((record) => [record.key, record]));
  for (const record of last.values()) {
    const newest = there.get(record.key);
    if (newest?.offset === record.offset) continue;
    const mayBeGone =
      record.value === null && expected.nowMs >= record.appendedMs + expected.deleteRetentionMs;
    if (mayBeGone && newest === undefined) continue;
    const instead = newest === undefined ? 'nothing' : identity(newest);
    faults.push(`C2: the last record of its key, ${identity(record)}, is gone; there is ${instead}`);
  }
  return faults;
}

function identity({ offset, key, value }: FoundRecord): string {
  return `${offset} ${key}=${value ?? '(tombstone)'}`;
}
