// What comes of an input, and what the runtime owes it.
//
// The contract: when there are `records`, they are replayed, each at the offset it will have, before the shard gets any other input, and
// appended in one batch, which may have those of other outputs too; `replies` go out when the high watermark has passed them. Without
// records replies go out at once. If the write fails, `revertTo` takes back what was replayed and `writeFailed` answers whoever waited;
// nothing that was not committed is ever told.

import { failure, type ErrorName } from '@tidemark/core';
import type { GroupRecord } from './group-record.ts';
import { NO_MEMBER_ID } from './group-ids.ts';
import type { GroupReply } from './group-request.ts';
import type { GroupSettings, GroupTime } from './group-settings.ts';

export interface GroupOutput {
  readonly records: readonly GroupRecord[];
  readonly replies: readonly GroupReply[];
  /** When `tick` is to be called, monotonic; Infinity means never. Earlier and needless calls do no harm. */
  readonly nextDeadlineMs: number;
}

/** Where the rules put what they decide; the time and the limits they decide by. */
export interface GroupContext {
  readonly time: GroupTime;
  readonly settings: GroupSettings;
  readonly records: GroupRecord[];
  readonly replies: GroupReply[];
}

const clientErrors: Partial<Record<ErrorName, ErrorName>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'COORDINATOR_NOT_AVAILABLE',
  NOT_ENOUGH_REPLICAS: 'COORDINATOR_NOT_AVAILABLE',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'COORDINATOR_NOT_AVAILABLE',
  REQUEST_TIMED_OUT: 'COORDINATOR_NOT_AVAILABLE',
  COORDINATOR_NOT_AVAILABLE: 'COORDINATOR_NOT_AVAILABLE',
  NOT_LEADER_OR_FOLLOWER: 'NOT_COORDINATOR',
  KAFKA_STORAGE_ERROR: 'NOT_COORDINATOR',
  FENCED_LEADER_EPOCH: 'NOT_COORDINATOR',
  NOT_COORDINATOR: 'NOT_COORDINATOR',
};

/** What a client is told when a write of its coordinator fails, as Kafka has it: look for the coordinator again, or give up. */
export function coordinatorError(error: ErrorName): ErrorName {
  return clientErrors[error] ?? 'UNKNOWN_SERVER_ERROR';
}

/** The replies of an output whose records were not committed, or not in time: then their outcome is unknown. */
export function failedReplies(
  replies: readonly GroupReply[],
  error: ErrorName,
  message?: string,
): readonly GroupReply[] {
  const failed = failure(coordinatorError(error), message);
  return replies.map((reply): GroupReply => {
    const { type, requestId } = reply;
    if (!reply.response.ok) return reply;
    if (type === 'join') return { type, requestId, response: { ...failed, memberId: NO_MEMBER_ID } };
    return { type, requestId, response: failed };
  });
}
