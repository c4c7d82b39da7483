// A controller with its image, for stories: every command's records are encoded, decoded and replayed, as on a real node.

import {
  applyRecords,
  BrokerSessions,
  Controller,
  decodeRecord,
  duties,
  encodeRecord,
  FIRST_DUTIES,
  imageInvariants,
  MetadataImage,
  type ControllerCommand,
  type DutyState,
  type Handled,
  type HeartbeatCommand,
  type HeartbeatResponse,
  type MetadataRecord,
  type NewTopic,
  type ResponseTo,
} from '@tidemark/controller';
import {
  brokerConfigs,
  describeProblems,
  resolveConfig,
  topicIdFromBytes,
  type BrokerConfig,
  type BrokerEpoch,
  type BrokerId,
  type Offset,
  type Prng,
} from '@tidemark/core';

/** Marsaglia's xorshift32: enough randomness for a test, and the same every time. */
export function seededPrng(seed: number): Prng {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  const uint32 = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return {
    uint32,
    below: (bound) => uint32() % bound,
    bytes: (length) => Uint8Array.from({ length }, () => uint32() & 0xff),
  };
}

export const SESSION_MS = 9000;
export const CLUSTER_ID = 'test-cluster';

export class TestCluster {
  image = MetadataImage.empty();
  nowMs = 1_000_000;
  /** What brokers that register say of their own files, and which disk they have: the broker's number, until it is another. */
  flushPolicy: 'ack' | 'os' = 'os';
  readonly disks = new Map<number, number>();
  readonly sessions = new BrokerSessions(SESSION_MS, 500);
  /** Of the last command. */
  records: readonly MetadataRecord[] = [];
  readonly config: BrokerConfig;
  onRecords: (records: readonly MetadataRecord[]) => void = () => undefined;
  readonly #controller: Controller;
  #duties: DutyState = FIRST_DUTIES;
  readonly #prng: Prng;

  constructor(file = '', seed = 1) {
    const resolved = resolveConfig(brokerConfigs, { file });
    if (!resolved.ok) throw new Error(describeProblems(resolved.problems));
    this.config = resolved.config;
    this.#controller = new Controller(resolved.config);
    this.#prng = seededPrng(seed);
  }

  /** With brokers 1 .. `count`, unfenced, each in the rack `rackOf` says. */
  static withBrokers(
    count: number,
    { file = '', rackOf = (_: number): string => '', seed = 1 } = {},
  ): TestCluster {
    const cluster = new TestCluster(file, seed);
    cluster.must({ type: 'registerCluster', clusterId: CLUSTER_ID });
    for (let id = 1; id <= count; id++) cluster.start(id, rackOf(id));
    return cluster;
  }

  run<C extends ControllerCommand>(command: C) {
    const base = (this.image.offset + 1) as Offset;
    const before = this.image;
    const { image, nowMs, sessions } = this;
    const result = this.#controller.handle(command, {
      image,
      nextOffset: base,
      prng: this.#prng,
      nowMs,
      sessions,
    });
    if (this.image !== before) throw new Error('a handler changed the image');
    this.records = result.ok ? result.records.map(throughCodec) : [];
    this.image = applyRecords(this.image, this.records, base);
    this.onRecords(this.records);
    const violations = imageInvariants(this.image, before);
    if (violations.length > 0) throw new Error(`${command.type}: ${violations.join('; ')}`);
    return result;
  }

  /** The response; throws when the command as a whole is refused. */
  must<C extends ControllerCommand>(command: C): ResponseTo<C> {
    const result = this.run(command);
    if (!result.ok) throw new Error(`${result.error}: ${result.message}`);
    return result.response;
  }

  /** Registers the broker and unfences it; answers its epoch. */
  start(id: number, rack = '', incarnation = this.#prng.uint32()): BrokerEpoch {
    const { brokerEpoch } = this.register(id, rack, incarnation);
    this.must({ type: 'unfenceBroker', brokerId: id as BrokerId, brokerEpoch });
    return brokerEpoch;
  }

  register(id: number, rack = '', incarnation = this.#prng.uint32(), previousBrokerEpoch: number = -1) {
    const result = this.tryRegister(id, rack, incarnation, previousBrokerEpoch);
    if (!result.ok) throw new Error(`${result.error}: ${result.message}`);
    return result.response;
  }

  tryRegister(id: number, rack = '', incarnation = this.#prng.uint32(), previousBrokerEpoch: number = -1) {
    return this.run({
      type: 'registerBroker',
      clusterId: CLUSTER_ID,
      brokerId: id as BrokerId,
      incarnationId: uuid(incarnation),
      endpoints: [{ name: 'CLIENT', host: `broker-${id}`, port: 9290 }],
      rack,
      directoryId: uuid(this.disks.get(id) ?? id),
      previousBrokerEpoch: previousBrokerEpoch as BrokerEpoch | -1,
      flushPolicy: this.flushPolicy,
    });
  }

  /** As a broker does it; the session is prolonged as the runtime does it. Caught up unless `appliedOffset` says less. */
  heartbeat(id: number, wants: Partial<HeartbeatCommand> = {}): Handled<HeartbeatResponse> {
    const brokerId = id as BrokerId;
    const brokerEpoch = this.image.broker(id)?.epoch ?? (0 as BrokerEpoch);
    const appliedOffset = (this.image.offset + 1) as Offset;
    const command: HeartbeatCommand = {
      type: 'heartbeat',
      brokerId,
      brokerEpoch,
      wantFence: false,
      wantShutDown: false,
      appliedOffset,
      ...wants,
    };
    const result = this.run(command);
    if (result.ok) this.sessions.touch(brokerId, command.brokerEpoch, this.nowMs, command.appliedOffset);
    return result;
  }

  /** Carries out the duties until there are none for now; answers the commands' types. */
  doDuties(limit = 100): string[] {
    const done: string[] = [];
    for (let round = 0; round < limit; round++) {
      const { commands, state } = duties(this.image, this.sessions, this.nowMs, this.config, this.#duties);
      this.#duties = state;
      if (commands.length === 0) return done;
      for (const command of commands) {
        this.must(command);
        done.push(command.type);
      }
    }
    throw new Error(`the duties never end: ${done.slice(-5).join()}`);
  }

  /** Lets time pass in which the brokers `ids` send their heartbeats and the duties are done. */
  pass(ms: number, ...ids: readonly number[]): void {
    const end = this.nowMs + ms;
    while (this.nowMs < end) {
      this.nowMs = Math.min(end, this.nowMs + 2000);
      for (const id of ids) this.heartbeat(id);
      this.doDuties();
    }
  }

  fence(id: number): void {
    const brokerEpoch = this.image.broker(id)!.epoch;
    this.must({ type: 'fenceBroker', brokerId: id as BrokerId, brokerEpoch });
  }

  create(...topics: readonly (Partial<NewTopic> & { readonly name: string })[]) {
    return this.must({ type: 'createTopics', topics: topics.map(newTopic), validateOnly: false }).topics;
  }

  /** The error of each topic, or 'ok'. */
  createErrors(...topics: readonly (Partial<NewTopic> & { readonly name: string })[]): string[] {
    return this.create(...topics).map((result) => (result.ok ? 'ok' : result.error));
  }

  partition(topic: string, index = 0) {
    return this.image.topicByName(topic)!.partitions[index]!;
  }
}

export function newTopic(topic: Partial<NewTopic> & { readonly name: string }): NewTopic {
  return { partitionCount: 0, replicationFactor: 0, assignments: [], configs: new Map(), ...topic };
}

export function uuid(n: number): string {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(12, n);
  return topicIdFromBytes(bytes);
}

function throughCodec(record: MetadataRecord): MetadataRecord {
  const decoded = decodeRecord(encodeRecord(record));
  if (!decoded.ok) throw new Error(decoded.message);
  return decoded.record;
}
