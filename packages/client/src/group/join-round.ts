// One round of a rebalance as a member goes through it: join, with the member id the coordinator wants (KIP-394), compute everybody's
// assignment if it leads, and sync. Rejects with the first error that is not for waiting; what follows of it the membership decides.
import { TidemarkError, MAX_TIMER_MS } from '@tidemark/core';
import { CONSUMER_PROTOCOL_TYPE } from '@tidemark/group';
import { errorFromDetail, groupService } from '@tidemark/rpc';
import type { JoinGroupResponseOutput } from '@tidemark/rpc';
import type { GroupSettings } from '../consumer-settings.ts';
import type { TopicPartition } from '../leader-calls.ts';
import { unlessAborted } from '../pause.ts';
import {
  assignedPartitions,
  computeAssignments,
  joinProtocols,
  subscriptionsOf,
  topicsOf,
} from './assignment.ts';
import type { Ownership } from './assignment.ts';
import type { CoordinatorCalls } from './coordinator-calls.ts';
import { standingAssignment } from './standing-assignment.ts';
import type { Subscription } from './subscription.ts';

export interface JoinRoundOptions {
  readonly settings: GroupSettings;
  readonly calls: CoordinatorCalls;
  readonly subscription: Subscription;
  /** The one it has at the moment; empty: none. */
  readonly memberId: () => string;
  readonly ownership: Ownership;
  /** The coordinator has given it one. */
  readonly onMemberId: (memberId: string) => void;
}

/** What a parked request may take beyond the rebalance time-out, as in Kafka. */
const PARKED_EXTRA_MS = 5000;

export class JoinRound {
  readonly #options: JoinRoundOptions;
  readonly #parkedMs: number;

  constructor(options: JoinRoundOptions) {
    this.#options = options;
    const { maxPollIntervalMs, requestTimeoutMs } = options.settings;
    this.#parkedMs = Math.min(MAX_TIMER_MS, Math.max(requestTimeoutMs, maxPollIntervalMs + PARKED_EXTRA_MS));
  }

  async join(reason: string, signal: AbortSignal): Promise<JoinGroupResponseOutput> {
    const { settings, calls, subscription, memberId, ownership, onMemberId } = this.#options;
    const { groupId, instanceId, clientId, sessionTimeoutMs, maxPollIntervalMs, assignors } = settings;
    const topics = subscription.tell();
    const protocols = joinProtocols(assignors, topics, ownership);
    const request = () => ({
      groupId,
      memberId: memberId(),
      groupInstanceId: instanceId ?? '',
      clientId,
      sessionTimeoutMs,
      rebalanceTimeoutMs: maxPollIntervalMs,
      protocolType: CONSUMER_PROTOCOL_TYPE,
      protocols: protocols.map(({ name, metadata }) => ({ name, metadata })),
      reason,
    });
    for (;;) {
      const answer = await calls.call(groupService.JoinGroup, request, { timeoutMs: this.#parkedMs, signal });
      const error = errorFromDetail(answer.error);
      if (error === undefined) return answer;
      if (error.error !== 'MEMBER_ID_REQUIRED') throw error;
      if (answer.memberId === '')
        throw new TidemarkError('UNKNOWN_SERVER_ERROR', `${groupId}: an id is required, none is given`);
      onMemberId(answer.memberId);
    }
  }

  /** What this member has from now on. */
  async sync(joined: JoinGroupResponseOutput, signal: AbortSignal): Promise<readonly TopicPartition[]> {
    const { settings, calls } = this.#options;
    const { memberId, generationId, protocolType, protocolName } = joined;
    const leads = joined.leader === memberId;
    if (!leads) this.#options.subscription.follow();
    const assignments = leads ? await this.#lead(joined, signal) : [];
    const request = {
      groupId: settings.groupId,
      generationId,
      memberId,
      groupInstanceId: settings.instanceId ?? '',
      protocolType,
      protocolName,
      assignments,
    };
    const answer = await calls.call(groupService.SyncGroup, () => request, {
      timeoutMs: this.#parkedMs,
      signal,
    });
    const error = errorFromDetail(answer.error);
    if (error !== undefined) throw error;
    return assignedPartitions(answer.assignment);
  }

  async #lead(joined: JoinGroupResponseOutput, signal: AbortSignal) {
    const { settings, calls, subscription } = this.#options;
    const members = subscriptionsOf(joined.members);
    const { generationId, skipAssignment } = joined;
    // It came back as a static member: the assignment stands; it only watches the topics (KIP-814).
    const standing = skipAssignment
      ? await standingAssignment(calls, settings.groupId, generationId, { signal })
      : undefined;
    const counts = await unlessAborted(subscription.lead(topicsOf(members), standing), signal);
    return skipAssignment ? [] : computeAssignments(joined.protocolName, members, counts);
  }
}
