// A consumer as the model has it, under the eager protocol: joins, syncs, sends heartbeats, commits. It repeats what is not answered in time,
// and does what Kafka's consumer does with each error.

import { invariant, type ErrorName } from '@tidemark/core';
import {
  assignorMembers,
  decodeAssignment,
  encodeAssignment,
  encodeSubscription,
  stickyAssignor,
  type Generation,
  type GroupId,
  type GroupReply,
  type GroupRequest,
  type InstanceId,
  type JoinedMember,
  type MemberId,
  type RequestId,
  type TopicPartition,
} from '@tidemark/group';
import type { SeededPrng } from './seeded-prng.ts';

export const PARTITION_COUNT = 6;
const counts = new Map([['t', PARTITION_COUNT]]);
const NO_ID = 0 as RequestId;
const LOST_MEMBERSHIP: readonly ErrorName[] = ['UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID'];
const REJOIN: readonly ErrorName[] = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION'];

export interface ClientWorld {
  readonly prng: SeededPrng;
  readonly groupId: GroupId;
  /** `token` comes back with the reply; the request gets its id when it arrives. */
  readonly send: (client: ModelClient, request: GroupRequest, token: number) => void;
  readonly nextOffset: () => number;
}

type Phase = 'join' | 'sync' | 'stable';

export class ModelClient {
  readonly name: string;
  readonly instanceId: InstanceId | undefined;
  phase: Phase = 'join';
  generation = -1 as Generation;
  assignment: readonly TopicPartition[] = [];
  #memberId = '' as MemberId;
  #toAssign: readonly JoinedMember[] = [];
  #token = 0;
  #isWaiting = false;
  #sentAtMs = 0;
  #incarnation = 0;
  #downUntilMs = 0;
  readonly #world: ClientWorld;

  constructor(name: string, isStatic: boolean, world: ClientWorld) {
    this.name = name;
    this.instanceId = isStatic ? (`i-${name}` as InstanceId) : undefined;
    this.#world = world;
  }

  get isDown(): boolean {
    return this.#downUntilMs === Infinity;
  }

  /** Everything in memory is gone; Infinity: for good. */
  crash(untilMs: number): void {
    this.#downUntilMs = untilMs;
    this.#incarnation++;
    this.#rejoin('' as MemberId);
  }

  leave(): void {
    const { groupId } = this.#world;
    const members = [{ memberId: this.#memberId, instanceId: this.instanceId, reason: undefined }];
    this.#world.send(this, { type: 'leave', requestId: NO_ID, groupId, members }, -1);
    this.#rejoin('' as MemberId);
  }

  act(nowMs: number): void {
    if (nowMs < this.#downUntilMs) return;
    const waitMs = this.phase === 'join' ? 12_000 : 2_500;
    if (this.#isWaiting && nowMs - this.#sentAtMs < waitMs) return;
    if (this.phase === 'stable') {
      if (!this.#isWaiting && nowMs - this.#sentAtMs < 1_000) return;
      if (this.#world.prng.chance(50)) this.#commit();
    }
    this.#token++;
    this.#isWaiting = true;
    this.#sentAtMs = nowMs;
    this.#world.send(this, this.#request(), this.#token);
  }

  #identity(): {
    readonly requestId: RequestId;
    readonly groupId: GroupId;
    readonly memberId: MemberId;
    readonly instanceId: InstanceId | undefined;
    readonly generation: Generation;
  } {
    const { groupId } = this.#world;
    return {
      requestId: NO_ID,
      groupId,
      memberId: this.#memberId,
      instanceId: this.instanceId,
      generation: this.generation,
    };
  }

  #request(): GroupRequest {
    switch (this.phase) {
      case 'join': {
        const metadata = encodeSubscription({
          topics: ['t'],
          userData: undefined,
          ownedPartitions: [],
          generation: this.generation,
          rack: undefined,
        });
        return {
          ...this.#identity(),
          type: 'join',
          newMemberId: '' as MemberId,
          clientId: this.name,
          clientHost: '/h',
          sessionTimeoutMs: 6_000,
          rebalanceTimeoutMs: 4_000,
          protocolType: 'consumer',
          protocols: [{ name: 'sticky', metadata }],
          reason: undefined,
        };
      }
      case 'sync': {
        const assignments = this.#assignments();
        return {
          ...this.#identity(),
          type: 'sync',
          protocolType: undefined,
          protocol: undefined,
          assignments,
        };
      }
      case 'stable':
        return { ...this.#identity(), type: 'heartbeat' };
    }
  }

  #assignments(): ReadonlyMap<MemberId, Uint8Array> {
    const decoded = assignorMembers(this.#toAssign);
    invariant(decoded.ok, 'a subscription cannot be read');
    const assigned = stickyAssignor.assign(counts, decoded.members);
    return new Map(
      [...assigned].map(([memberId, partitions]) => [
        memberId,
        encodeAssignment({ partitions, userData: undefined }),
      ]),
    );
  }

  #commit(): void {
    if (this.assignment.length === 0) return;
    const { partition } = this.#world.prng.pick(this.assignment);
    const offset = this.#world.nextOffset();
    const offsets = [{ topic: 't', partition, offset, leaderEpoch: 0, metadata: '' }];
    this.#world.send(this, { ...this.#identity(), type: 'commitOffsets', offsets }, -1);
  }

  /** What was sent by an earlier incarnation, or given up, is not listened to. */
  received(reply: GroupReply, token: number, incarnation: number): void {
    if (token !== this.#token || incarnation !== this.#incarnation || !this.#isWaiting) return;
    this.#isWaiting = false;
    const { response } = reply;
    if (!response.ok) {
      this.#failed(response.error, 'memberId' in response ? response.memberId : undefined);
      return;
    }
    if (reply.type === 'join' && reply.response.ok) {
      const { memberId, generation, members, skipAssignment } = reply.response;
      this.#memberId = memberId;
      this.generation = generation;
      this.#toAssign = skipAssignment ? [] : members;
      this.phase = 'sync';
    } else if (reply.type === 'sync' && reply.response.ok) {
      const decoded = decodeAssignment(reply.response.assignment);
      invariant(decoded.ok, 'an assignment cannot be read');
      this.assignment = decoded.assignment.partitions;
      this.phase = 'stable';
    }
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  #failed(error: ErrorName, memberId: MemberId | undefined): void {
    if (error === 'MEMBER_ID_REQUIRED') this.#memberId = memberId!;
    // A consumer that is fenced ends; here somebody starts it again.
    else if (LOST_MEMBERSHIP.includes(error)) this.#rejoin('' as MemberId);
    else if (REJOIN.includes(error)) this.#rejoin(this.#memberId);
    // The coordinator moves, or cannot write: the same again, or from the start.
    else if (this.phase === 'sync' && this.#world.prng.chance(50)) this.#rejoin(this.#memberId);
  }

  #rejoin(memberId: MemberId): void {
    this.#memberId = memberId;
    this.phase = 'join';
    this.assignment = [];
    this.#toAssign = [];
    this.#isWaiting = false;
    this.#token++;
  }
}
