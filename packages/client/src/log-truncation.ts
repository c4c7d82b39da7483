// Records that a consumer had read are not in the log any more: an election chose a replica that did not have them (KIP-320), or the
// topic was deleted and another one made under its name. Never passed over in silence: thrown where `auto.offset.reset` is none, told to `onTruncation` where it is not.
import process from 'node:process';
import { TidemarkError } from '@tidemark/core';
import type { TopicPartition } from './leader-calls.ts';
import type { OffsetSpec } from './offset-lookup.ts';

export interface LogTruncation extends TopicPartition {
  /** Offset of the next record the application would have got. */
  readonly position: number;
  /** The leader epoch of what was read last. */
  readonly positionEpoch: number;
  /**
   * The first offset at which the log may differ from what was read; undefined when the leader knows no epoch as new as
   * `positionEpoch`, so that nobody can tell.
   */
  readonly divergentOffset: number | undefined;
  /** The leader epoch of what is below `divergentOffset`; undefined with it. */
  readonly divergentEpoch: number | undefined;
  /** The topic was deleted and made again: nothing of what was read is in this one, and none of it was read. */
  readonly isOtherTopic?: boolean | undefined;
}

/** Where a consumer went on after a truncation. */
export interface ResumedTruncation extends LogTruncation {
  /** `divergentOffset`, or what `auto.offset.reset` says when that is not known. */
  readonly resumedAt: OffsetSpec;
}

/** OFFSET_OUT_OF_RANGE, as Kafka's LogTruncationException is an OffsetOutOfRangeException. */
export class LogTruncationError extends TidemarkError implements LogTruncation {
  readonly topic: string;
  readonly partition: number;
  readonly position: number;
  readonly positionEpoch: number;
  readonly divergentOffset: number | undefined;
  readonly divergentEpoch: number | undefined;
  readonly isOtherTopic: boolean;

  constructor(truncation: LogTruncation) {
    const { divergentOffset } = truncation;
    const remedy =
      divergentOffset === undefined
        ? 'seek to a position to go on'
        : `seek to ${divergentOffset} to read what is there now`;
    super('OFFSET_OUT_OF_RANGE', `${describeTruncation(truncation)}; ${remedy}`);
    this.topic = truncation.topic;
    this.partition = truncation.partition;
    this.position = truncation.position;
    this.positionEpoch = truncation.positionEpoch;
    this.divergentOffset = divergentOffset;
    this.divergentEpoch = truncation.divergentEpoch;
    this.isOtherTopic = truncation.isOtherTopic ?? false;
  }
}

/** One sentence, without a remedy. */
export function describeTruncation(truncation: LogTruncation): string {
  const { topic, partition, position, positionEpoch, divergentOffset, isOtherTopic } = truncation;
  if (isOtherTopic === true) {
    return `${topic}-${partition}: the topic was deleted and made again, and the position ${position} is of the old one`;
  }
  return divergentOffset === undefined
    ? `${topic}-${partition}: the leader knows nothing of leader epoch ${positionEpoch}, under which it was read up to ${position}: records were lost by an election`
    : `${topic}-${partition}: the log was cut at ${divergentOffset}, below the position ${position} read under leader epoch ${positionEpoch}: records from ${divergentOffset} on were lost by an election`;
}

/** For who does not listen: `node:process` prints it, or hands it to `process.on('warning')`. */
export function warnOfTruncation(truncation: ResumedTruncation): void {
  const { resumedAt } = truncation;
  const where =
    typeof resumedAt === 'object' ? `the first record since ${resumedAt.timestampMs} ms` : `${resumedAt}`;
  const text = `${describeTruncation(truncation)}; reading goes on at ${where}`;
  process.emitWarning(text, 'LogTruncationWarning');
}
