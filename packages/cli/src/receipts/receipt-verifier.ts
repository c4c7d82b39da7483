// Compares receipts with what the partitions hold now. Each window of receipts is taken partition by partition in the order of their
// offsets, so that a partition is read forwards and about once; what is not where it should be is then looked for nearby. Nothing is
// kept from one window to the next but the counts.
import { TidemarkError } from '@tidemark/core';
import { MAX_RECORDS_PER_LINE } from './receipt-line.ts';
import type { NumberedReceipt } from './receipt-windows.ts';

/** A partition as the verifier reads it. */
export interface LogReader {
  /** The topic as it is now; undefined when there is none of this name. */
  topic(name: string): Promise<{ readonly topicId: string; readonly partitions: number } | undefined>;
  /** The offset of the first record there still is, and the one behind the last that is committed. */
  bounds(topic: string, partition: number): Promise<LogBounds>;
  /**
   * The records from `fromOffset` to before `toOffset`, in order, in pieces. A record that cannot be read has the checksum -1. May throw
   * OFFSET_OUT_OF_RANGE when the start of the log passed `fromOffset` meanwhile.
   */
  read(topic: string, partition: number, fromOffset: number, toOffset: number): AsyncIterable<ReadRecords>;
}

export interface LogBounds {
  readonly startOffset: number;
  readonly endOffset: number;
}

export interface ReadRecords {
  readonly offsets: readonly number[];
  readonly checksums: readonly number[];
}

export type Verdict =
  /** There, with the content that was acknowledged. */
  | 'ok'
  /** Nowhere near: beyond the end of the log, or a hole in it. */
  | 'lost'
  /** The offset holds something else, or nothing; the content is at another offset nearby. */
  | 'moved'
  /** The offset holds other content. */
  | 'changed'
  /** Below the start of the log: deleted by retention or on demand, so nobody can tell. */
  | 'expired'
  /** The receipt does not say where. */
  | 'unplaced';

export const VERDICTS: readonly Verdict[] = ['ok', 'lost', 'moved', 'changed', 'expired', 'unplaced'];

/** Records of one receipt, one behind the other, that share their fate. */
export interface Finding {
  readonly verdict: Exclude<Verdict, 'ok'>;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly count: number;
  /** Under which it was acknowledged. */
  readonly leaderEpoch: number;
  readonly inSyncReplicas: readonly number[];
  readonly onDisk: boolean;
  /** Of the receipts file. */
  readonly line: number;
  /** Where the first of them is now; with `moved`. */
  readonly movedTo?: number;
  readonly detail: string;
}

export interface VerifierOptions {
  readonly reader: LogReader;
  /** How far from its offset a record is looked for, either way, in offsets. */
  readonly searchOffsets: number;
  readonly onFinding: (finding: Finding) => Promise<void>;
  readonly onRead?: ((records: number) => void) | undefined;
}

export interface Verification {
  /** Lines. */
  readonly receipts: number;
  readonly records: Readonly<Record<Verdict, number>>;
}

/** Offsets between two receipts that are read through; over more the reader goes to the next. */
const READ_THROUGH = 2_000;
/** Offsets of receipts that are looked for in one go. */
const SEARCH_TOGETHER = 20_000;
/** How often the start of a log may move on while it is read. */
const TRIES = 5;

/** What is at the place of a record; 0 stands for nothing. */
const FOUND = 1;
const OTHER = 2;
const UNREADABLE = 3;

interface Check {
  readonly receipt: NumberedReceipt;
  /** Of each record: FOUND, OTHER, UNREADABLE or 0. */
  readonly states: Uint8Array;
  /** Of each record that was found elsewhere: where. */
  readonly movedTo: Map<number, number>;
}

export class ReceiptVerifier {
  readonly #options: VerifierOptions;
  readonly #counts: Record<Verdict, number> = {
    ok: 0,
    lost: 0,
    moved: 0,
    changed: 0,
    expired: 0,
    unplaced: 0,
  };
  #receipts = 0;

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  get result(): Verification {
    return { receipts: this.#receipts, records: { ...this.#counts } };
  }

  async verify(window: readonly NumberedReceipt[]): Promise<void> {
    this.#receipts += window.length;
    const byPartition = new Map<string, NumberedReceipt[]>();
    for (const receipt of window) {
      if (receipt.baseOffset < 0) {
        await this.#tell(receipt, 'unplaced', 0, receipt.count, 'the leader had it and did not say where');
        continue;
      }
      const name = `${receipt.topicId}/${receipt.topic}-${receipt.partition}`;
      const known = byPartition.get(name);
      if (known === undefined) byPartition.set(name, [receipt]);
      else known.push(receipt);
    }
    for (const receipts of byPartition.values()) await this.#verifyPartition(receipts);
  }

  async #verifyPartition(receipts: readonly NumberedReceipt[]): Promise<void> {
    const { topic, topicId, partition } = receipts[0]!;
    const found = await this.#options.reader.topic(topic);
    const gone =
      found === undefined
        ? 'the topic does not exist'
        : topicId !== '' && found.topicId !== topicId
          ? `the topic was deleted; another one of this name (${found.topicId}) was created`
          : partition >= found.partitions
            ? `the topic has ${found.partitions} partitions`
            : undefined;
    if (gone !== undefined) {
      for (const receipt of receipts) await this.#tell(receipt, 'lost', 0, receipt.count, gone);
      return;
    }
    const sorted = receipts.toSorted((a, b) => a.baseOffset - b.baseOffset || a.line - b.line);
    for (let tries = 1; ; tries++) {
      const bounds = await this.#options.reader.bounds(topic, partition);
      const checks = sorted.map((receipt): Check => {
        return { receipt, states: new Uint8Array(receipt.count), movedTo: new Map() };
      });
      try {
        await this.#compare(checks, bounds);
        await this.#search(checks, bounds);
      } catch (error) {
        // Retention went on meanwhile: what is below the new start has expired, which another look says.
        if (tries < TRIES && error instanceof TidemarkError && error.error === 'OFFSET_OUT_OF_RANGE')
          continue;
        throw error;
      }
      for (const check of checks) await this.#judge(check, bounds);
      return;
    }
  }

  /** Reads what the receipts cover, once. They are in the order of their offsets, and may overlap. */
  async #compare(checks: readonly Check[], { startOffset, endOffset }: LogBounds): Promise<void> {
    for (const span of spansOf(checks, READ_THROUGH)) {
      const from = Math.max(span.from, startOffset);
      const to = Math.min(span.to, endOffset);
      if (from >= to) continue;
      const { topic, partition } = span.checks[0]!.receipt;
      let active: Check[] = [];
      let next = 0;
      for await (const { offsets, checksums } of this.#options.reader.read(topic, partition, from, to)) {
        for (let index = 0; index < offsets.length; index++) {
          const offset = offsets[index]!;
          while (next < span.checks.length && span.checks[next]!.receipt.baseOffset <= offset) {
            active.push(span.checks[next++]!);
          }
          if (active.some((check) => endOf(check) <= offset)) {
            active = active.filter((check) => endOf(check) > offset);
          }
          for (const { receipt, states } of active) {
            const at = offset - receipt.baseOffset;
            if (receipt.checksums[at] === checksums[index]) states[at] = FOUND;
            else states[at] = checksums[index]! < 0 ? UNREADABLE : OTHER;
          }
        }
        this.#options.onRead?.(offsets.length);
      }
    }
  }

  /** Looks around for the content of what is not in its place, those close to each other together. */
  async #search(checks: readonly Check[], { startOffset, endOffset }: LogBounds): Promise<void> {
    const { searchOffsets, reader } = this.#options;
    const isDamaged = ({ receipt, states }: Check): boolean =>
      states.some((state, at) => state !== FOUND && receipt.baseOffset + at >= startOffset);
    for (const span of spansOf(checks.filter(isDamaged), 2 * searchOffsets, SEARCH_TOGETHER)) {
      const from = Math.max(startOffset, span.from - searchOffsets);
      const to = Math.min(endOffset, span.to + searchOffsets);
      if (from >= to) continue;
      const { topic, partition } = span.checks[0]!.receipt;
      // An offset that holds what a receipt says it holds is not where the content of another one went.
      const taken = new Set<number>();
      for (let index = firstReaching(checks, from); index < checks.length; index++) {
        const { receipt, states } = checks[index]!;
        if (receipt.baseOffset >= to) break;
        states.forEach((state, at) => {
          if (state === FOUND) taken.add(receipt.baseOffset + at);
        });
      }
      const places = new Map<number, number[]>();
      for await (const { offsets, checksums } of reader.read(topic, partition, from, to)) {
        for (let index = 0; index < offsets.length; index++) {
          const offset = offsets[index]!;
          const checksum = checksums[index]!;
          if (checksum < 0 || taken.has(offset)) continue;
          const known = places.get(checksum);
          if (known === undefined) places.set(checksum, [offset]);
          else known.push(offset);
        }
      }
      for (const { receipt, states, movedTo } of span.checks) {
        states.forEach((state, at) => {
          const offset = receipt.baseOffset + at;
          if (state === FOUND || offset < startOffset) return;
          const near = places
            .get(receipt.checksums[at]!)
            ?.filter((place) => Math.abs(place - offset) <= searchOffsets)
            .sort((a, b) => Math.abs(a - offset) - Math.abs(b - offset))[0];
          if (near !== undefined) movedTo.set(at, near);
        });
      }
    }
  }

  async #judge({ receipt, states, movedTo }: Check, { startOffset, endOffset }: LogBounds): Promise<void> {
    const verdictAt = (at: number): Verdict => {
      if (states[at] === FOUND) return 'ok';
      if (receipt.baseOffset + at < startOffset) return 'expired';
      if (movedTo.has(at)) return 'moved';
      return states[at] === 0 ? 'lost' : 'changed';
    };
    for (let at = 0; at < receipt.count;) {
      const verdict = verdictAt(at);
      const offset = receipt.baseOffset + at;
      const isBeyond = offset >= endOffset;
      const target = movedTo.get(at);
      let end = at + 1;
      while (
        end < receipt.count &&
        verdictAt(end) === verdict &&
        (verdict !== 'changed' || states[end] === states[at]) &&
        receipt.baseOffset + end >= endOffset === isBeyond &&
        (verdict !== 'moved' || movedTo.get(end) === target! + end - at)
      ) {
        end += 1;
      }
      if (verdict === 'ok') this.#counts.ok += end - at;
      else {
        const detail = {
          lost: isBeyond ? `the log ends at ${endOffset}` : 'the log has a hole there',
          moved: `it is at ${target ?? -1} now`,
          changed: states[at] === OTHER ? 'something else is there' : 'it is damaged and cannot be read',
          expired: `the log starts at ${startOffset}`,
          unplaced: '',
        }[verdict];
        await this.#tell(receipt, verdict, at, end - at, detail, target);
      }
      at = end;
    }
  }

  async #tell(
    receipt: NumberedReceipt,
    verdict: Exclude<Verdict, 'ok'>,
    at: number,
    count: number,
    detail: string,
    movedTo?: number,
  ): Promise<void> {
    this.#counts[verdict] += count;
    const { topic, partition, baseOffset, leaderEpoch, inSyncReplicas, onDisk, line } = receipt;
    await this.#options.onFinding({
      verdict,
      topic,
      partition,
      offset: baseOffset < 0 ? -1 : baseOffset + at,
      count,
      leaderEpoch,
      inSyncReplicas,
      onDisk,
      line,
      ...(verdict === 'moved' && movedTo !== undefined ? { movedTo } : {}),
      detail,
    });
  }
}

interface Span {
  readonly from: number;
  to: number;
  readonly checks: Check[];
}

function endOf({ receipt }: Check): number {
  return receipt.baseOffset + receipt.count;
}

/** Index of the first that may reach `offset`. They are in the order of their base offsets. */
function firstReaching(checks: readonly Check[], offset: number): number {
  let low = 0;
  let high = checks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (checks[middle]!.receipt.baseOffset + MAX_RECORDS_PER_LINE > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Those with at most `gap` offsets between them together, up to `maxOffsets` of them. */
function spansOf(checks: readonly Check[], gap: number, maxOffsets = Infinity): readonly Span[] {
  const spans: Span[] = [];
  for (const check of checks) {
    const last = spans.at(-1);
    const from = check.receipt.baseOffset;
    if (last !== undefined && from <= last.to + gap && endOf(check) - last.from <= maxOffsets) {
      last.to = Math.max(last.to, endOf(check));
      last.checks.push(check);
    } else spans.push({ from, to: endOf(check), checks: [check] });
  }
  return spans;
}
