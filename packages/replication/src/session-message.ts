// What a follower broker and a leader broker say to each other about all partitions the one follows and the other leads: a session
// in which only changes are told. Both directions are numbered, so that whoever misses a message knows, and the session is opened
// anew.
//
// A slot is one statement of one partition's position. It never means anything else: to go on from another position, after a
// truncation or in a new epoch, the follower takes a new slot, and what still comes for the old one is recognized as late.

import type { BrokerEpoch, LeaderEpoch, Offset, PartitionIndex, TopicId } from '@tidemark/core';
import type { Diverging, FetchPosition, OutOfRange, Refused } from './fetch-decision.ts';

/** Ordered: of a broker, the session with the larger broker epoch, then the larger number, is the later one. */
export interface SessionId {
  /** Of the follower's incarnation. */
  readonly brokerEpoch: BrokerEpoch;
  readonly number: number;
}

export interface Subscription extends FetchPosition {
  readonly slot: number;
  readonly topicId: TopicId;
  readonly partition: PartitionIndex;
  readonly leaderEpoch: LeaderEpoch;
  readonly acknowledgeableEnd: Offset;
  /** Of the follower's log: nothing below it will be there again. */
  readonly logStartOffset: Offset;
}

/** The follower holds everything below for good. */
export interface SlotAcknowledgement {
  readonly slot: number;
  readonly endOffset: Offset;
}

/** The follower has nothing below any more, for good. */
export interface SlotLogStart {
  readonly slot: number;
  readonly logStartOffset: Offset;
}

export interface FollowerMessage {
  readonly type: 'follower';
  readonly session: SessionId;
  /** 0 opens the session. */
  readonly sequence: number;
  /** How many bytes of batches the leader may have sent in this session, in all. */
  readonly creditBytes: number;
  /** Taken note of in this order. */
  readonly unsubscribed: readonly number[];
  readonly subscribed: readonly Subscription[];
  readonly acknowledged: readonly SlotAcknowledgement[];
  readonly logStarts: readonly SlotLogStart[];
}

export interface SlotBatches {
  readonly type: 'batches';
  readonly baseOffset: Offset;
  readonly highWatermark: Offset;
  readonly logStartOffset: Offset;
  /** Whole batches. */
  readonly bytes: Uint8Array;
}

export interface SlotProgress {
  readonly type: 'progress';
  readonly highWatermark: Offset;
  readonly logStartOffset: Offset;
}

/** After one of these the slot is gone on both sides. */
export type SlotEnd = Diverging | OutOfRange | Refused;

export type SlotAnswer = SlotBatches | SlotProgress | SlotEnd;

export interface LeaderMessage {
  readonly type: 'leader';
  readonly session: SessionId;
  readonly sequence: number;
  readonly answers: readonly { readonly slot: number; readonly answer: SlotAnswer }[];
}

/** The leader has no such session, any more or yet, or has missed a message of it. */
export interface ResetMessage {
  readonly type: 'reset';
  readonly session: SessionId;
}

export type SessionMessage = FollowerMessage | LeaderMessage | ResetMessage;

/** Most subscriptions, acknowledgements or answers without batches in one message; the rest goes with the next. */
export const MAX_MESSAGE_ENTRIES = 4096;

/** Positive when `one` is the later session of the same broker. */
export function compareSessions(one: SessionId, other: SessionId): number {
  return one.brokerEpoch - other.brokerEpoch || one.number - other.number;
}
