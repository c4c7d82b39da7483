// A member of a group in a simulated cluster, which behaves as a client library does: it joins, assigns where it leads, takes what it is
// given, reads where that was left, commits, sends heartbeats, and dies now and then. Contract: one request at a time; what it is told
// goes into the history.

import { OFFSETS_TOPIC, type PartitionIndex } from '@tidemark/core';
import {
  NO_MEMBER_ID,
  partitionFor,
  type Generation,
  type GroupId,
  type GroupProtocol,
  type InstanceId,
  type MemberId,
} from '@tidemark/group';
import { type GroupCoordinator, type ResponseOf } from '@tidemark/runtime';
import { type SimPrng } from '../sim-prng.ts';
import { type GroupHistory } from './group-history.ts';
import { leaderOf, type ClientLink } from './record-client.ts';
import { type SimWorld } from './sim-world.ts';

export interface GroupClientOptions {
  readonly group: string;
  /** Of an instance that keeps its place over restarts (KIP-345). */
  readonly instance: string | undefined;
  readonly topic: string;
  readonly partitions: number;
  /** Of `__consumer_offsets`. */
  readonly coordinators: number;
  readonly pauseMs: number;
  readonly link: ClientLink;
}

const SESSION_MS = 500;
const REBALANCE_MS = 700;
const MAX_DELAY_MS = 3;
const DEATHS_ONE_IN = 120;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const protocols: readonly GroupProtocol[] = [{ name: 'turns', metadata: new Uint8Array(4) }];

export class GroupClient {
  readonly #world: SimWorld;
  readonly #history: GroupHistory;
  readonly #options: GroupClientOptions;
  readonly #prng: SimPrng;
  #memberId: MemberId = NO_MEMBER_ID;
  /** -1: to join. */
  #generation = -1;
  /** What it was given, and whether it knows where to go on. */
  #owned = new Map<number, boolean>();
  /** Of its coordinator; it does not go back to an earlier one. */
  #leaderEpoch = -1;
  #isCalm = false;
  #isStopped = false;
  /** In its generation, since it is calm. */
  #isConfirmed = false;

  constructor(world: SimWorld, history: GroupHistory, options: GroupClientOptions, prng: SimPrng) {
    this.#world = world;
    this.#history = history;
    this.#options = options;
    this.#prng = prng;
  }

  start(): void {
    void this.#run();
  }

  /** No more deaths, and no more trouble on the way; it looks where every partition stands. */
  calm(): void {
    this.#isCalm = true;
    for (const partition of this.#owned.keys()) this.#owned.set(partition, false);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Undefined while it is not at rest: what it has, in which generation. */
  get standing(): { readonly generation: number; readonly partitions: readonly number[] } | undefined {
    if (!this.#isConfirmed || [...this.#owned.values()].includes(false)) return undefined;
    return { generation: this.#generation, partitions: [...this.#owned.keys()] };
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#pause((this.#prng.below(2_000) * this.#options.pauseMs) / 1_000);
      if (!this.#isCalm && this.#prng.chance(DEATHS_ONE_IN)) this.#die();
      if (this.#generation < 0) await this.#join();
      else await this.#work();
    }
  }

  /** What it was, another process comes back as, if it has an instance's name. */
  #die(): void {
    this.#world.clock.trace.note('member dies', this.#options.group, this.#memberId);
    this.#memberId = NO_MEMBER_ID;
    this.#leave();
    this.#leaderEpoch = -1;
  }

  #leave(): void {
    this.#generation = -1;
    this.#owned.clear();
    this.#isConfirmed = false;
  }

  async #join(): Promise<void> {
    const { group, instance } = this.#options;
    const joined = await this.#call(2 * REBALANCE_MS, (groups) =>
      groups.ask<'join'>({
        type: 'join',
        groupId: group as GroupId,
        memberId: this.#memberId,
        newMemberId: groups.newMemberId(instance ?? group),
        instanceId: instance as InstanceId | undefined,
        clientId: 'simulated',
        clientHost: '',
        sessionTimeoutMs: SESSION_MS,
        rebalanceTimeoutMs: REBALANCE_MS,
        protocolType: 'simulated',
        protocols,
        reason: undefined,
      }),
    );
    if (joined === undefined) return;
    if (!joined.ok) {
      if (joined.error === 'MEMBER_ID_REQUIRED') this.#memberId = joined.memberId;
      else this.#refused(joined.error);
      return;
    }
    this.#memberId = joined.memberId;
    await this.#sync(joined);
  }

  async #sync(joined: Extract<ResponseOf<'join'>, { readonly ok: true }>): Promise<void> {
    const { group, instance } = this.#options;
    const { memberId, generation, leader, members, skipAssignment } = joined;
    const isToAssign = leader === memberId && !skipAssignment;
    const synced = await this.#call(2 * REBALANCE_MS, (groups) =>
      groups.ask<'sync'>({
        type: 'sync',
        groupId: group as GroupId,
        memberId,
        instanceId: instance as InstanceId | undefined,
        generation,
        protocolType: undefined,
        protocol: undefined,
        assignments: isToAssign ? this.#assign(members.map((each) => each.memberId)) : new Map(),
      }),
    );
    if (synced === undefined) return;
    if (!synced.ok) {
      this.#refused(synced.error);
      return;
    }
    const text = decoder.decode(synced.assignment);
    const partitions = text === '' ? [] : text.split(',').map(Number);
    this.#history.assigned(group, generation, instance ?? memberId, partitions);
    this.#generation = generation;
    this.#owned = new Map(partitions.map((partition) => [partition, false]));
    this.#isConfirmed = false;
  }

  /** By turns. */
  #assign(members: readonly MemberId[]): ReadonlyMap<MemberId, Uint8Array> {
    const all = Array.from({ length: this.#options.partitions }, (_, partition) => partition);
    return new Map(
      members.map((member, turn) => [
        member,
        encoder.encode(all.filter((partition) => partition % members.length === turn).join()),
      ]),
    );
  }

  async #work(): Promise<void> {
    const owned = [...this.#owned];
    const draw = this.#prng.below(4);
    const unknown = owned.find(([, isKnown]) => !isKnown);
    const [partition] = unknown ?? owned[this.#prng.below(Math.max(1, owned.length))] ?? [];
    if (draw === 0 || partition === undefined) await this.#heartbeat();
    else if (unknown !== undefined) await this.#fetch(partition);
    else await this.#commit(partition);
  }

  async #heartbeat(): Promise<void> {
    const { group, instance } = this.#options;
    const wasCalm = this.#isCalm;
    const answer = await this.#call(this.#options.link.timeoutMs, (groups) =>
      groups.ask<'heartbeat'>({
        type: 'heartbeat',
        groupId: group as GroupId,
        memberId: this.#memberId,
        instanceId: instance as InstanceId | undefined,
        generation: this.#generation as Generation,
      }),
    );
    if (answer?.ok === true) this.#isConfirmed = wasCalm;
    else if (answer !== undefined) this.#refused(answer.error);
  }

  async #fetch(partition: number): Promise<void> {
    const { group, topic } = this.#options;
    const generation = this.#generation;
    const floor = this.#history.floor(group, partition, generation);
    const asked = [{ topic, partition: partition as PartitionIndex }];
    const answer = await this.#call(this.#options.link.timeoutMs, (groups) => ({
      answer: Promise.resolve(groups.fetchOffsets(group as GroupId, asked)),
      cancel: () => undefined,
    }));
    if (answer === undefined) return;
    if (!answer.ok) {
      this.#refused(answer.error);
      return;
    }
    this.#history.fetched(group, partition, answer.offsets[0]!.committed?.offset ?? -1, generation, floor);
    if (this.#owned.has(partition)) this.#owned.set(partition, true);
  }

  async #commit(partition: number): Promise<void> {
    const { group, instance, topic } = this.#options;
    const generation = this.#generation;
    const offset = this.#history.sending(group, partition);
    const toldBefore = this.#history.newestTold(group);
    const answer = await this.#call(this.#options.link.timeoutMs, (groups) =>
      groups.ask<'commitOffsets'>({
        type: 'commitOffsets',
        groupId: group as GroupId,
        memberId: this.#memberId,
        instanceId: instance as InstanceId | undefined,
        generation: generation as Generation,
        offsets: [{ topic, partition: partition as PartitionIndex, offset, leaderEpoch: -1, metadata: '' }],
      }),
    );
    if (answer === undefined) return;
    if (!answer.ok) this.#refused(answer.error);
    else if (answer.partitions[0]!.outcome.ok) {
      this.#history.acknowledged(group, partition, offset, generation, toldBefore);
    }
  }

  #refused(error: string): void {
    if (error === 'UNKNOWN_MEMBER_ID' || error === 'FENCED_INSTANCE_ID') {
      this.#memberId = NO_MEMBER_ID;
      this.#leave();
    } else if (error === 'ILLEGAL_GENERATION' || error === 'REBALANCE_IN_PROGRESS') this.#leave();
  }

  /** Undefined: no answer in time, or nobody to ask. What has not arrived by then never does. */
  #call<R>(
    timeoutMs: number,
    ask: (groups: GroupCoordinator) => { readonly answer: Promise<R>; cancel(): void },
  ): Promise<R | undefined> {
    const { clock } = this.#world;
    const { group, coordinators, link } = this.#options;
    const trouble = this.#isCalm ? 0 : link.trouble;
    const found = leaderOf(this.#world, OFFSETS_TOPIC, partitionFor(group, coordinators), this.#prng);
    if (found === undefined || found.place.leaderEpoch < this.#leaderEpoch) return Promise.resolve(undefined);
    this.#leaderEpoch = found.place.leaderEpoch;
    const { host } = found;
    return new Promise((resolve) => {
      let cancel = (): void => undefined;
      const giveUp = clock.after(timeoutMs, () => {
        cancel();
        resolve(undefined);
      });
      if (this.#prng.chance(trouble)) return;
      clock.after(this.#delay(), () => {
        const { node, isPaused } = host;
        const groups = node?.groups;
        if (groups === undefined || isPaused) return;
        const asking = ask(groups);
        cancel = () => asking.cancel();
        void asking.answer.then((answer) => {
          // What a node answers after its end was not answered.
          if (host.node !== node || this.#prng.chance(trouble)) return;
          clock.after(this.#delay(), () => {
            giveUp.cancel();
            resolve(answer);
          });
        });
      });
    });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.clock.after(ms, resolve);
    });
  }

  #delay(): number {
    return (this.#prng.below(1_000) * MAX_DELAY_MS) / 1_000;
  }
}
