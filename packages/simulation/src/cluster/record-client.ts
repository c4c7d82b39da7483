// Producers and consumers of a simulated cluster, each of one partition. A producer with acks=all is idempotent and behaves as the
// production client does, one with acks=1 is neither and has one batch under way: the first batch of an id alone, then several under way; what fails goes out again in order when nothing is
// under way any more. Contract: every batch is repeated until it is acknowledged; `isIdle` says that nothing waits.

import {
  type LeaderEpoch,
  type Offset,
  type PartitionIndex,
  type TopicId,
  type TopicName,
} from '@tidemark/core';
import { BatchBuilder, RecordCursor, type Codecs } from '@tidemark/record';
import { type ProduceOutcome } from '@tidemark/runtime';
import { type SimPrng } from '../sim-prng.ts';
import { type RecordHistory } from './record-history.ts';
import { type SimHost } from './sim-host.ts';
import { type PartitionPlace } from './simulated-node.ts';
import { type SimWorld } from './sim-world.ts';

interface Batch {
  readonly values: readonly string[];
  readonly baseSequence: number;
  isTried: boolean;
}

export interface ClientLink {
  /** One in so many requests, and as many answers, are lost, and requests repeated. */
  readonly trouble: number;
  readonly timeoutMs: number;
}

const MAX_IN_FLIGHT = 5;
const MAX_DELAY_MS = 3;
/** So often in a row a batch may be out of order although everything before it is acknowledged. */
const MAX_GAPS = 30;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const codecs = {} as Codecs;

/** The host that leads the partition, as far as some node knows; and that node's belief. */
export function leaderOf(
  world: SimWorld,
  topic: string,
  partition: number,
  prng: SimPrng,
): { readonly host: SimHost; readonly place: PartitionPlace } | undefined {
  const up = world.hosts.filter(({ node, isPaused }) => node !== undefined && !isPaused);
  const asked = up[prng.below(Math.max(1, up.length))]?.node;
  const place = asked?.partitionsOf(topic)[partition];
  const host = world.hosts.find(({ id }) => (id as number) === place?.leader);
  return host === undefined || place === undefined ? undefined : { host, place };
}

export class RecordProducer {
  readonly #world: SimWorld;
  readonly #history: RecordHistory;
  readonly #prng: SimPrng;
  readonly #link: ClientLink;
  readonly #topic: string;
  readonly #partition: number;
  readonly #id: number;
  readonly #acks: 'leader' | 'all';
  #waiting: Batch[] = [];
  #nextSequence = 0;
  #isKnown = false;
  #gaps = 0;
  #isBusy = false;
  /** Why the first batch that waits was not acknowledged last time. */
  #lastFailure = 'nobody led';

  constructor(
    world: SimWorld,
    history: RecordHistory,
    options: {
      readonly topic: string;
      readonly partition: number;
      readonly id: number;
      readonly acks: 'leader' | 'all';
      readonly link: ClientLink;
    },
    prng: SimPrng,
  ) {
    this.#world = world;
    this.#history = history;
    this.#prng = prng;
    this.#link = options.link;
    this.#topic = options.topic;
    this.#partition = options.partition;
    this.#id = options.id;
    this.#acks = options.acks;
  }

  get isIdle(): boolean {
    return !this.#isBusy && this.#waiting.length === 0;
  }

  /** With acks=1 what is acknowledged may go with its leader. */
  get #isPromised(): boolean {
    return this.#acks === 'all';
  }

  get lastFailure(): string {
    return this.#lastFailure;
  }

  get name(): string {
    return `${this.#topic}-${this.#partition}`;
  }

  /** One more batch of some records. */
  produce(): void {
    if (this.#waiting.length > 20) return;
    const count = 1 + this.#prng.below(3);
    const baseSequence = this.#nextSequence;
    const writer = `${this.#isPromised ? 'p' : 'w'}${this.#id}`;
    const values = Array.from({ length: count }, (_, at) => `${writer}:${baseSequence + at}`);
    this.#nextSequence += count;
    this.#waiting.push({ values, baseSequence, isTried: false });
    this.#history.sending(this.name, values, this.#isPromised);
    this.#pump();
  }

  #pump(): void {
    if (this.#isBusy || this.#waiting.length === 0) return;
    this.#isBusy = true;
    void this.#round().then((isWell) => {
      this.#isBusy = false;
      this.#world.clock.after(isWell ? 0 : 5 + this.#prng.below(40), () => this.#pump());
    });
  }

  /** Sends what may be under way at once; answers whether all of it was acknowledged. */
  async #round(): Promise<boolean> {
    // What comes again comes without anything new behind it: a leader remembers as many batches as may be in flight.
    const again = this.#waiting.filter(({ isTried }) => isTried);
    const sent = again.length > 0 ? again : this.#waiting.slice(0, this.#isKnown ? MAX_IN_FLIGHT : 1);
    const found = leaderOf(this.#world, this.#topic, this.#partition, this.#prng);
    if (found === undefined) {
      this.#lastFailure = 'nobody led';
      return false;
    }
    for (const batch of sent) batch.isTried = true;
    const outcomes = await Promise.all(sent.map((batch, at) => this.#send(found, batch, at)));
    let isWell = true;
    for (const [at, outcome] of outcomes.entries()) {
      const batch = sent[at]!;
      if (outcome?.receipt === undefined) {
        if (at === 0) {
          this.#lastFailure = outcome?.failure?.message ?? 'no answer in time';
          this.#judge(outcome, batch);
        }
        isWell = false;
        continue;
      }
      this.#isKnown = this.#isPromised;
      this.#gaps = 0;
      this.#history.acknowledgedAt(this.name, batch.values[0]!, outcome.receipt.baseOffset);
      this.#waiting = this.#waiting.filter((each) => each !== batch);
    }
    return isWell;
  }

  /** Everything before the first batch is acknowledged, so a gap in front of it is none of the client's making. */
  #judge(outcome: ProduceOutcome | undefined, batch: Batch): void {
    if (outcome?.failure?.error !== 'OUT_OF_ORDER_SEQUENCE_NUMBER') return;
    if (++this.#gaps < MAX_GAPS) return;
    this.#world.violations.report(
      'lost-write',
      `${this.name}: the leader finds a gap before ${batch.values[0]}, and all before it is acknowledged`,
    );
  }

  #send(
    { host, place }: { readonly host: SimHost; readonly place: PartitionPlace },
    batch: Batch,
    at: number,
  ): Promise<ProduceOutcome | undefined> {
    const { clock } = this.#world;
    const { trouble, timeoutMs } = this.#link;
    return new Promise((resolve) => {
      const giveUp = clock.after(timeoutMs, () => resolve(undefined));
      const answer = (outcome: ProduceOutcome): void => {
        if (this.#prng.chance(trouble)) return;
        clock.after(this.#delay(), () => {
          giveUp.cancel();
          resolve(outcome);
        });
      };
      const ask = (delayMs: number): void => {
        clock.after(delayMs, () => this.#ask(host, place, batch, answer));
      };
      // One connection keeps the order; a repetition comes when it likes.
      if (!this.#prng.chance(trouble)) ask(this.#delay() + at * MAX_DELAY_MS);
      if (this.#prng.chance(trouble)) ask(this.#delay() * 20);
    });
  }

  #ask(host: SimHost, place: PartitionPlace, batch: Batch, answer: (outcome: ProduceOutcome) => void): void {
    const { node, isPaused } = host;
    const replicas = node?.replicas;
    if (replicas === undefined || isPaused) return;
    const address = {
      topic: place.topic as TopicName,
      topicId: place.topicId as TopicId,
      partition: place.partition as PartitionIndex,
    };
    const partitions = [
      { address, currentLeaderEpoch: place.leaderEpoch as LeaderEpoch, bytes: this.#build(batch) },
    ];
    const { outcomes } = replicas.produce({ acks: this.#acks, timeoutMs: this.#link.timeoutMs, partitions });
    void outcomes.then(([outcome]) => {
      // What a node answers after its end was not answered.
      if (host.node === node && outcome !== undefined) answer(outcome);
    });
  }

  #build({ values, baseSequence }: Batch): Uint8Array {
    const builder = new BatchBuilder({ capacityBytes: 256 });
    for (const value of values) builder.append(1_800_000_000_000, null, encoder.encode(value));
    const identity = this.#isPromised ? { producerId: this.#id, producerEpoch: 0, baseSequence } : {};
    return builder.build(identity).slice();
  }

  #delay(): number {
    return (this.#prng.below(1_000) * MAX_DELAY_MS) / 1_000;
  }
}

/** Reads along, below the high watermark, at whoever leads. */
export class RecordConsumer {
  readonly #world: SimWorld;
  readonly #history: RecordHistory;
  readonly #topic: string;
  readonly #partition: number;
  readonly #prng: SimPrng;
  #position = 0;
  /** The latest that was heard of: a client does not go back to the leader of an earlier one (KIP-320). */
  #leaderEpoch = -1;
  #isBusy = false;

  constructor(world: SimWorld, history: RecordHistory, topic: string, partition: number, prng: SimPrng) {
    this.#world = world;
    this.#history = history;
    this.#topic = topic;
    this.#partition = partition;
    this.#prng = prng;
  }

  /** Everything below has been read. */
  get position(): number {
    return this.#position;
  }

  poll(): void {
    if (this.#isBusy) return;
    const found = leaderOf(this.#world, this.#topic, this.#partition, this.#prng);
    const { node } = found?.host ?? {};
    const replicas = node?.replicas;
    if (found === undefined || replicas === undefined || found.host.isPaused) return;
    const { host, place } = found;
    if (place.leaderEpoch < this.#leaderEpoch) return;
    this.#leaderEpoch = place.leaderEpoch;
    this.#isBusy = true;
    const giveUp = this.#world.clock.after(500, () => {
      this.#isBusy = false;
    });
    const position = this.#position;
    const { answer } = replicas.fetch({
      maxWaitMs: 100,
      minBytes: 1,
      maxBytes: 4096,
      partitions: [
        {
          address: {
            topic: place.topic as TopicName,
            topicId: place.topicId as TopicId,
            partition: place.partition as PartitionIndex,
          },
          currentLeaderEpoch: place.leaderEpoch as LeaderEpoch,
          fetchOffset: position as Offset,
          maxBytes: 4096,
        },
      ],
    });
    void answer.then((fetched) => {
      giveUp.cancel();
      this.#isBusy = false;
      if (!('outcomes' in fetched)) return;
      replicas.responseBudget.giveBack(fetched.outcomes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
      const outcome = fetched.outcomes[0];
      if (host.node !== node || outcome === undefined || this.#position !== position) return;
      if (outcome.failure?.error === 'OFFSET_OUT_OF_RANGE') {
        this.#world.violations.report(
          'precommitted-read',
          `${this.#topic}-${this.#partition}: offset ${position}, which was read up to, is out of range: ${outcome.failure.message}`,
        );
      }
      if (outcome.failure === undefined) this.#took(outcome.parts);
    });
  }

  #took(parts: readonly Uint8Array[]): void {
    const name = `${this.#topic}-${this.#partition}`;
    const { values, baseOffset, gapAt } = valuesIn(parts);
    if (values.length === 0) return;
    if (gapAt !== undefined) {
      this.#world.violations.report('offset-gap', `${name}: read from ${baseOffset} and missed ${gapAt}`);
    }
    if (baseOffset > this.#position) {
      this.#world.violations.report(
        'poll-skip',
        `${name}: asked for ${this.#position} and got ${baseOffset}`,
      );
    }
    const known = Math.max(0, this.#position - baseOffset);
    this.#history.polled(name, this.#position, values.slice(known));
    this.#position = baseOffset + values.length;
  }
}

/** The records of whole batches, in order; `gapAt` is the first offset that is not there although a later one is. */
export function valuesIn(parts: readonly Uint8Array[]): {
  readonly baseOffset: number;
  readonly values: readonly string[];
  readonly gapAt: number | undefined;
} {
  let gapAt: number | undefined;
  const values: string[] = [];
  let baseOffset = -1;
  for (const part of parts) {
    const cursor = new RecordCursor({ codecs, maxInflatedBytes: 1 });
    cursor.load(part);
    while (cursor.next()) {
      if (baseOffset < 0) baseOffset = cursor.offset;
      const expected = baseOffset + values.length;
      if (cursor.offset !== expected) gapAt ??= expected;
      values.push(decoder.decode(cursor.value() ?? undefined));
    }
  }
  return { baseOffset: Math.max(0, baseOffset), values, gapAt };
}
