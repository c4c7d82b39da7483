// Where the group is, asked of its coordinator. Lookups of one task go out as one request.
import { errorFromDetail, groupService } from '@tidemark/rpc';
import type { CommittedOffsetOutput } from '@tidemark/rpc';
import type { TopicPartition } from '../leader-calls.ts';
import type { CoordinatorCalls, CoordinatorCallOptions } from './coordinator-calls.ts';
import { nameOf } from './assignment.ts';

export interface CommittedOffset extends TopicPartition {
  /** The next record to read. */
  readonly offset: number;
  /** Of the record before it; -1 when not known. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestampMs: number;
}

export function committedOffset(answer: CommittedOffsetOutput): CommittedOffset | undefined {
  if (answer.offset < 0) return undefined;
  const { topic, partition, offset, metadata, commitTimestampMs } = answer;
  return { topic, partition, offset, leaderEpoch: answer.leaderEpoch ?? -1, metadata, commitTimestampMs };
}

export class CommittedOffsets {
  readonly #calls: CoordinatorCalls;
  readonly #groupId: string;
  readonly #callOptions: () => CoordinatorCallOptions;
  #next:
    | { readonly partitions: TopicPartition[]; readonly answer: Promise<Map<string, CommittedOffset>> }
    | undefined;

  constructor(calls: CoordinatorCalls, groupId: string, callOptions: () => CoordinatorCallOptions) {
    this.#calls = calls;
    this.#groupId = groupId;
    this.#callOptions = callOptions;
  }

  /** Undefined: the group has committed nothing there. */
  async find(at: TopicPartition): Promise<CommittedOffset | undefined> {
    let next = this.#next;
    if (next === undefined) {
      const partitions: TopicPartition[] = [];
      const answer = Promise.resolve().then(() => {
        this.#next = undefined;
        return this.fetch(partitions);
      });
      next = { partitions, answer };
      this.#next = next;
    }
    next.partitions.push({ topic: at.topic, partition: at.partition });
    return (await next.answer).get(nameOf(at));
  }

  /** By name; those without a commit are left out. */
  async fetch(partitions: readonly TopicPartition[]): Promise<Map<string, CommittedOffset>> {
    const request = {
      groupId: this.#groupId,
      partitions: partitions.map(({ topic, partition }) => ({ topic, partition })),
    };
    const answer = await this.#calls.call(groupService.FetchOffsets, () => request, this.#callOptions());
    const error = errorFromDetail(answer.error);
    if (error !== undefined) throw error;
    const found = answer.offsets.map(committedOffset).filter((each) => each !== undefined);
    return new Map(found.map((each) => [nameOf(each), each]));
  }
}
