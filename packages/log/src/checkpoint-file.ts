// Kafka's checkpoint files as text: a version line, a count line, one line an entry. Two kinds: an offset per partition
// (recovery point, log start, high watermark) and a start offset per leader epoch.
// Contract: parsing answers undefined for anything that is not exactly such a file, so that a damaged one is noticed.

import { decodeUtf8, encodeUtf8 } from '@tidemark/core';
import { parsePartitionName } from './partition-name.ts';

export interface EpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}

const VERSION = '0';

function encodeLines(lines: readonly string[]): Uint8Array {
  return encodeUtf8(`${[VERSION, String(lines.length), ...lines].join('\n')}\n`);
}

function decodeLines(bytes: Uint8Array): readonly (readonly string[])[] | undefined {
  const lines = decodeUtf8(bytes).split('\n');
  if (lines.at(-1) === '') lines.pop();
  const count = Number(lines[1]);
  if (lines[0] !== VERSION || !Number.isSafeInteger(count) || lines.length !== count + 2) return undefined;
  return lines.slice(2).map((line) => line.split(' '));
}

const NUMBER = /^(0|[1-9][0-9]*)$/;

function readNumber(text: string | undefined): number | undefined {
  if (text === undefined || !NUMBER.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Keys are `<topic>-<partition>`; the lines are Kafka's `topic partition offset`. */
export function encodeOffsetCheckpoint(offsets: ReadonlyMap<string, number>): Uint8Array {
  const lines: string[] = [];
  for (const [name, offset] of offsets) {
    const dash = name.lastIndexOf('-');
    lines.push(`${name.slice(0, dash)} ${name.slice(dash + 1)} ${offset}`);
  }
  return encodeLines(lines);
}

export function decodeOffsetCheckpoint(bytes: Uint8Array): Map<string, number> | undefined {
  const lines = decodeLines(bytes);
  if (lines === undefined) return undefined;
  const offsets = new Map<string, number>();
  for (const [topic, partition, text, ...rest] of lines) {
    const name = `${topic ?? ''}-${partition ?? ''}`;
    const offset = readNumber(text);
    if (offset === undefined || rest.length > 0 || parsePartitionName(name) === undefined) return undefined;
    offsets.set(name, offset);
  }
  return offsets;
}

export function encodeEpochCheckpoint(entries: readonly EpochEntry[]): Uint8Array {
  return encodeLines(entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`));
}

export function decodeEpochCheckpoint(bytes: Uint8Array): EpochEntry[] | undefined {
  const lines = decodeLines(bytes);
  if (lines === undefined) return undefined;
  const entries: EpochEntry[] = [];
  for (const [epochText, offsetText, ...rest] of lines) {
    const epoch = readNumber(epochText);
    const startOffset = readNumber(offsetText);
    if (epoch === undefined || startOffset === undefined || rest.length > 0) return undefined;
    entries.push({ epoch, startOffset });
  }
  return entries;
}
