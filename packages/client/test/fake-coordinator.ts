// A group coordinator for tests: the state machine of `group` over a log in memory, behind the messages of the wire. Writes are committed at
// once. It may move to another broker, be loading, refuse or lose requests; `requests` is everything it was asked.
import { invariant } from '@tidemark/core';
import type { Clock, ErrorName, Failure, PartitionIndex, Timer } from '@tidemark/core';
import { errorTable } from '@tidemark/core';
import { decodeGroupRecord, defaultGroupSettings, encodeGroupRecord, GroupShard } from '@tidemark/group';
import type {
  EncodedGroupRecord,
  Generation,
  GroupId,
  GroupOutput,
  GroupReply,
  GroupRequest,
  GroupSettings,
  GroupTime,
  InstanceId,
  MemberId,
  Outcome,
  RequestId,
} from '@tidemark/group';
import type {
  CommitOffsetsRequestOutput,
  DeleteGroupsRequestOutput,
  DeleteOffsetsRequestOutput,
  DescribeGroupsRequestOutput,
  FetchOffsetsRequestOutput,
  FindCoordinatorRequestOutput,
  HeartbeatRequestOutput,
  JoinGroupRequestOutput,
  LeaveGroupRequestOutput,
  ListGroupsRequestOutput,
  SyncGroupRequestOutput,
} from '@tidemark/rpc';

export const detailOf = (name: ErrorName, message: string = errorTable[name].message) => ({
  name,
  message,
  code: errorTable[name].code,
  retriable: errorTable[name].retriable,
});

const detail = (failed: Failure) => detailOf(failed.error, failed.message);
const outcome = (result: Outcome) => (result.ok ? null : detail(result));
const orUndefined = (text: string): string | undefined => (text === '' ? undefined : text);
const instanceOf = (text: string): InstanceId | undefined => orUndefined(text) as InstanceId | undefined;

export interface Asked {
  readonly method: string;
  readonly request: unknown;
}

const causes = {
  memberJoined: 'REBALANCE_CAUSE_MEMBER_JOINED',
  memberRejoined: 'REBALANCE_CAUSE_MEMBER_REJOINED',
  leaderRejoined: 'REBALANCE_CAUSE_LEADER_REJOINED',
  memberLeft: 'REBALANCE_CAUSE_MEMBER_LEFT',
  sessionExpired: 'REBALANCE_CAUSE_SESSION_EXPIRED',
  staticMemberReplaced: 'REBALANCE_CAUSE_STATIC_MEMBER_REPLACED',
  syncTimedOut: 'REBALANCE_CAUSE_SYNC_TIMED_OUT',
  assignmentNotStored: 'REBALANCE_CAUSE_ASSIGNMENT_NOT_STORED',
} as const;

export class FakeCoordinator {
  readonly requests: Asked[] = [];
  /** The broker that coordinates every group. */
  brokerId = 1;
  /** What FindCoordinator answers; by default where it is. */
  locate: () => { readonly nodeId: number; readonly host: string; readonly port: number };
  /** Asked before each request but FindCoordinator: an error to answer in its place, or never to answer. */
  onRequest: (asked: Asked) => ErrorName | 'lose' | undefined = () => undefined;
  readonly #clock: Clock;
  readonly #settings: GroupSettings;
  readonly #log: EncodedGroupRecord[] = [];
  readonly #waiting = new Map<number, (reply: GroupReply) => void>();
  #shard: GroupShard;
  #timer: Timer | undefined;
  #nextRequestId = 1;
  #nextMember = 1;

  constructor(clock: Clock, settings: Partial<GroupSettings> = {}) {
    this.#clock = clock;
    this.#settings = { ...defaultGroupSettings, initialRebalanceDelayMs: 0, ...settings };
    this.locate = () => ({ nodeId: this.brokerId, host: '127.0.0.1', port: 1 });
    this.#shard = this.#open();
  }

  /** Another broker takes over with what is in the log. */
  move(brokerId: number): void {
    this.#take(this.#shard.resign(this.#time()));
    this.brokerId = brokerId;
    this.#shard = this.#open();
  }

  /** Time has passed without anybody asking. */
  tick(): void {
    this.#take(this.#shard.tick(this.#time()));
  }

  /** What groups have read of it is forgotten. */
  topicDeleted(topic: string): void {
    this.#take(this.#shard.topicDeleted(topic, this.#time()));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  describe(groupId: string) {
    const described = this.#shard.describe(groupId as GroupId);
    return described.ok ? described.group : undefined;
  }

  committed(groupId: string, topic: string, partition: number): number | undefined {
    const place = { topic, partition: partition as PartitionIndex };
    const found = this.#shard.fetchOffsets(groupId as GroupId, [place]);
    return found.ok ? found.offsets[0]!.committed?.offset : undefined;
  }

  count(method: string): number {
    return this.requests.filter((asked) => asked.method === method).length;
  }

  /** By the name of the method; `brokerId`: who is asked. */
  async serve(method: string, request: unknown, brokerId = this.brokerId): Promise<unknown> {
    this.requests.push({ method, request });
    if (method === 'FindCoordinator') return this.#find(request as FindCoordinatorRequestOutput);
    const fault = this.onRequest({ method, request });
    if (fault === 'lose') return new Promise(() => undefined);
    const refused = fault ?? (brokerId === this.brokerId ? undefined : 'NOT_COORDINATOR');
    if (refused !== undefined) return this.#refuse(method, request, refused);
    switch (method) {
      case 'JoinGroup':
        return this.#join(request as JoinGroupRequestOutput);
      case 'SyncGroup':
        return this.#sync(request as SyncGroupRequestOutput);
      case 'Heartbeat':
        return this.#heartbeat(request as HeartbeatRequestOutput);
      case 'LeaveGroup':
        return this.#leave(request as LeaveGroupRequestOutput);
      case 'CommitOffsets':
        return this.#commit(request as CommitOffsetsRequestOutput);
      case 'DeleteOffsets':
        return this.#deleteOffsets(request as DeleteOffsetsRequestOutput);
      case 'FetchOffsets':
        return this.#fetch(request as FetchOffsetsRequestOutput);
      case 'ListGroups':
        return this.#list(request as ListGroupsRequestOutput);
      case 'DescribeGroups':
        return this.#describe(request as DescribeGroupsRequestOutput);
      case 'DeleteGroups':
        return this.#delete(request as DeleteGroupsRequestOutput);
      default:
        throw new Error(`a coordinator is not asked for ${method}`);
    }
  }

  #refuse(method: string, request: unknown, error: ErrorName) {
    const groupIds = (request as { readonly groupIds?: readonly string[] }).groupIds ?? [];
    const each = groupIds.map((groupId) => ({ groupId, error: detailOf(error) }));
    if (method === 'DescribeGroups') return { groups: each };
    if (method === 'DeleteGroups') return { results: each };
    return { error: detailOf(error) };
  }

  #find({ groupIds }: FindCoordinatorRequestOutput) {
    const fault = this.onRequest({ method: 'FindCoordinator', request: { groupIds } });
    if (fault !== undefined && fault !== 'lose') {
      return { coordinators: groupIds.map((groupId) => ({ groupId, error: detailOf(fault) })) };
    }
    return { coordinators: groupIds.map((groupId) => ({ groupId, ...this.locate() })) };
  }

  async #join(asked: JoinGroupRequestOutput) {
    const { response } = await this.#ask('join', {
      type: 'join',
      groupId: asked.groupId as GroupId,
      memberId: asked.memberId as MemberId,
      newMemberId: `${asked.clientId === '' ? 'member' : asked.clientId}-${this.#nextMember++}` as MemberId,
      instanceId: instanceOf(asked.groupInstanceId),
      clientId: asked.clientId,
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: asked.sessionTimeoutMs,
      rebalanceTimeoutMs: asked.rebalanceTimeoutMs,
      protocolType: asked.protocolType,
      protocols: asked.protocols,
      reason: orUndefined(asked.reason),
    });
    if (!response.ok) return { error: detail(response), memberId: response.memberId };
    const { memberId, generation, protocolType, protocol, leader, members, skipAssignment } = response;
    return {
      memberId,
      generationId: generation,
      protocolType,
      protocolName: protocol,
      leader,
      members: members.map((each) => ({
        memberId: each.memberId,
        groupInstanceId: each.instanceId ?? '',
        metadata: Buffer.from(each.metadata),
      })),
      skipAssignment,
    };
  }

  async #sync(asked: SyncGroupRequestOutput) {
    const { response } = await this.#ask('sync', {
      type: 'sync',
      ...member(asked),
      protocolType: orUndefined(asked.protocolType),
      protocol: orUndefined(asked.protocolName),
      assignments: new Map(
        asked.assignments.map(({ memberId, assignment }) => [memberId as MemberId, assignment]),
      ),
    });
    if (!response.ok) return { error: detail(response) };
    const { protocolType, protocol, assignment } = response;
    return { protocolType, protocolName: protocol, assignment: Buffer.from(assignment) };
  }

  async #heartbeat(asked: HeartbeatRequestOutput) {
    const { response } = await this.#ask('heartbeat', { type: 'heartbeat', ...member(asked) });
    return { error: outcome(response) };
  }

  async #leave(asked: LeaveGroupRequestOutput) {
    const { response } = await this.#ask('leave', {
      type: 'leave',
      groupId: asked.groupId as GroupId,
      members: asked.members.map((each) => ({
        memberId: each.memberId as MemberId,
        instanceId: instanceOf(each.groupInstanceId),
        reason: orUndefined(each.reason),
      })),
    });
    if (!response.ok) return { error: detail(response) };
    return {
      members: response.members.map((each) => ({
        memberId: each.memberId,
        groupInstanceId: each.instanceId ?? '',
        error: outcome(each.outcome),
      })),
    };
  }

  async #commit(asked: CommitOffsetsRequestOutput) {
    const { response } = await this.#ask('commitOffsets', {
      type: 'commitOffsets',
      ...member(asked),
      offsets: asked.offsets.map(({ topic, partition, offset, leaderEpoch, metadata }) => ({
        topic,
        partition: partition as PartitionIndex,
        offset,
        leaderEpoch: leaderEpoch ?? -1,
        metadata,
      })),
    });
    if (!response.ok) return { error: detail(response) };
    return { results: response.partitions.map((each) => ({ ...each, error: outcome(each.outcome) })) };
  }

  async #deleteOffsets(asked: DeleteOffsetsRequestOutput) {
    const { response } = await this.#ask('deleteOffsets', {
      type: 'deleteOffsets',
      groupId: asked.groupId as GroupId,
      partitions: asked.partitions as { topic: string; partition: PartitionIndex }[],
    });
    if (!response.ok) return { error: detail(response) };
    return { results: response.partitions.map((each) => ({ ...each, error: outcome(each.outcome) })) };
  }

  #fetch({ groupId, partitions, allPartitions }: FetchOffsetsRequestOutput) {
    const places = partitions as { topic: string; partition: PartitionIndex }[];
    const found = this.#shard.fetchOffsets(groupId as GroupId, allPartitions ? undefined : places);
    if (!found.ok) return { error: detail(found) };
    return {
      offsets: found.offsets.map(({ topic, partition, committed }) => ({
        topic,
        partition,
        offset: committed?.offset ?? -1,
        ...(committed === undefined || committed.leaderEpoch < 0
          ? {}
          : { leaderEpoch: committed.leaderEpoch, _leaderEpoch: 'leaderEpoch' }),
        metadata: committed?.metadata ?? '',
        commitTimestampMs: committed?.commitTimestampMs ?? 0,
      })),
    };
  }

  #list({ states }: ListGroupsRequestOutput) {
    const listed = this.#shard.list();
    if (!listed.ok) return { error: detail(listed) };
    return { groups: listed.groups.filter(({ state }) => states.length === 0 || states.includes(state)) };
  }

  #describe({ groupIds }: DescribeGroupsRequestOutput) {
    return {
      groups: groupIds.map((groupId) => {
        const described = this.#shard.describe(groupId as GroupId);
        if (!described.ok) return { groupId, error: detail(described) };
        const { group } = described;
        return {
          groupId,
          state: group.state,
          stateTimestampMs: group.stateTimestampMs,
          protocolType: group.protocolType,
          protocolName: group.protocol ?? '',
          generationId: group.generation,
          leader: group.leader ?? '',
          members: group.members.map((each) => ({
            ...each,
            groupInstanceId: each.instanceId ?? '',
            metadata: Buffer.from(each.metadata),
            assignment: Buffer.from(each.assignment),
            awaited: each.isAwaited,
          })),
          rebalances: group.rebalances.map(({ timestampMs, generation, cause }) => ({
            timestampMs,
            generationId: generation,
            cause: causes[cause.type],
            memberIds: 'memberId' in cause ? [cause.memberId] : 'members' in cause ? cause.members : [],
            detail:
              'clientReason' in cause ? (cause.clientReason ?? '') : 'detail' in cause ? cause.detail : '',
          })),
        };
      }),
    };
  }

  async #delete({ groupIds }: DeleteGroupsRequestOutput) {
    const results = [];
    for (const groupId of groupIds) {
      const { response } = await this.#ask('deleteGroup', {
        type: 'deleteGroup',
        groupId: groupId as GroupId,
      });
      results.push({ groupId, error: outcome(response) });
    }
    return { results };
  }

  #ask<T extends GroupRequest['type']>(
    type: T,
    request: DistributiveOmit<Extract<GroupRequest, { readonly type: T }>, 'requestId'>,
  ): Promise<Extract<GroupReply, { readonly type: T }>> {
    const requestId = this.#nextRequestId++ as RequestId;
    return new Promise((resolve) => {
      this.#waiting.set(requestId, (reply) => {
        invariant(reply.type === type, 'the answer to another question');
        resolve(reply as Extract<GroupReply, { readonly type: T }>);
      });
      this.#take(this.#shard.handle({ ...request, requestId }, this.#time()));
    });
  }

  #open(): GroupShard {
    const shard = new GroupShard(this.#settings);
    this.#log.forEach((encoded, offset) => shard.replay(decoded(encoded), offset));
    shard.committed(this.#log.length, this.#time());
    this.#shard = shard;
    this.#take(shard.activate(this.#time()));
    return shard;
  }

  #take(output: GroupOutput): void {
    for (const record of output.records) {
      const encoded = encodeGroupRecord(record);
      this.#shard.replay(decoded(encoded), this.#log.push(encoded) - 1);
    }
    for (const reply of output.replies) {
      const waiting = this.#waiting.get(reply.requestId);
      this.#waiting.delete(reply.requestId);
      waiting?.(reply);
    }
    if (output.records.length > 0) {
      this.#take(this.#shard.committed(this.#log.length, this.#time()));
      return;
    }
    this.#timer?.cancel();
    if (output.nextDeadlineMs === Infinity) return;
    const inMs = Math.max(0, Math.ceil(output.nextDeadlineMs - this.#clock.monotonicMs()));
    this.#timer = this.#clock.setTimer(inMs, () => this.tick());
  }

  #time(): GroupTime {
    return { nowMs: this.#clock.monotonicMs(), timestampMs: this.#clock.wallMs() };
  }
}

type DistributiveOmit<T, K extends string> = T extends unknown ? Omit<T, K> : never;

function member(asked: { groupId: string; memberId: string; groupInstanceId: string; generationId: number }) {
  return {
    groupId: asked.groupId as GroupId,
    memberId: asked.memberId as MemberId,
    instanceId: instanceOf(asked.groupInstanceId),
    generation: asked.generationId as Generation,
  };
}

function decoded({ key, value }: EncodedGroupRecord) {
  const result = decodeGroupRecord(key, value);
  invariant(result.ok, 'a record of our own cannot be read', { result });
  return result.record;
}
