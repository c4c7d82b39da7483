// What a group coordinator has written and not seen committed, in the order of its offsets: first what gathers for the next batch, then
// what is in the log and waits for the high watermark. Records of many groups go out as one batch, as a producer's with acks=all would.
//
// Contract: the records of one output are in one batch. Where they will be is known when they are gathered, because nobody else appends;
// an append that is refused, or a log that was cut, takes back everything from there on. Replies are given out once.

import { failure, invariant, type Failure, type LeaderEpoch, type TimestampMs } from '@tidemark/core';
import {
  encodeGroupRecord,
  type EncodedGroupRecord,
  type GroupOutput,
  type GroupRecord,
  type GroupReply,
} from '@tidemark/group';
import { BatchBuilder, validateBatches, type Codecs } from '@tidemark/record';
import type { Appended, Partition } from '../partition.ts';

/** What a record takes in a batch besides its key and value, at most. */
const FRAME_BYTES = 36;
const HEADER_BYTES = 61;
const NO_REPLIES: readonly GroupReply[] = [];

/** The records of one output, ready to be gathered. */
export interface EncodedRecords {
  readonly ok: true;
  readonly records: readonly EncodedGroupRecord[];
  readonly timestampMs: TimestampMs;
  /** At most. */
  readonly sizeBytes: number;
}

interface Write {
  readonly output: GroupOutput;
  readonly endOffset: number;
  readonly sizeBytes: number;
  readonly replyDeadlineMs: number;
  /** Those that nobody got yet. */
  replies: readonly GroupReply[];
}

export class GroupWrites {
  readonly #partition: Partition;
  readonly #leaderEpoch: LeaderEpoch;
  readonly #codecs: Codecs;
  /** In the log. */
  #appended: Write[] = [];
  /** Of the next batch. */
  #gathered: Write[] = [];
  #records: EncodedRecords[] = [];
  #gatheredBytes = 0;
  #uncommittedBytes = 0;
  #logEndOffset: number;
  #endOffset: number;

  constructor(partition: Partition, leaderEpoch: LeaderEpoch, codecs: Codecs, endOffset: number) {
    this.#partition = partition;
    this.#leaderEpoch = leaderEpoch;
    this.#codecs = codecs;
    this.#logEndOffset = endOffset;
    this.#endOffset = endOffset;
  }

  /** Where the log ends if nobody but this coordinator appends. */
  get logEndOffset(): number {
    return this.#logEndOffset;
  }

  /** With what is gathered. */
  get endOffset(): number {
    return this.#endOffset;
  }

  get uncommittedBytes(): number {
    return this.#uncommittedBytes;
  }

  get hasGathered(): boolean {
    return this.#gathered.length > 0;
  }

  /** A batch is in the log and not committed. */
  get isOnItsWay(): boolean {
    return this.#appended.length > 0;
  }

  /** Or why they cannot be written now, or ever. */
  encode(records: readonly GroupRecord[], timestampMs: TimestampMs): EncodedRecords | Failure {
    const refused = this.#refusal();
    if (refused !== undefined) return refused;
    const { maxBatchBytes } = this.#partition.settings;
    const encoded: EncodedGroupRecord[] = [];
    let sizeBytes = 0;
    for (const record of records) {
      const { key, value } = encodeGroupRecord(record);
      encoded.push({ key, value });
      sizeBytes += FRAME_BYTES + key.length + (value?.length ?? 0);
      // Before more of it is built: the frames take less than what is counted for them, so this is no close call.
      if (HEADER_BYTES + sizeBytes > maxBatchBytes + FRAME_BYTES * encoded.length)
        return this.#tooLarge(record);
    }
    const result: EncodedRecords = { ok: true, records: encoded, timestampMs, sizeBytes };
    if (HEADER_BYTES + sizeBytes <= maxBatchBytes) return result;
    return builderOf([result], sizeBytes).sizeBytes <= maxBatchBytes ? result : this.#tooLarge(records[0]!);
  }

  /** Whether they go into the next batch; if not, that one is to be appended first. */
  fits({ sizeBytes }: EncodedRecords): boolean {
    const { maxBatchBytes } = this.#partition.settings;
    return !this.hasGathered || HEADER_BYTES + this.#gatheredBytes + sizeBytes <= maxBatchBytes;
  }

  /** Answers the offset of its first record. */
  gather(encoded: EncodedRecords, output: GroupOutput, replyDeadlineMs: number): number {
    const { records, sizeBytes } = encoded;
    const baseOffset = this.#endOffset;
    this.#endOffset += records.length;
    this.#records.push(encoded);
    this.#gatheredBytes += sizeBytes;
    this.#uncommittedBytes += sizeBytes;
    const { replies } = output;
    this.#gathered.push({ output, endOffset: this.#endOffset, sizeBytes, replyDeadlineMs, replies });
    return baseOffset;
  }

  /** What was gathered, as one batch. A refusal changes nothing: the caller cuts off at `logEndOffset`. */
  append(): Appended | Failure {
    const refused = this.#refusal();
    if (refused !== undefined) return refused;
    const { maxBatchBytes } = this.#partition.settings;
    const bytes = builderOf(this.#records, this.#gatheredBytes).build();
    const valid = validateBatches(bytes, {
      maxBatchBytes,
      maxInflatedBytes: maxBatchBytes,
      codecs: this.#codecs,
      requireKeys: true,
    });
    if (!valid.ok) return valid;
    const appended = this.#partition.append(bytes, valid.batches);
    if (!appended.ok) return appended;
    // The log was looked at before the input, and nothing has run in between.
    invariant(
      appended.baseOffset === this.#logEndOffset && appended.lastOffset + 1 === this.#endOffset,
      'a group’s records go to where its coordinator expects them',
    );
    this.#logEndOffset = this.#endOffset;
    this.#appended.push(...this.#gathered);
    this.#forgetGathered();
    return appended;
  }

  /** Everything at `endOffset` and above was never written. Answers the outputs it was of, with the replies that nobody got. */
  cut(endOffset: number): readonly GroupOutput[] {
    const at = this.#appended.findIndex((write) => write.endOffset > endOffset);
    const cut = [...(at < 0 ? [] : this.#appended.splice(at)), ...this.#gathered];
    for (const { sizeBytes } of cut) this.#uncommittedBytes -= sizeBytes;
    this.#forgetGathered();
    this.#logEndOffset = endOffset;
    this.#endOffset = endOffset;
    return cut.map(({ output, replies }) => ({ ...output, replies }));
  }

  /** The replies to what the high watermark has passed. */
  committed(highWatermark: number): readonly GroupReply[] {
    let count = 0;
    const replies: GroupReply[] = [];
    for (const write of this.#appended) {
      if (write.endOffset > highWatermark) break;
      count += 1;
      this.#uncommittedBytes -= write.sizeBytes;
      replies.push(...write.replies);
    }
    if (count > 0) this.#appended.splice(0, count);
    return replies;
  }

  /** The replies whose time is over, and when it is for the next. */
  late(nowMs: number): { readonly replies: readonly GroupReply[]; readonly nextDeadlineMs: number } {
    const late: GroupReply[] = [];
    for (const write of this.#all()) {
      if (write.replies.length === 0) continue;
      if (write.replyDeadlineMs > nowMs) return { replies: late, nextDeadlineMs: write.replyDeadlineMs };
      late.push(...write.replies);
      write.replies = NO_REPLIES;
    }
    return { replies: late, nextDeadlineMs: Infinity };
  }

  /** The replies to what is in the log already: nobody knows what becomes of it. */
  inDoubt(): readonly GroupReply[] {
    const replies = this.#appended.flatMap((write) => write.replies);
    for (const write of this.#appended) write.replies = NO_REPLIES;
    return replies;
  }

  /** Every reply there is; afterwards nothing waits here. */
  abandon(): readonly GroupReply[] {
    const replies = [...this.#all()].flatMap((write) => write.replies);
    this.#appended = [];
    this.#forgetGathered();
    this.#uncommittedBytes = 0;
    return replies;
  }

  *#all(): Iterable<Write> {
    yield* this.#appended;
    yield* this.#gathered;
  }

  #forgetGathered(): void {
    this.#gathered = [];
    this.#records = [];
    this.#gatheredBytes = 0;
  }

  #refusal(): Failure | undefined {
    return this.#partition.checkLeader(this.#leaderEpoch) ?? this.#partition.checkAppend('all');
  }

  #tooLarge({ groupId }: GroupRecord): Failure {
    const { topic, settings } = this.#partition;
    const message = `what group ${groupId} stores at once is more than max.message.bytes (${settings.maxBatchBytes}) of ${topic} allows`;
    return failure('MESSAGE_TOO_LARGE', message);
  }
}

function builderOf(gathered: readonly EncodedRecords[], sizeBytes: number): BatchBuilder {
  const builder = new BatchBuilder({ capacityBytes: HEADER_BYTES + sizeBytes });
  for (const { records, timestampMs } of gathered) {
    for (const { key, value } of records) builder.append(timestampMs, key, value);
  }
  return builder;
}

/** What an append may answer that is no word for a client of a group, in one that is. */
export function groupWriteError({ error }: Failure): Failure['error'] {
  // The log is cut, full, or has too much to write already: a moment later it may be different.
  const isPassing = error === 'THROTTLING_QUOTA_EXCEEDED' || error === 'REPLICA_NOT_AVAILABLE';
  return isPassing || error === 'LEADER_NOT_AVAILABLE' ? 'COORDINATOR_NOT_AVAILABLE' : error;
}
