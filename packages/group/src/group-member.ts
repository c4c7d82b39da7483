// A member as its coordinator has it in memory. Sessions and parked requests are nowhere else: after a move of the coordinator
// every member begins a new session and repeats what it waits for.

import type { InstanceId, MemberId, RequestId } from './group-ids.ts';
import type { GroupProtocol, JoinedMember } from './group-request.ts';
import type { StoredMember } from './group-record.ts';

const NO_BYTES = new Uint8Array(0);

export interface GroupMember {
  readonly memberId: MemberId;
  readonly instanceId: InstanceId | undefined;
  clientId: string;
  clientHost: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  protocols: readonly GroupProtocol[];
  /** Of the current generation, once that is committed. */
  assignment: Uint8Array;
  /** Its first join is not answered yet: it cannot send heartbeats. */
  isNew: boolean;
  /** When its session ends, or when its first join is given up. */
  deadlineMs: number;
  parkedJoin: RequestId | undefined;
  parkedSync: RequestId | undefined;
}

/** A member that waits for an answer is not expected to send heartbeats; one that joins for the first time has a longer limit. */
export function deadlineOf(member: GroupMember): number {
  const isParked = member.parkedJoin !== undefined || member.parkedSync !== undefined;
  return isParked && !member.isNew ? Infinity : member.deadlineMs;
}

export function metadataFor(member: GroupMember, protocol: string): Uint8Array {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_BYTES;
}

export function joinedMember(member: GroupMember, protocol: string): JoinedMember {
  const { memberId, instanceId } = member;
  return { memberId, instanceId, metadata: metadataFor(member, protocol) };
}

/** The same protocols in the same order with the same metadata. */
export function sameProtocols(one: readonly GroupProtocol[], other: readonly GroupProtocol[]): boolean {
  return (
    one.length === other.length &&
    one.every(
      ({ name, metadata }, at) => name === other[at]!.name && sameBytes(metadata, other[at]!.metadata),
    )
  );
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

export function storedMember(member: GroupMember, protocol: string, assignment: Uint8Array): StoredMember {
  const { memberId, instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs } = member;
  const subscription = metadataFor(member, protocol);
  return {
    memberId,
    instanceId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    sessionTimeoutMs,
    subscription,
    assignment,
  };
}

export function memberFromStore(stored: StoredMember, protocol: string, nowMs: number): GroupMember {
  const { memberId, instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs } = stored;
  return {
    memberId,
    instanceId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    sessionTimeoutMs,
    protocols: [{ name: protocol, metadata: stored.subscription }],
    assignment: stored.assignment,
    isNew: false,
    deadlineMs: nowMs + sessionTimeoutMs,
    parkedJoin: undefined,
    parkedSync: undefined,
  };
}
