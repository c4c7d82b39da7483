// What must hold however requests are lost and repeated, writes fail and coordinators move. It sees what coordinators say and what is in
// their log, nothing of their inside.

import type { PartitionIndex } from '@tidemark/core';
import {
  decodeAssignment,
  decodeGroupRecord,
  type CommitOffsetsRequest,
  type GroupReply,
  type GroupRequest,
  type RequestId,
  type SyncRequest,
} from '@tidemark/group';
import type { Coordinator } from './coordinator.ts';

export class ModelChecker {
  readonly #open = new Map<RequestId, { readonly request: GroupRequest; readonly toldGeneration: number }>();
  /** By generation and partition, who was told that it is theirs: a static member by its instance, which outlives its ids. */
  readonly #owners = new Map<string, string>();
  #toldGeneration = 0;
  /** Offsets are unique here, so each names a commit. */
  readonly #acknowledged = new Set<number>();
  readonly counts = { assignments: 0, commits: 0, staleCommits: 0, refused: 0 };

  asked(request: GroupRequest): void {
    this.#open.set(request.requestId, { request, toldGeneration: this.#toldGeneration });
  }

  replied(reply: GroupReply): GroupRequest {
    const open = this.#open.get(reply.requestId);
    if (open === undefined) throw new Error(`request ${reply.requestId} is answered, and was not open`);
    this.#open.delete(reply.requestId);
    const { request, toldGeneration } = open;
    if (!reply.response.ok) this.counts.refused++;
    if (request.type === 'commitOffsets') this.#committed(request, reply, toldGeneration);
    if (reply.type === 'sync' && reply.response.ok && request.type === 'sync') {
      this.#assigned(request, reply.response.assignment);
    }
    return request;
  }

  #assigned(request: SyncRequest, bytes: Uint8Array): void {
    const decoded = decodeAssignment(bytes);
    if (!decoded.ok) throw new Error(decoded.message);
    this.counts.assignments++;
    this.#toldGeneration = Math.max(this.#toldGeneration, request.generation);
    const who = request.instanceId ?? request.memberId;
    for (const { topic, partition } of decoded.assignment.partitions) {
      const key = `${request.generation}/${topic}-${partition}`;
      const owner = this.#owners.get(key) ?? who;
      if (owner !== who) throw new Error(`${key} belongs to ${owner} and to ${who}`);
      this.#owners.set(key, who);
    }
  }

  #committed(request: CommitOffsetsRequest, reply: GroupReply, toldGeneration: number): void {
    const isStale = request.generation < toldGeneration;
    if (isStale) this.counts.staleCommits++;
    if (!reply.response.ok) return;
    if (isStale)
      throw new Error(`a commit of generation ${request.generation} was taken in ${toldGeneration}`);
    this.counts.commits++;
    for (const { offset } of request.offsets) this.#acknowledged.add(offset);
  }

  /** Everything acknowledged is in the log and committed there, and what is fetched is what the log says. */
  checkOffsets({ log, highWatermark, shard }: Coordinator, request: Pick<GroupRequest, 'groupId'>): void {
    const expected = new Map<string, number>();
    const written = new Set<number>();
    for (const { key, value } of log.slice(0, highWatermark)) {
      const decoded = decodeGroupRecord(key, value);
      if (!decoded.ok) throw new Error(decoded.message);
      const { record } = decoded;
      if (record.type !== 'offset' || record.value === undefined) continue;
      expected.set(`${record.topic}-${record.partition}`, record.value.offset);
      written.add(record.value.offset);
    }
    for (const offset of this.#acknowledged) {
      if (!written.has(offset)) throw new Error(`commit ${offset} was acknowledged and is lost`);
    }
    const fetched = shard.fetchOffsets(request.groupId, undefined);
    if (!fetched.ok) throw new Error(fetched.message);
    const place = (topic: string, partition: PartitionIndex): string => `${topic}-${partition}`;
    const seen = new Map(
      fetched.offsets.map((each) => [place(each.topic, each.partition), each.committed?.offset]),
    );
    if (seen.size !== expected.size) throw new Error('offsets are fetched that are not there, or not all');
    for (const [key, offset] of expected) {
      if (seen.get(key) !== offset)
        throw new Error(`${key} is ${offset} in the log and ${seen.get(key) ?? -1} fetched`);
    }
  }

  checkAllAnswered(): void {
    const open = [...this.#open.values()].map(({ request }) => `${request.type} ${request.requestId}`);
    if (open.length > 0) throw new Error(`never answered: ${open.join(', ')}`);
  }
}
