// A cluster of LogService and ClusterService servers over plain arrays, for tests: each broker a grpc-js server on its own port, the
// partitions shared. It validates and stores batches as a leader does (offsets, producer sequences, the last five batches), and
// it injects faults: `onProduce` decides what becomes of each batch, `broker.sever()` cuts connections, and so on.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type {
  ServerDuplexStream,
  ServerWritableStream,
  UntypedServiceImplementation,
  handleUnaryCall,
} from '@grpc/grpc-js';
import { errorTable } from '@tidemark/core';
import type { ErrorName, LeaderEpoch, Offset } from '@tidemark/core';
import {
  batchBaseOffset,
  batchBaseSequence,
  batchLastOffset,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  batchSizeBytes,
  RecordCursor,
  rewriteBatch,
} from '@tidemark/record';
import { nodeCodecs } from '@tidemark/compression';
import { clusterService, groupService, logService } from '@tidemark/rpc';
import type { FakeCoordinator } from './fake-coordinator.ts';
import type {
  FetchPartitionOutput,
  FetchPartitionResult,
  FetchStreamRequestOutput,
  FetchStreamResponse,
  GetMetadataRequestOutput,
  DeleteRecordsRequestOutput,
  ListOffsetsRequestOutput,
  OffsetForLeaderEpochRequestOutput,
  ProducePartitionOutput,
  ProducePartitionResult,
  ProduceStreamRequestOutput,
  ProduceStreamResponse,
  WatchMetadataRequestOutput,
} from '@tidemark/rpc';

export type Fault =
  /** Store it and answer. */
  | 'store'
  /** Store it; the answer never comes. */
  | 'lose-answer'
  /** Neither store nor answer. */
  | 'lose-request'
  /** Store it, then cut the stream. */
  | 'store-and-cut'
  /** Cut the stream. */
  | 'cut'
  /** Answer this, store nothing. */
  | ErrorName;

export interface ProduceAttempt {
  readonly broker: FakeBroker;
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Uint8Array;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
  /** Counts all attempts on all partitions, from 1. */
  readonly attempt: number;
}

interface ProducerState {
  epoch: number;
  nextSequence: number;
  readonly recent: { baseSequence: number; recordCount: number; baseOffset: number }[];
}

export class FakePartition {
  leaderId = 1;
  leaderEpoch = 0;
  logStartOffset = 0;
  endOffset = 0;
  /** Epochs and where each began. */
  readonly epochs: { epoch: number; startOffset: number }[] = [{ epoch: 0, startOffset: 0 }];
  batches: Uint8Array[] = [];
  /** Those of them that are damaged on the leader's disk. */
  readonly unreadable = new Set<Uint8Array>();
  readonly producers = new Map<number, ProducerState>();

  /** An operating error's name, or where the batch is. */
  append(batch: Uint8Array): ErrorName | { baseOffset: number; duplicate: boolean } {
    const id = batchProducerId(batch);
    const epoch = batchProducerEpoch(batch);
    const baseSequence = batchBaseSequence(batch);
    const recordCount = batchRecordCount(batch);
    let state = this.producers.get(id);
    if (id >= 0) {
      if (state !== undefined && epoch < state.epoch) return 'INVALID_PRODUCER_EPOCH';
      if (state === undefined || epoch > state.epoch) {
        if (state !== undefined && baseSequence !== 0) return 'OUT_OF_ORDER_SEQUENCE_NUMBER';
        state = { epoch, nextSequence: baseSequence, recent: [] };
        this.producers.set(id, state);
      }
      const same = state.recent.find(
        (seen) => seen.baseSequence === baseSequence && seen.recordCount === recordCount,
      );
      if (same !== undefined) return { baseOffset: same.baseOffset, duplicate: true };
      if (baseSequence < state.nextSequence) return 'DUPLICATE_SEQUENCE_NUMBER';
      if (baseSequence > state.nextSequence) return 'OUT_OF_ORDER_SEQUENCE_NUMBER';
      state.nextSequence = (baseSequence + recordCount) & 0x7fffffff;
      state.recent.push({ baseSequence, recordCount, baseOffset: this.endOffset });
      if (state.recent.length > 5) state.recent.shift();
    }
    const baseOffset = this.endOffset;
    const stored = Uint8Array.from(batch);
    rewriteBatch(stored, 0, baseOffset as Offset, this.leaderEpoch as LeaderEpoch);
    this.batches.push(stored);
    this.endOffset += recordCount;
    return { baseOffset, duplicate: false };
  }

  /** As a batch that was made by somebody else: kept as it is, at the end. */
  place(batch: Uint8Array): void {
    const stored = Uint8Array.from(batch);
    const span = batchLastOffset(stored) - batchBaseOffset(stored) + 1;
    rewriteBatch(stored, 0, this.endOffset as Offset, this.leaderEpoch as LeaderEpoch);
    this.batches.push(stored);
    this.endOffset += span;
  }

  /** Text values, in log order. */
  values(): string[] {
    const cursor = new RecordCursor({ codecs: nodeCodecs() });
    const values: string[] = [];
    for (const batch of this.batches) {
      cursor.load(batch);
      while (cursor.next()) values.push(Buffer.from(cursor.value() ?? []).toString());
    }
    return values;
  }

  electLeader(leaderId: number): void {
    this.leaderId = leaderId;
    this.leaderEpoch += 1;
    this.epochs.push({ epoch: this.leaderEpoch, startOffset: this.endOffset });
  }
}

export class FakeTopic {
  readonly name: string;
  id: string;
  readonly partitions: FakePartition[];

  constructor(name: string, id: string, partitionCount: number) {
    this.name = name;
    this.id = id;
    this.partitions = Array.from({ length: partitionCount }, () => new FakePartition());
  }

  /** It has so many partitions from now on. */
  grow(partitionCount: number): void {
    while (this.partitions.length < partitionCount) this.partitions.push(new FakePartition());
  }
}

const detail = (name: ErrorName, message: string = errorTable[name].message) => ({
  name,
  message,
  code: errorTable[name].code,
  retriable: errorTable[name].retriable,
});

type ProduceCall = ServerDuplexStream<ProduceStreamRequestOutput, ProduceStreamResponse>;
type WatchCall = ServerWritableStream<WatchMetadataRequestOutput, unknown>;
type FetchCall = ServerDuplexStream<FetchStreamRequestOutput, FetchStreamResponse>;

function unary<Request, Answer>(answer: (request: Request) => Answer): handleUnaryCall<Request, Answer> {
  return (call, callback) => callback(null, answer(call.request));
}

interface Pushed {
  readonly entry: FetchPartitionOutput;
  nextOffset: number;
}

export class FakeFetchStream {
  readonly broker: FakeBroker;
  readonly call: FetchCall;
  readonly pushed = new Map<string, Pushed>();
  creditBytes = 0;
  creditGiven = 0;
  bytesPushed = 0;

  constructor(broker: FakeBroker, call: FetchCall) {
    this.broker = broker;
    this.call = call;
  }

  send(result: FetchPartitionResult): void {
    this.call.write({ results: [result] });
  }

  pump(): void {
    if (this.broker.isFrozen) return;
    for (const [name, pushed] of this.pushed) {
      while (this.pushed.get(name) === pushed && this.#pushOne(name, pushed));
    }
  }

  #pushOne(name: string, pushed: Pushed): boolean {
    const { entry } = pushed;
    const topic = this.broker.cluster.topics.get(entry.topic);
    const partition = topic?.partitions[entry.partition];
    const answer = {
      topic: entry.topic,
      topicId: entry.topicId,
      partition: entry.partition,
      positionId: entry.positionId,
      highWatermark: partition?.endOffset ?? -1,
      logStartOffset: partition?.logStartOffset ?? -1,
      leaderEpoch: partition?.leaderEpoch ?? -1,
    };
    const fail = (error: ErrorName): boolean => {
      this.pushed.delete(name);
      this.send({ ...answer, error: detail(error) });
      return false;
    };
    if (topic === undefined || partition === undefined) return fail('UNKNOWN_TOPIC_OR_PARTITION');
    if (entry.topicId !== topic.id) return fail('UNKNOWN_TOPIC_ID');
    if (partition.leaderId !== this.broker.id) return fail('NOT_LEADER_OR_FOLLOWER');
    const epochError = this.broker.epochError(partition, entry.currentLeaderEpoch);
    if (epochError !== undefined) return fail(epochError);
    if (pushed.nextOffset < partition.logStartOffset || pushed.nextOffset > partition.endOffset) {
      return fail('OFFSET_OUT_OF_RANGE');
    }
    const first = partition.batches.findIndex((bytes) => batchLastOffset(bytes) >= pushed.nextOffset);
    const batch = partition.batches[first];
    if (batch !== undefined && partition.unreadable.has(batch)) return fail('CORRUPT_MESSAGE');
    if (batch === undefined || this.creditBytes <= 0) return false;
    const together = partition.batches.slice(first, first + this.broker.cluster.batchesPerPush);
    const bytes = Buffer.concat(together);
    pushed.nextOffset = batchLastOffset(together.at(-1)!) + 1;
    this.creditBytes -= bytes.length;
    this.bytesPushed += bytes.length;
    this.send({ ...answer, batches: bytes });
    return true;
  }
}

export class FakeBroker {
  readonly cluster: FakeCluster;
  readonly id: number;
  port = 0;
  /** The leader epoch it takes for the present one of every partition; undefined: it knows. */
  believedEpoch: number | undefined;
  /** Its connections stand, and nothing comes of what is sent to it. */
  isFrozen = false;
  /** Asked on fetch streams whether it is there. */
  probes = 0;
  readonly fetchStreams = new Set<FakeFetchStream>();
  readonly produceStreams = new Set<ProduceCall>();
  readonly watches = new Set<WatchCall>();
  #server: Server | undefined;

  constructor(cluster: FakeCluster, id: number) {
    this.cluster = cluster;
    this.id = id;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const server = new Server({ 'grpc.max_receive_message_length': -1 });
    this.#server = server;
    const { cluster } = this;
    server.addService(clusterService, {
      GetMetadata: ((call, callback) => {
        if (this.isFrozen) return;
        const { topics, allTopics } = call.request;
        callback(
          null,
          cluster.askedMetadata(
            topics.map(({ name }) => name),
            allTopics,
          ),
        );
      }) satisfies handleUnaryCall<GetMetadataRequestOutput, unknown>,
      DescribeCluster: unary(() => ({ clusterId: 'fake', controllerId: 1, version: 'fake' })),
      WatchMetadata: (call: WatchCall) => this.#watchMetadata(call),
    });
    server.addService(logService, {
      Produce: unary(() => ({})),
      ProduceStream: (call: ProduceCall) => this.#produceStream(call),
      Fetch: unary(() => ({})),
      FetchStream: (call: FetchCall) => this.#fetchStream(call),
      ListOffsets: ((call, callback) => {
        if (this.isFrozen) return;
        callback(null, { results: call.request.partitions.map((entry) => cluster.listOffset(this, entry)) });
      }) satisfies handleUnaryCall<ListOffsetsRequestOutput, unknown>,
      OffsetForLeaderEpoch: unary(({ partitions }: OffsetForLeaderEpochRequestOutput) => ({
        results: partitions.map((entry) => cluster.epochEnd(this, entry)),
      })),
      DeleteRecords: unary(({ partitions }: DeleteRecordsRequestOutput) => ({
        results: partitions.map(({ topic, partition, beforeOffset }) => {
          cluster.deletions.push(beforeOffset);
          const failed = cluster.onDelete();
          const error = failed === undefined ? null : detail(failed);
          return { topic, partition, error, logStartOffset: failed === undefined ? beforeOffset : -1 };
        }),
      })),
      InitProducerId: unary(() => cluster.initProducerId()),
    });
    server.addService(groupService, this.#groupHandlers());
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
  }

  /** What a leader says to a request that goes by another leader epoch (KIP-320). */
  epochError(log: FakePartition, currentLeaderEpoch: number | null | undefined): ErrorName | undefined {
    if (currentLeaderEpoch === null || currentLeaderEpoch === undefined || currentLeaderEpoch < 0) {
      return undefined;
    }
    const known = this.believedEpoch ?? log.leaderEpoch;
    if (currentLeaderEpoch === known) return undefined;
    const error = currentLeaderEpoch < known ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH';
    this.cluster.epochErrors.push(error);
    return error;
  }

  /** Tells its watchers how things are now. */
  announce(): void {
    for (const call of this.watches) this.#tell(call);
  }

  #groupHandlers(): UntypedServiceImplementation {
    const handler =
      (method: string): handleUnaryCall<unknown, unknown> =>
      (call, callback) => {
        const { coordinator } = this.cluster;
        if (coordinator === undefined) throw new Error('this cluster has no coordinator');
        coordinator.serve(method, call.request, this.id).then(
          (answer) => callback(null, answer),
          (error: unknown) => callback(error as Error),
        );
      };
    return Object.fromEntries(Object.keys(groupService).map((method) => [method, handler(method)]));
  }

  /** Cuts every stream, as a broken connection does. */
  sever(): void {
    for (const call of this.produceStreams) cut(call);
    for (const { call } of this.fetchStreams) cut(call);
    for (const call of this.watches) cut(call);
  }

  stop(): void {
    this.#server?.forceShutdown();
  }

  #watchMetadata(call: WatchCall): void {
    if (!this.cluster.watchable) {
      call.end();
      return;
    }
    this.watches.add(call);
    const forget = (): void => void this.watches.delete(call);
    call.on('cancelled', forget);
    call.on('error', forget);
    this.#tell(call);
  }

  #tell(call: WatchCall): void {
    if (this.isFrozen) return;
    const names = call.request.topics.map(({ name }) => name);
    call.write({ metadata: this.cluster.metadata(names, call.request.allTopics) });
  }

  #produceStream(call: ProduceCall): void {
    this.produceStreams.add(call);
    const forget = (): void => void this.produceStreams.delete(call);
    call.on('end', () => {
      void this.cluster.pause.then(() => {
        forget();
        call.end();
      });
    });
    call.on('cancelled', forget);
    call.on('error', forget);
    call.on('data', (message: ProduceStreamRequestOutput) => {
      if (!this.produceStreams.has(call)) return;
      void this.cluster.pause.then(() => {
        this.#produce(call, message);
      });
    });
  }

  #produce(call: ProduceCall, message: ProduceStreamRequestOutput): void {
    const { correlationId, request } = message;
    if (!this.produceStreams.has(call) || this.isFrozen) return;
    this.cluster.traceParents.push(message.traceparent);
    const results: ProducePartitionResult[] = [];
    let answered = request?.acks !== 'ACKS_NONE';
    const bytes = (request?.partitions ?? []).reduce((sum, { batches }) => sum + batches.length, 0);
    if (bytes > this.cluster.maxRequestBytes) {
      const details = `Received message larger than max (${bytes} vs ${this.cluster.maxRequestBytes})`;
      call.emit('error', Object.assign(new Error(details), { code: 8, details }));
      this.produceStreams.delete(call);
      return;
    }
    for (const entry of request?.partitions ?? []) {
      const result = this.#store(entry);
      if (result === 'cut') {
        cut(call);
        this.produceStreams.delete(call);
        return;
      }
      if (result === 'silent') answered = false;
      else results.push(result);
    }
    this.cluster.pumpAll();
    if (!answered) return;
    const answer = { correlationId, response: { results, throttleMs: this.cluster.throttleMs } };
    if (this.cluster.holdAnswers) this.cluster.heldAnswers.push(() => call.write(answer));
    else call.write(answer);
  }

  /** The batches of an entry are stored all or none, as a log appends them. */
  #store(entry: ProducePartitionOutput): ProducePartitionResult | 'cut' | 'silent' {
    const { cluster } = this;
    const { topic, partition } = entry;
    const batches = batchesIn(entry.batches);
    const attempts = batches.map((bytes): ProduceAttempt => {
      const attempt = {
        broker: this,
        topic,
        partition,
        bytes,
        producerId: batchProducerId(bytes),
        producerEpoch: batchProducerEpoch(bytes),
        baseSequence: batchBaseSequence(bytes),
        recordCount: batchRecordCount(bytes),
        attempt: cluster.attempts.length + 1,
      };
      cluster.attempts.push(attempt);
      return attempt;
    });
    const log = cluster.topics.get(topic)?.partitions[partition];
    const answer = { topic, partition, topicId: entry.topicId, leaderEpoch: log?.leaderEpoch ?? -1 };
    const faults = attempts.map((attempt) => cluster.onProduce(attempt));
    const fault = faults.find((each) => each !== 'store') ?? 'store';
    if (fault === 'cut') return 'cut';
    if (fault === 'lose-request') return 'silent';
    if (log === undefined) return { ...answer, error: detail('UNKNOWN_TOPIC_OR_PARTITION'), baseOffset: -1 };
    if (log.leaderId !== this.id) {
      const currentLeader = cluster.hintLeaders
        ? { leaderId: log.leaderId, leaderEpoch: log.leaderEpoch }
        : null;
      return { ...answer, error: detail('NOT_LEADER_OR_FOLLOWER'), baseOffset: -1, currentLeader };
    }
    const epochError = this.epochError(log, entry.currentLeaderEpoch);
    if (epochError !== undefined) return { ...answer, error: detail(epochError), baseOffset: -1 };
    if (fault !== 'store' && fault !== 'lose-answer' && fault !== 'store-and-cut') {
      return { ...answer, error: detail(fault), baseOffset: -1 };
    }
    const stored = batches.map((bytes) => log.append(bytes));
    if (fault === 'store-and-cut') return 'cut';
    if (fault === 'lose-answer') return 'silent';
    const [first] = stored;
    if (first === undefined || typeof first === 'string') {
      return { ...answer, error: detail(first ?? 'INVALID_RECORD'), baseOffset: -1 };
    }
    if (stored.some((each) => typeof each === 'string' || each.duplicate !== first.duplicate)) {
      throw new Error('batches that go together are stored together');
    }
    return {
      ...answer,
      baseOffset: first.baseOffset,
      duplicate: first.duplicate,
      logAppendTimeMs: -1,
      logStartOffset: log.logStartOffset,
      inSyncReplicas: [log.leaderId],
      onDisk: true,
    };
  }

  #fetchStream(call: FetchCall): void {
    const stream = new FakeFetchStream(this, call);
    this.fetchStreams.add(stream);
    this.cluster.fetchStreamsOpened += 1;
    const forget = (): void => void this.fetchStreams.delete(stream);
    call.on('end', () => {
      forget();
      call.end();
    });
    call.on('cancelled', forget);
    call.on('error', forget);
    call.on('data', (request: FetchStreamRequestOutput) => {
      stream.creditBytes += request.creditBytes;
      stream.creditGiven += request.creditBytes;
      for (const { topic, partition } of request.remove) stream.pushed.delete(`${topic}-${partition}`);
      for (const entry of request.add) {
        this.cluster.fetchPositions.push(entry);
        stream.pushed.set(`${entry.topic}-${entry.partition}`, { entry, nextOffset: entry.fetchOffset });
      }
      if (request.probe) this.probes += 1;
      if (this.isFrozen) return;
      if (request.probe) call.write({ results: [] });
      else stream.pump();
    });
  }
}

function batchesIn(bytes: Uint8Array): readonly Uint8Array[] {
  const batches: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += batchSizeBytes(bytes, at)) {
    batches.push(bytes.subarray(at, at + batchSizeBytes(bytes, at)));
  }
  return batches;
}

/** As the transport does when it breaks: an error without an answer. */
function cut(call: { emit(event: 'error', error: Error): boolean }): void {
  call.emit('error', Object.assign(new Error('cut'), { code: 14, details: 'cut' }));
}

export class FakeCluster {
  readonly brokers: FakeBroker[];
  readonly topics = new Map<string, FakeTopic>();
  /** Of every group; undefined: there are no groups. */
  coordinator: FakeCoordinator | undefined;
  readonly attempts: ProduceAttempt[] = [];
  /** Every position asked for on a fetch stream, in order. */
  readonly fetchPositions: FetchPartitionOutput[] = [];
  fetchStreamsOpened = 0;
  /** So many go to a reader in one message. */
  batchesPerPush = 1;
  /** A produce request with more ends its stream, unread. */
  maxRequestBytes = Infinity;
  metadataRequests = 0;
  /** By the last of them. */
  askedTopics: readonly string[] = [];
  /** What requests of another leader epoch were answered, in order. */
  readonly epochErrors: ErrorName[] = [];
  /** The epochs that ListOffsets and OffsetForLeaderEpoch went by. */
  readonly lookupEpochs: (number | null | undefined)[] = [];
  /** Whether WatchMetadata is answered. */
  watchable = true;
  /** What happens to a batch that arrives. */
  onProduce: (attempt: ProduceAttempt) => Fault = () => 'store';
  /** Produce requests are looked at once this is settled. */
  pause: Promise<void> = Promise.resolve();
  holdAnswers = false;
  /** Of every produce request, in the order they came. */
  readonly traceParents: string[] = [];
  throttleMs = 0;
  readonly heldAnswers: (() => void)[] = [];
  hintLeaders = true;
  /** OffsetForLeaderEpoch is about to be answered. */
  onEpochEnd: () => void = () => undefined;
  /** Where each deletion that was asked for ends. */
  readonly deletions: number[] = [];
  onDelete: () => ErrorName | undefined = () => undefined;
  onInitProducerId: () => ErrorName | undefined = () => undefined;
  #nextProducerId = 1000;

  private constructor(brokerCount: number) {
    this.brokers = Array.from({ length: brokerCount }, (_, index) => new FakeBroker(this, index + 1));
  }

  static async start(brokerCount = 1): Promise<FakeCluster> {
    const cluster = new FakeCluster(brokerCount);
    for (const broker of cluster.brokers) await broker.start();
    return cluster;
  }

  get bootstrap(): string[] {
    return this.brokers.map(({ address }) => address);
  }

  broker(id: number): FakeBroker {
    return this.brokers[id - 1]!;
  }

  addTopic(name: string, partitionCount = 1): FakeTopic {
    const id = `${this.topics.size}`.padStart(21, 'A') + 'A';
    const topic = new FakeTopic(name, id, partitionCount);
    this.topics.set(name, topic);
    return topic;
  }

  /** Deletes the topic and makes another one under its name. */
  remakeTopic(name: string): FakeTopic {
    const { id, partitions } = this.topic(name);
    const remade = new FakeTopic(name, `B${id.slice(1)}`, partitions.length);
    this.topics.set(name, remade);
    return remade;
  }

  topic(name: string): FakeTopic {
    return this.topics.get(name)!;
  }

  partition(topic: string, partition = 0): FakePartition {
    return this.topics.get(topic)!.partitions[partition]!;
  }

  /** Every broker tells its watchers how things are now. */
  announce(): void {
    for (const broker of this.brokers) broker.announce();
  }

  /** Answers nobody sent yet, in the order given. */
  releaseAnswers(order?: readonly number[]): void {
    const held = this.heldAnswers.splice(0);
    const turns = order ?? held.map((_, index) => index);
    for (const index of turns) held[index]!();
  }

  pumpAll(): void {
    for (const broker of this.brokers) for (const stream of broker.fetchStreams) stream.pump();
  }

  stop(): void {
    for (const broker of this.brokers) broker.stop();
  }

  initProducerId() {
    const error = this.onInitProducerId();
    if (error !== undefined) return { error: detail(error) };
    return { producerId: this.#nextProducerId++, producerEpoch: 0 };
  }

  askedMetadata(names: readonly string[], all: boolean) {
    this.metadataRequests += 1;
    this.askedTopics = names;
    return this.metadata(names, all);
  }

  metadata(names: readonly string[], all: boolean) {
    const asked = all ? [...this.topics.keys()] : names;
    return {
      clusterId: 'fake',
      controllerId: 1,
      brokers: this.brokers.map(({ id, port }) => ({ id, host: '127.0.0.1', port })),
      topics: asked.map((name) => {
        const topic = this.topics.get(name);
        if (topic === undefined) return { name, error: detail('UNKNOWN_TOPIC_OR_PARTITION') };
        return {
          name,
          topicId: topic.id,
          partitions: topic.partitions.map(({ leaderId, leaderEpoch }, partition) => ({
            partition,
            leaderId,
            leaderEpoch,
            replicas: [leaderId],
            inSyncReplicas: [leaderId],
          })),
        };
      }),
    };
  }

  listOffset(broker: FakeBroker, entry: ListOffsetsRequestOutput['partitions'][number]) {
    const { topic, partition, timestampMs } = entry;
    const log = this.topics.get(topic)?.partitions[partition];
    if (log?.leaderId !== broker.id) {
      return { topic, partition, error: detail('NOT_LEADER_OR_FOLLOWER'), offset: -1 };
    }
    const epochError = broker.epochError(log, entry.currentLeaderEpoch);
    this.lookupEpochs.push(entry.currentLeaderEpoch);
    if (epochError !== undefined) return { topic, partition, error: detail(epochError), offset: -1 };
    const { leaderEpoch } = log;
    if (timestampMs === -1) return { topic, partition, offset: log.endOffset, leaderEpoch };
    if (timestampMs === -2) return { topic, partition, offset: log.logStartOffset, leaderEpoch };
    if (timestampMs < 0) return { topic, partition, error: detail('INVALID_REQUEST'), offset: -1 };
    const found = log.batches.find((batch) => batchMaxTimestamp(batch) >= timestampMs);
    return { topic, partition, leaderEpoch, offset: found === undefined ? -1 : batchBaseOffset(found) };
  }

  epochEnd(broker: FakeBroker, entry: OffsetForLeaderEpochRequestOutput['partitions'][number]) {
    const { topic, partition } = entry;
    const log = this.topics.get(topic)?.partitions[partition];
    if (log?.leaderId !== broker.id) {
      return { topic, partition, error: detail('NOT_LEADER_OR_FOLLOWER'), leaderEpoch: -1, endOffset: -1 };
    }
    this.onEpochEnd();
    const epochError = broker.epochError(log, entry.currentLeaderEpoch);
    this.lookupEpochs.push(entry.currentLeaderEpoch);
    const nothing = { topic, partition, leaderEpoch: -1, endOffset: -1 };
    if (epochError !== undefined) return { ...nothing, error: detail(epochError) };
    // As Kafka's epoch cache: nothing is said of an epoch above all that are known.
    if (entry.leaderEpoch > (log.epochs.at(-1)?.epoch ?? -1)) return nothing;
    const at = log.epochs.findLastIndex(({ epoch }) => epoch <= entry.leaderEpoch);
    const endOffset = log.epochs[at + 1]?.startOffset ?? log.endOffset;
    return { topic, partition, leaderEpoch: log.epochs[at]?.epoch ?? -1, endOffset };
  }
}
