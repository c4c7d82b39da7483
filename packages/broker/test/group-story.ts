// A member of a consumer group by raw requests, as a client library would make them, over any way to call one broker.

import type { PartitionIndex } from '@tidemark/core';
import { encodeAssignment, encodeSubscription } from '@tidemark/group';
import {
  groupService,
  type CommitOffsetsResponseOutput,
  type HeartbeatResponseOutput,
  type JoinGroupRequest,
  type JoinGroupResponseOutput,
  type MemberAssignment,
  type OffsetToCommit,
  type SyncGroupResponseOutput,
} from '@tidemark/rpc';
import type { MethodDefinition } from '@grpc/grpc-js';

type Method<I, O> = Pick<MethodDefinition<I, O>, 'path' | 'requestSerialize' | 'responseDeserialize'>;
export type Call = <I, O>(method: Method<I, O>, request: I) => Promise<O>;

export class StoryMember {
  readonly groupId: string;
  readonly topics: readonly string[];
  call: Call;
  memberId = '';
  generationId = -1;

  constructor(call: Call, groupId: string, topics: readonly string[]) {
    this.call = call;
    this.groupId = groupId;
    this.topics = topics;
  }

  /** With the id it has; the first time it is given one and comes again. */
  async join(rest: Partial<JoinGroupRequest> = {}): Promise<JoinGroupResponseOutput> {
    const request = {
      groupId: this.groupId,
      clientId: 'story',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      protocolType: 'consumer',
      protocols: [
        {
          name: 'range',
          metadata: Buffer.from(
            encodeSubscription({
              topics: this.topics,
              userData: undefined,
              ownedPartitions: [],
              generation: -1,
              rack: undefined,
            }),
          ),
        },
      ],
      ...rest,
    };
    let joined = await this.call(groupService.JoinGroup, { ...request, memberId: this.memberId });
    if (joined.error?.name === 'MEMBER_ID_REQUIRED') {
      this.memberId = joined.memberId;
      joined = await this.call(groupService.JoinGroup, { ...request, memberId: this.memberId });
    }
    if (joined.error === null) {
      this.memberId = joined.memberId;
      this.generationId = joined.generationId;
    }
    return joined;
  }

  /** `partitions` of each member, all of one topic; from the leader alone. */
  sync(
    topic = '',
    partitions: Readonly<Record<string, readonly number[]>> = {},
  ): Promise<SyncGroupResponseOutput> {
    const { groupId, memberId, generationId } = this;
    const assignments = Object.entries(partitions).map(([member, indexes]): MemberAssignment => ({
      memberId: member,
      assignment: Buffer.from(
        encodeAssignment({
          partitions: indexes.map((partition) => ({ topic, partition: partition as PartitionIndex })),
          userData: undefined,
        }),
      ),
    }));
    return this.call(groupService.SyncGroup, { groupId, memberId, generationId, assignments });
  }

  heartbeat(): Promise<HeartbeatResponseOutput> {
    const { groupId, memberId, generationId } = this;
    return this.call(groupService.Heartbeat, { groupId, memberId, generationId });
  }

  commit(...offsets: OffsetToCommit[]): Promise<CommitOffsetsResponseOutput> {
    const { groupId, memberId, generationId } = this;
    return this.call(groupService.CommitOffsets, { groupId, memberId, generationId, offsets });
  }
}

/** What a group has committed of one topic, by partition. */
export async function committed(
  call: Call,
  groupId: string,
): Promise<Readonly<Record<string, number>> | string> {
  const fetched = await call(groupService.FetchOffsets, { groupId, allPartitions: true });
  if (fetched.error !== null) return fetched.error.name;
  return Object.fromEntries(
    fetched.offsets.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]),
  );
}
