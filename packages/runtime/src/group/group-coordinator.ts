// The groups this broker coordinates: one `CoordinatedPartition` for each partition of `__consumer_offsets` that it leads, in each
// leadership a new one. Requests find theirs by the group's id. Here are also what happens to all of them at times: retention, and
// topics that are deleted.
//
// Contract: `follow` is called before the replica manager opens its partitions. Every request is answered, by a failure that says
// whom to ask at worst. After `close` everything that waited is answered, and nothing is taken.

import {
  failure,
  isFailure,
  OFFSETS_TOPIC,
  type BrokerId,
  type Clock,
  type Failure,
  type Prng,
} from '@tidemark/core';
import type { MetadataImage } from '@tidemark/controller';
import {
  partitionFor,
  type FetchedOffsets,
  type GroupDescription,
  type GroupId,
  type GroupReply,
  type GroupRequest,
  type GroupSettings,
  type ListedGroup,
  type MemberId,
  type TopicPartition,
} from '@tidemark/group';
import type { Codecs } from '@tidemark/record';
import type { Partition } from '../partition.ts';
import { PeriodicTask } from '../periodic-task.ts';
import type { LeadershipListener } from '../replica/leaderships.ts';
import type { LeadingReplica } from '../replica/leading-replica.ts';
import {
  answered,
  CoordinatedPartition,
  refusalOf,
  type Asking,
  type CoordinatorState,
} from './coordinated-partition.ts';
import type { CoordinatorLimits } from './coordinator-limits.ts';
import { offsetsTopicIn } from './offsets-topic.ts';
import type { Unnumbered } from './request-admission.ts';

export interface GroupCoordinatorOptions {
  readonly self: BrokerId;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly codecs: Codecs;
  readonly settings: GroupSettings;
  readonly limits: CoordinatorLimits;
  /** `offsets.retention.check.interval.ms` */
  readonly retentionCheckMs: number;
  /** What the partitions here have taken over of the metadata. */
  readonly image: () => MetadataImage;
  /** Something in the background failed and goes on: for the process's log. */
  readonly onError: (cause: unknown, doing: string) => void;
  /** A bug: the process ends. */
  readonly onFatal: (cause: unknown) => void;
}

/** What it follows: a `ReplicaManager` and the metadata it takes over. */
export interface GroupCoordinatorSources {
  followLeaderships(listener: LeadershipListener): () => void;
  onImage(listener: (image: MetadataImage, previous: MetadataImage) => void): () => void;
}

export type ResponseOf<T extends GroupReply['type']> = Extract<GroupReply, { readonly type: T }>['response'];

export interface AskingOf<T extends GroupReply['type']> extends Asking {
  readonly answer: Promise<ResponseOf<T>>;
}

type RequestOf<T extends GroupReply['type']> = Unnumbered<Extract<GroupRequest, { readonly type: T }>>;

/** For metrics. */
export interface CoordinatorStatus {
  readonly partitions: Readonly<Record<CoordinatorState, number>>;
  readonly waitingRequests: number;
  readonly uncommittedBytes: number;
}

export class GroupCoordinator implements LeadershipListener {
  readonly #options: GroupCoordinatorOptions;
  /** By index; those whose leadership is over are not here. */
  readonly #led = new Map<
    number,
    { readonly leading: LeadingReplica; readonly served: CoordinatedPartition }
  >();
  readonly #stops: (() => void)[] = [];
  #expiry: PeriodicTask | undefined;
  #isClosed = false;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
  }

  follow(sources: GroupCoordinatorSources): void {
    const { clock, retentionCheckMs, onError } = this.#options;
    this.#stops.push(
      sources.followLeaderships(this),
      sources.onImage((image, previous) => this.#imageChanged(image, previous)),
    );
    this.#expiry = new PeriodicTask(
      clock,
      retentionCheckMs,
      async () => {
        for (const { served } of [...this.#led.values()]) await served.expireOffsets();
      },
      (cause) => onError(cause, 'removing offsets past their retention'),
    );
  }

  began(partition: Partition, leading: LeadingReplica): void {
    if (partition.topic !== OFFSETS_TOPIC || this.#isClosed) return;
    const { clock, codecs, settings, limits, image, onError, onFatal } = this.#options;
    const served = new CoordinatedPartition({
      ...{ partition, leading, clock, codecs, settings, limits, onError, onFatal },
      hasTopic: (topic) => image().topicByName(topic) !== undefined,
    });
    this.#led.set(partition.index, { leading, served });
    served.begin();
  }

  ended(partition: Partition, leading: LeadingReplica): void {
    if (partition.topic !== OFFSETS_TOPIC) return;
    const led = this.#led.get(partition.index);
    if (led?.leading !== leading) return;
    this.#led.delete(partition.index);
    led.served.end();
  }

  /** Asks the group's coordinator, if it is this broker. */
  ask<T extends GroupReply['type']>(request: RequestOf<T>): AskingOf<T> {
    const asked = request as unknown as Unnumbered<GroupRequest>;
    const found = this.#find(asked.groupId);
    return (isFailure(found) ? answered(refusalOf(asked, found)) : found.ask(asked)) as AskingOf<T>;
  }

  fetchOffsets(groupId: GroupId, partitions: readonly TopicPartition[] | undefined): FetchedOffsets {
    const found = this.#find(groupId);
    return isFailure(found) ? found : found.fetchOffsets(groupId, partitions);
  }

  describe(groupId: GroupId): { readonly ok: true; readonly group: GroupDescription } | Failure {
    const found = this.#find(groupId);
    return isFailure(found) ? found : found.describe(groupId);
  }

  /** All that this broker coordinates, as far as they are known; and why not all are. */
  list(): { readonly groups: readonly ListedGroup[]; readonly failure: Failure | undefined } {
    const groups: ListedGroup[] = [];
    let failed: Failure | undefined;
    for (const { served } of this.#led.values()) {
      const listed = served.list();
      if (listed.ok) groups.push(...listed.groups);
      else failed ??= listed;
    }
    return { groups, failure: failed };
  }

  /** Never given before and hard to guess: the prefix is for people, as in Kafka. */
  newMemberId(prefix: string): MemberId {
    return `${prefix}-${randomUuid(this.#options.prng)}` as MemberId;
  }

  get status(): CoordinatorStatus {
    const partitions = { loading: 0, active: 0, failed: 0, over: 0 };
    let waitingRequests = 0;
    let uncommittedBytes = 0;
    for (const { served } of this.#led.values()) {
      partitions[served.state] += 1;
      waitingRequests += served.waitingRequests;
      uncommittedBytes += served.uncommittedBytes;
    }
    return { partitions, waitingRequests, uncommittedBytes };
  }

  /** Answers everybody who waits; clients look for the coordinator again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    for (const { served } of this.#led.values()) served.end();
    this.#led.clear();
    await this.#expiry?.close();
  }

  #find(groupId: GroupId): CoordinatedPartition | Failure {
    if (groupId === '') return failure('INVALID_GROUP_ID');
    const topic = offsetsTopicIn(this.#options.image());
    if (topic === undefined) {
      const message = `there is no ${OFFSETS_TOPIC} yet: FindCoordinator creates it`;
      return failure('COORDINATOR_NOT_AVAILABLE', message);
    }
    const index = partitionFor(groupId, topic.partitions.length);
    const led = this.#led.get(index);
    if (led !== undefined) return led.served;
    const { leader } = topic.partitions[index]!;
    if (leader === this.#options.self && !this.#isClosed) {
      const message = `this broker is taking over ${OFFSETS_TOPIC}-${index}: try again`;
      return failure('COORDINATOR_LOAD_IN_PROGRESS', message);
    }
    const whom = leader === -1 ? 'nobody does at the moment' : `broker ${leader} does`;
    return failure(
      'NOT_COORDINATOR',
      `this broker does not coordinate group ${groupId.slice(0, 64)}, ${whom}: ask FindCoordinator`,
    );
  }

  #imageChanged(image: MetadataImage, previous: MetadataImage): void {
    if (image.parts.topics === previous.parts.topics) return;
    for (const { id, name } of previous.topics()) {
      if (image.topicById(id) !== undefined) continue;
      for (const { served } of this.#led.values()) served.topicDeleted(name);
    }
  }
}

/** RFC 9562, version 4. */
function randomUuid(prng: Prng): string {
  const bytes = prng.bytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
