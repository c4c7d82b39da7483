// A node with a group coordinator, whose offsets topic has one partition: every group is in it. Replica 2 exists in the metadata only,
// so that the high watermark moves when the test says so.

import { OFFSETS_TOPIC, type BrokerId, type PartitionIndex, type TopicId } from '@tidemark/core';
import {
  defaultGroupSettings,
  NO_GENERATION,
  NO_MEMBER_ID,
  type GroupId,
  type GroupSettings,
} from '@tidemark/group';
import type { Codecs } from '@tidemark/record';
import {
  defaultCoordinatorLimits,
  GroupCoordinator,
  type AskingOf,
  type CoordinatorLimits,
  type Partition,
} from '@tidemark/runtime';
import { SimPrng, type CrashMode } from '@tidemark/simulation';
import { ReplicaNode, SELF, type TopicPlan } from './replica-node.ts';

export const RETENTION_MS = 3_600_000;
const CHECK_MS = 600_000;

export class GroupNode extends ReplicaNode {
  settings: GroupSettings = { ...defaultGroupSettings, offsetsRetentionMs: RETENTION_MS };
  limits: CoordinatorLimits = defaultCoordinatorLimits;
  offsetsId: TopicId | undefined;
  readonly bugs: unknown[] = [];
  #groups: GroupCoordinator | undefined;

  static override async start(plan: TopicPlan = {}): Promise<GroupNode> {
    const node = new GroupNode();
    await node.open();
    await node.createTopic('t', { partitions: 3 });
    node.offsetsId = await node.createTopic(OFFSETS_TOPIC, {
      ...plan,
      configs: { 'cleanup.policy': 'compact', ...plan.configs },
    });
    await node.clock.advance(10);
    return node;
  }

  get groups(): GroupCoordinator {
    return this.#groups!;
  }

  get offsets(): Partition {
    return this.replicas.partition(OFFSETS_TOPIC, 0 as PartitionIndex)!;
  }

  protected override beforeStart(): void {
    this.#groups = new GroupCoordinator({
      self: SELF,
      clock: this.clock,
      prng: new SimPrng(7),
      codecs: {} as Codecs,
      settings: this.settings,
      limits: this.limits,
      retentionCheckMs: CHECK_MS,
      image: () => this.replicas.image,
      onError: (cause, doing) => this.errors.push(`${doing}: ${messageOf(cause)}`),
      onFatal: (cause) => this.bugs.push(cause),
    });
    this.#groups.follow({
      followLeaderships: (listener) => this.replicas.followLeaderships(listener),
      onImage: (listener) => this.onImage(listener),
    });
  }

  override async close(): Promise<void> {
    await this.#groups?.close();
    await super.close();
    if (this.bugs.length > 0) throw this.bugs[0];
  }

  /** The machine of `before` has lost its power; another process starts with what the disk kept. */
  static async afterCrash(before: GroupNode, mode: CrashMode): Promise<GroupNode> {
    before.isDead = true;
    const node = new GroupNode();
    node.image = before.image;
    node.offsetsId = before.offsetsId;
    node.disk = before.disk.crash(mode, new SimPrng(3), { clock: node.clock });
    await node.open();
    await node.clock.advance(10);
    return node;
  }

  async restart(): Promise<void> {
    await this.close();
    await this.open();
    await this.clock.advance(10);
  }

  /** What the controller decides of the partition of the groups. */
  decide(what: { readonly isr?: readonly number[]; readonly leader?: number }): void {
    this.change({
      type: 'partitionChange',
      topicId: this.offsetsId!,
      partition: 0 as PartitionIndex,
      isr: what.isr as BrokerId[] | undefined,
      leader: what.leader as BrokerId | undefined,
    });
  }

  setMinInsyncReplicas(count: number): void {
    const name = 'min.insync.replicas';
    this.change({ type: 'topicConfig', topicId: this.offsetsId!, name, value: String(count) });
  }

  /** From outside the group. */
  commit(groupId: string, offset: number, topic = 't', partition = 0): AskingOf<'commitOffsets'> {
    return this.groups.ask<'commitOffsets'>({
      type: 'commitOffsets',
      groupId: groupId as GroupId,
      memberId: NO_MEMBER_ID,
      instanceId: undefined,
      generation: NO_GENERATION,
      offsets: [{ topic, partition: partition as PartitionIndex, offset, leaderEpoch: -1, metadata: '' }],
    });
  }

  /** By partition of topic `t`, as text; or the error. */
  committed(groupId: string): Readonly<Record<string, number>> | string {
    const fetched = this.groups.fetchOffsets(groupId as GroupId, undefined);
    if (!fetched.ok) return fetched.error;
    return Object.fromEntries(
      fetched.offsets.map(({ topic, partition, committed }) => [`${topic}-${partition}`, committed!.offset]),
    );
  }
}

/** What became of it so far. */
export function seen({ answer }: AskingOf<'commitOffsets'>): { readonly of: string | undefined } {
  const outcome: { of: string | undefined } = { of: undefined };
  void answer.then((response) => {
    outcome.of = response.ok ? 'ok' : response.error;
  });
  return outcome;
}

function messageOf(cause: unknown): string {
  const { message } = cause as { readonly message?: string };
  return message ?? String(cause);
}
