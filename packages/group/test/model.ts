// A group under everything that can happen to it: requests and answers that are lost, late or repeated, consumers that crash, leave and
// come back, writes that wait, fail or are cut off, coordinators that move. Time is virtual; one seed is one run.

import type { ErrorName } from '@tidemark/core';
import type { GroupId, GroupReply, GroupRequest, MemberId, RequestId } from '@tidemark/group';
import { Coordinator } from './coordinator.ts';
import { ModelChecker } from './model-checker.ts';
import { ModelClient, PARTITION_COUNT, type ClientWorld } from './model-client.ts';
import { SeededPrng } from './seeded-prng.ts';

const groupId = 'g' as GroupId;
const SETTINGS = {
  initialRebalanceDelayMs: 300,
  minSessionTimeoutMs: 1_000,
  newMemberJoinTimeoutMs: 15_000,
  commitTimeoutMs: 1_000,
  maxPendingMembers: 4,
};
const STEP_MS = 50;
const WRITE_ERRORS: readonly ErrorName[] = [
  'NOT_ENOUGH_REPLICAS',
  'KAFKA_STORAGE_ERROR',
  'MESSAGE_TOO_LARGE',
];

interface OnItsWay {
  readonly atMs: number;
  readonly arrive: () => void;
}

interface Sender {
  readonly client: ModelClient;
  readonly token: number;
  readonly incarnation: number;
}

export class GroupModel {
  readonly checker = new ModelChecker();
  readonly clients: readonly ModelClient[];
  moves = 0;
  readonly #prng: SeededPrng;
  #nowMs = 0;
  #isHealed = false;
  #network: OnItsWay[] = [];
  #nextRequestId = 1;
  #nextOffset = 1;
  readonly #senders = new Map<RequestId, Sender>();
  #coordinator: Coordinator;

  constructor(seed: number) {
    this.#prng = new SeededPrng(seed);
    const world: ClientWorld = {
      prng: this.#prng,
      groupId,
      send: (client, request, token) => this.#send(client, request, token),
      nextOffset: () => this.#nextOffset++,
    };
    const count = 2 + this.#prng.below(4);
    const isStatic = (): boolean => this.#prng.chance(40);
    this.clients = Array.from({ length: count }, (_, at) => new ModelClient(`c${at}`, isStatic(), world));
    this.#coordinator = this.#begin([]);
  }

  run(steps: number): void {
    for (let step = 0; step < steps; step++) {
      this.#trouble();
      this.#step();
    }
  }

  /** Nothing goes wrong any more: everybody who is there must soon share the partitions. */
  heal(): void {
    this.#isHealed = true;
    this.#coordinator.nextFailure = undefined;
    this.#coordinator.commitsAtOnce = true;
    this.#coordinator.commit(this.#coordinator.log.length, this.#nowMs);
    for (let step = 0; step < 60_000 / STEP_MS; step++) this.#step();
    const alive = this.clients.filter((client) => !client.isDown);
    const owned = alive.flatMap(({ assignment }) => assignment.map(({ partition }) => partition));
    const states = alive.map(({ name, phase, generation }) => `${name} ${phase} ${generation}`).join(', ');
    if (new Set(alive.map(({ phase, generation }) => `${phase} ${generation}`)).size > 1) {
      throw new Error(`the group does not settle: ${states}`);
    }
    if (alive.length > 0 && (owned.length !== PARTITION_COUNT || new Set(owned).size !== PARTITION_COUNT)) {
      throw new Error(`owned is ${owned.join(' ')}: ${states}`);
    }
    const described = this.#coordinator.shard.describe(groupId);
    const state = described.ok ? described.group.state : described.error;
    if (alive.length > 0 && state !== 'Stable') throw new Error(`the group is ${state}`);
    // Whoever still waits is answered when nobody comes any more.
    for (const client of this.clients) client.crash(Infinity);
    for (let step = 0; step < 60_000 / STEP_MS; step++) this.#step();
    this.checker.checkAllAnswered();
  }

  #begin(log: Coordinator['log']): Coordinator {
    const reply = (one: GroupReply): void => this.#reply(one);
    return new Coordinator({ reply }, this.#nowMs, SETTINGS, log);
  }

  #send(client: ModelClient, request: GroupRequest, token: number): void {
    const { incarnation } = client;
    const copies = this.#isHealed ? 1 : this.#prng.chance(8) ? 0 : this.#prng.chance(8) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      this.#later(
        () => {
          const requestId = this.#nextRequestId++ as RequestId;
          this.#senders.set(requestId, { client, token, incarnation });
          // The broker makes it when the request arrives: a copy gets another one.
          const newMemberId = `${client.name}-${this.#prng.uint32()}` as MemberId;
          const given = request.type === 'join' ? { newMemberId } : {};
          const arrived: GroupRequest = { ...request, ...given, requestId };
          this.checker.asked(arrived);
          this.#coordinator.handle(arrived, this.#nowMs);
        },
        request.type === 'commitOffsets' ? 40 : 5,
      );
    }
  }

  #reply(reply: GroupReply): void {
    this.checker.replied(reply);
    const sender = this.#senders.get(reply.requestId)!;
    this.#senders.delete(reply.requestId);
    if (!this.#isHealed && this.#prng.chance(8)) return;
    this.#later(() => sender.client.received(reply, sender.token, sender.incarnation));
  }

  #later(arrive: () => void, slowPercent = 5): void {
    const isSlow = !this.#isHealed && this.#prng.chance(slowPercent);
    const atMs = this.#nowMs + this.#prng.below(isSlow ? 8_000 : 100);
    this.#network.push({ atMs, arrive });
  }

  #step(): void {
    this.#nowMs += STEP_MS;
    const due = this.#network.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#network = this.#network.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { arrive } of due.sort((one, other) => one.atMs - other.atMs)) arrive();
    if (this.#coordinator.nextDeadlineMs <= this.#nowMs) this.#coordinator.tick(this.#nowMs);
    for (const client of this.clients) client.act(this.#nowMs);
    if (this.#nowMs % (20 * STEP_MS) === 0) this.#checkOffsets();
  }

  #checkOffsets(): void {
    this.checker.checkOffsets(this.#coordinator, { groupId });
  }

  #trouble(): void {
    const prng = this.#prng;
    const coordinator = this.#coordinator;
    const client = prng.pick(this.clients);
    if (prng.chance(0.3)) client.crash(this.#nowMs + prng.below(12_000));
    if (prng.chance(0.2)) client.leave();
    if (prng.chance(2)) coordinator.commitsAtOnce = !coordinator.commitsAtOnce;
    if (prng.chance(10)) {
      const open = coordinator.log.length - coordinator.highWatermark;
      coordinator.commit(coordinator.highWatermark + prng.below(open + 1), this.#nowMs);
    }
    if (prng.chance(1)) coordinator.nextFailure = prng.pick(WRITE_ERRORS);
    if (prng.chance(0.5)) coordinator.failHeld(prng.pick(WRITE_ERRORS), this.#nowMs);
    if (prng.chance(0.4)) this.#move();
  }

  /** The next one has what is committed, and may have some of what is not. */
  #move(): void {
    this.moves++;
    this.#checkOffsets();
    const { log, highWatermark } = this.#coordinator;
    this.#coordinator.resign(this.#nowMs);
    const kept = highWatermark + this.#prng.below(log.length - highWatermark + 1);
    this.#coordinator = this.#begin(log.slice(0, kept));
    this.#checkOffsets();
  }
}
