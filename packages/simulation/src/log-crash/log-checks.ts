// Whether what a log holds after a crash is what it may hold. Rules, by number:
//
//   P1  everything promised to be on the disk is there     P2  with identical bytes at its offset
//   P3  nothing is there that was not appended             P4  in the order of the appends
//   P5  offsets are dense
//
// P4 follows from P2 and P3: the model's offsets are in the order of the appends.

import { batchBaseOffset, batchCrcIsValid, batchLastOffset, batchSizeBytes } from '@tidemark/record';
import { type Expectation, type ModelBatch } from './log-model.ts';

/** A log as a reader finds it. */
export interface LogView {
  readonly startOffset: number;
  readonly endOffset: number;
  /** All batches from the one that holds the start offset on, end to end. */
  readonly bytes: Uint8Array;
}

export interface FoundBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly bytes: Uint8Array;
}

export function foundBatches(bytes: Uint8Array): FoundBatch[] {
  const found: FoundBatch[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + batchSizeBytes(bytes, at);
    const baseOffset = batchBaseOffset(bytes, at);
    found.push({ baseOffset, lastOffset: batchLastOffset(bytes, at), bytes: bytes.subarray(at, end) });
    at = end;
  }
  return found;
}

/** What is wrong, in sentences; nothing when the log is as it must be. */
export function logFaults(view: LogView, expected: Expectation): string[] {
  const faults: string[] = [];
  const { startOffset, endOffset } = view;
  const found = foundBatches(view.bytes);
  if (startOffset < expected.startAtLeast || startOffset > expected.startAtMost) {
    faults.push(`the log starts at ${startOffset}, not in ${expected.startAtLeast}..${expected.startAtMost}`);
  }
  const promised = Math.max(startOffset, expected.durableEnd);
  if (endOffset < promised) faults.push(`P1 lost-write: ends at ${endOffset}, promised up to ${promised}`);
  const highest = Math.max(startOffset, expected.highestEnd);
  if (endOffset > highest) faults.push(`P3 phantom: ends at ${endOffset}, appended up to ${highest}`);
  faults.push(...densityFaults(found, startOffset, endOffset));
  const allowed = new Map<number, ModelBatch[]>();
  for (const batch of [...expected.leaving, ...expected.batches]) {
    const known = allowed.get(batch.baseOffset);
    if (known === undefined) allowed.set(batch.baseOffset, [batch]);
    else known.push(batch);
  }
  for (const batch of found) {
    if (!batchCrcIsValid(batch.bytes, 0)) faults.push(`P2: the batch at ${batch.baseOffset} fails its CRC`);
    const candidates = allowed.get(batch.baseOffset) ?? [];
    if (!candidates.some((candidate) => Buffer.compare(candidate.stored, batch.bytes) === 0)) {
      const rule = candidates.length === 0 ? 'P3 phantom' : 'P2 inconsistent-offsets';
      faults.push(`${rule}: ${batch.baseOffset}..${batch.lastOffset} is not what was appended there`);
    }
  }
  const present = new Map(found.map((batch) => [batch.baseOffset, batch]));
  for (const batch of expected.batches) {
    if (batch.lastOffset < startOffset || batch.baseOffset >= expected.durableEnd) continue;
    const there = present.get(batch.baseOffset);
    if (there === undefined)
      faults.push(`P1 lost-write: ${batch.baseOffset}..${batch.lastOffset} is missing`);
    else if (Buffer.compare(there.bytes, batch.stored) !== 0) {
      faults.push(`P2: ${batch.baseOffset}..${batch.lastOffset} has other bytes`);
    }
  }
  return faults;
}

function densityFaults(found: readonly FoundBatch[], startOffset: number, endOffset: number): string[] {
  const faults: string[] = [];
  let next = found[0]?.baseOffset ?? endOffset;
  if (next > startOffset)
    faults.push(`P5: the first batch begins at ${next}, above the start ${startOffset}`);
  for (const batch of found) {
    if (batch.baseOffset !== next) faults.push(`P5: ${batch.baseOffset} follows where ${next} should`);
    next = batch.lastOffset + 1;
  }
  if (next !== endOffset) faults.push(`P5: the last batch ends at ${next}, the log at ${endOffset}`);
  return faults;
}
