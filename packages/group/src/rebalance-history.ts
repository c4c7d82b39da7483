// Why a group rebalanced, the last few times: what `explain` tells an operator. In memory only; a new coordinator begins with none.

import type { TimestampMs } from '@tidemark/core';
import type { Generation, MemberId } from './group-ids.ts';

export type RebalanceCause =
  | { readonly type: 'memberJoined'; readonly memberId: MemberId; readonly clientReason: string | undefined }
  | {
      readonly type: 'memberRejoined';
      readonly memberId: MemberId;
      readonly clientReason: string | undefined;
    }
  | {
      readonly type: 'leaderRejoined';
      readonly memberId: MemberId;
      readonly clientReason: string | undefined;
    }
  | { readonly type: 'memberLeft'; readonly memberId: MemberId; readonly clientReason: string | undefined }
  | { readonly type: 'sessionExpired'; readonly memberId: MemberId }
  /** It came back as another incarnation, and the group could not go on as it was. */
  | { readonly type: 'staticMemberReplaced'; readonly memberId: MemberId }
  /** Members that did not ask for their assignment in time. */
  | { readonly type: 'syncTimedOut'; readonly members: readonly MemberId[] }
  | { readonly type: 'assignmentNotStored'; readonly detail: string };

export interface RememberedRebalance {
  readonly timestampMs: TimestampMs;
  /** The one that ended. */
  readonly generation: Generation;
  readonly cause: RebalanceCause;
}

const MAX_REASON_LENGTH = 256;

export class RebalanceHistory {
  #entries: readonly RememberedRebalance[] = [];

  /** Oldest first. */
  get entries(): readonly RememberedRebalance[] {
    return this.#entries;
  }

  add(entry: RememberedRebalance, maxEntries: number): void {
    const { cause } = entry;
    const kept =
      'clientReason' in cause && cause.clientReason !== undefined
        ? { ...entry, cause: { ...cause, clientReason: cause.clientReason.slice(0, MAX_REASON_LENGTH) } }
        : entry;
    this.#entries = [...this.#entries, kept].slice(-maxEntries);
  }
}
