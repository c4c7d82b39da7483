// One broker in this process on ports the system chose, in a folder of its own, and a plain grpc-js client to it: what a foreign
// client would see, without our client library between.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, type ClientReadableStream, type MethodDefinition } from '@grpc/grpc-js';
import type { Tracer } from '@opentelemetry/api';
import { brokerConfigs, describeProblems, resolveConfig, type BrokerConfig, type Disk } from '@tidemark/core';
import { BatchBuilder, type BuildOptions } from '@tidemark/record';
import {
  adminService,
  logService,
  type CreateTopicResultOutput,
  type FetchPartitionResultOutput,
  type FetchRequest,
  type FetchStreamRequest,
  type FetchStreamResponseOutput,
  type ProducePartition,
  type ProducePartitionResultOutput,
  type ProduceRequest,
  type ProduceStreamRequest,
  type ProduceStreamResponseOutput,
} from '@tidemark/rpc';
import { startBroker, type RunningBroker } from '@tidemark/broker';
import { pino } from 'pino';

export const silent = pino({ level: 'silent' });

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'tidemark-broker-'));
}

export function testConfig(folder: string, settings: Readonly<Record<string, string>> = {}): BrokerConfig {
  const resolved = resolveConfig(brokerConfigs, {
    options: {
      'log.dirs': folder,
      listeners: 'CLIENT://127.0.0.1:0,PEER://127.0.0.1:0,HTTP://127.0.0.1:0',
      ...settings,
    },
  });
  if (!resolved.ok) throw new Error(describeProblems(resolved.problems));
  return resolved.config;
}

type Method<I, O> = Pick<MethodDefinition<I, O>, 'path' | 'requestSerialize' | 'responseDeserialize'>;

export class TestBroker {
  readonly folder: string;
  readonly broker: RunningBroker;
  readonly client: Client;

  private constructor(folder: string, broker: RunningBroker) {
    this.folder = folder;
    this.broker = broker;
    this.client = new Client(`127.0.0.1:${this.port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  /** Without `folder`, in a new one that `stop` removes. */
  static async start(
    settings: Readonly<Record<string, string>> = {},
    folder: string = temporaryFolder(),
    diskAt?: (folder: string) => Disk,
    tracer?: Tracer,
  ): Promise<TestBroker> {
    const config = testConfig(folder, settings);
    const options = { ...(diskAt && { diskAt }), ...(tracer && { tracer }) };
    return new TestBroker(folder, await startBroker({ config, log: silent, ...options }));
  }

  get port(): number {
    return this.broker.ports.get('CLIENT')!;
  }

  async stop(keepFolder = false): Promise<void> {
    this.client.close();
    await this.broker.close(200);
    if (!keepFolder) rmSync(this.folder, { recursive: true, force: true });
  }

  call<I, O>(method: Method<I, O>, request: I): Promise<O> {
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = method;
      this.client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) => {
        if (error) reject(error);
        else resolve(answer!);
      });
    });
  }

  async createTopic(
    name: string,
    partitionCount = 1,
    configs: Record<string, string> = {},
  ): Promise<CreateTopicResultOutput> {
    const { results } = await this.call(adminService.CreateTopics, {
      topics: [{ name, partitionCount, configs }],
    });
    return results[0]!;
  }

  async produce(
    partition: ProducePartition,
    rest: Omit<ProduceRequest, 'partitions'> = {},
  ): Promise<ProducePartitionResultOutput> {
    const { results } = await this.call(logService.Produce, { ...rest, partitions: [partition] });
    return results[0]!;
  }

  async fetch(
    partition: NonNullable<FetchRequest['partitions']>[number],
    rest: Omit<FetchRequest, 'partitions'> = {},
  ): Promise<FetchPartitionResultOutput> {
    const { results } = await this.call(logService.Fetch, { ...rest, partitions: [partition] });
    return results[0]!;
  }

  produceStream(): TestStream<ProduceStreamRequest, ProduceStreamResponseOutput> {
    const { path, requestSerialize, responseDeserialize } = logService.ProduceStream;
    return new TestStream<ProduceStreamRequest, ProduceStreamResponseOutput>(
      this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize),
    );
  }

  fetchStream(): TestStream<FetchStreamRequest, FetchStreamResponseOutput> {
    const { path, requestSerialize, responseDeserialize } = logService.FetchStream;
    return new TestStream<FetchStreamRequest, FetchStreamResponseOutput>(
      this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize),
    );
  }
}

/** Without `write` and `end`: a stream the server alone speaks on. */
type StreamCall<Request, Response> = ClientReadableStream<Response> & {
  write?(request: Request): boolean;
  end?(): void;
};

/** A stream whose messages one waits for one by one. */
export class TestStream<Request, Response> {
  readonly call: StreamCall<Request, Response>;
  readonly #messages: AsyncIterator<Response>;

  constructor(call: StreamCall<Request, Response>) {
    this.call = call;
    this.#messages = call[Symbol.asyncIterator]() as AsyncIterator<Response>;
  }

  send(request: Request): void {
    this.call.write?.(request);
  }

  /** `undefined` at the end of the stream. Rejects with the status. */
  async next(): Promise<Response | undefined> {
    const { done, value } = await this.#messages.next();
    return done === true ? undefined : value;
  }

  cancel(): void {
    // Cancelling shows as an error of the stream that nobody waits for any more.
    this.call.on('error', () => undefined);
    this.call.cancel();
  }
}

/** One batch of these values, keys null, as a producer would send it. */
export function batchOf(
  values: readonly string[],
  options: BuildOptions & { timestampMs?: number } = {},
): Buffer {
  const builder = new BatchBuilder({ capacityBytes: 1024 });
  for (const value of values) builder.append(options.timestampMs ?? Date.now(), null, Buffer.from(value));
  return Buffer.from(builder.build(options));
}
