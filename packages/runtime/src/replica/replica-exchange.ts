// All fetch sessions of one broker: with each broker it follows, and with each that follows it, over one channel between the nodes.
// Contract: one session for each pair of brokers and direction, whatever number of partitions they share.

import {
  MAX_TIMER_MS,
  TidemarkError,
  type BrokerEpoch,
  type BrokerId,
  type Clock,
  type NodeId,
} from '@tidemark/core';
import { decodeSessionMessage } from '@tidemark/replication';
import type { PeerChannel } from '../peer-router.ts';
import { FollowerEnd } from './follower-end.ts';
import { LeaderEnd, type EndOptions, type LeaderLookup } from './leader-end.ts';
import type { ReplicationSettings } from './replica-context.ts';
import type { ReplicationQuota } from './replication-quota.ts';

export interface ReplicaExchangeOptions {
  readonly brokerEpoch: BrokerEpoch;
  readonly clock: Clock;
  readonly channel: PeerChannel;
  readonly settings: ReplicationSettings;
  readonly find: LeaderLookup;
  /** Of what goes to throttled followers. */
  readonly quota: ReplicationQuota;
  readonly onError: (cause: unknown, doing: string) => void;
}

export class ReplicaExchange {
  readonly #options: ReplicaExchangeOptions;
  /** By the broker that is followed, and by the one that follows. */
  readonly #followerEnds = new Map<BrokerId, FollowerEnd>();
  readonly #leaderEnds = new Map<BrokerId, LeaderEnd>();
  #unreadable = 0;
  #isClosed = false;

  constructor(options: ReplicaExchangeOptions) {
    this.#options = options;
    options.channel.onMessage(({ from, payload }) => this.#receive(from as number as BrokerId, payload));
  }

  /** Messages of other brokers that could not be read. */
  get unreadable(): number {
    return this.#unreadable;
  }

  followerEnd(leader: BrokerId): FollowerEnd {
    let end = this.#followerEnds.get(leader);
    if (end === undefined) {
      const { brokerEpoch } = this.#options;
      end = new FollowerEnd({ ...this.#endOptions(leader), brokerEpoch });
      this.#followerEnds.set(leader, end);
    }
    return end;
  }

  /** This broker may lead what it did not before: what came too early is judged now. */
  rolesChanged(): void {
    for (const end of this.#leaderEnds.values()) end.rolesChanged();
  }

  close(): void {
    this.#isClosed = true;
    for (const end of this.#followerEnds.values()) end.close();
    for (const end of this.#leaderEnds.values()) end.close();
  }

  #receive(from: BrokerId, payload: Uint8Array): void {
    if (this.#isClosed) return;
    const decoded = decodeSessionMessage(payload);
    if (!decoded.ok) {
      this.#unreadable += 1;
      this.#options.onError(TidemarkError.from(decoded), `reading what broker ${from} sent`);
      return;
    }
    const { message } = decoded;
    if (message.type === 'follower') this.#leaderEnd(from).receive(message);
    else this.#followerEnds.get(from)?.receive(message);
  }

  #leaderEnd(follower: BrokerId): LeaderEnd {
    let end = this.#leaderEnds.get(follower);
    if (end === undefined) {
      const { find, quota } = this.#options;
      end = new LeaderEnd({ ...this.#endOptions(follower), find, quota });
      this.#leaderEnds.set(follower, end);
    }
    return end;
  }

  #endOptions(peer: BrokerId): EndOptions {
    const { clock, channel, settings, onError } = this.#options;
    return {
      peer,
      settings,
      clock: {
        monotonicMs: () => clock.monotonicMs(),
        setTimer: (delayMs, callback) => clock.setTimer(Math.min(delayMs, MAX_TIMER_MS), callback),
      },
      send: (message) => channel.sendPrefixed(peer as number as NodeId, message, 'bulk'),
      onError,
    };
  }
}
