// The fetch stream of one broker: which partitions it pushes, and how many bytes it may push beyond what the application has taken.
// Changes made in one task go out as one message. Credit goes back in lumps, so that a message is not sent for each batch.
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { TidemarkError } from '@tidemark/core';
import { errorFromStatus, logService } from '@tidemark/rpc';
import type {
  Channel,
  FetchPartition,
  FetchPartitionResultOutput,
  FetchStreamRequest,
  FetchStreamResponseOutput,
} from '@tidemark/rpc';

export interface FetchConnectionOptions {
  readonly brokerId: number;
  readonly channel: Channel;
  /** The credit it begins with, and so the most that is ever on its way or waiting. */
  readonly windowBytes: number;
  readonly maxMessageBytes: number;
  readonly minBytes: number;
  readonly maxWaitMs: number;
  readonly onResult: (result: FetchPartitionResultOutput) => void;
  /** It is of no use any more. */
  readonly onBroken: (error: TidemarkError) => void;
}

interface Reference {
  readonly topic: string;
  readonly partition: number;
}

export class FetchConnection {
  readonly brokerId: number;
  readonly #options: FetchConnectionOptions;
  #stream: ClientDuplexStream<FetchStreamRequest, FetchStreamResponseOutput> | undefined;
  #add = new Map<string, FetchPartition>();
  #remove = new Map<string, Reference>();
  #owedBytes: number;
  #scheduled = false;
  #closed = false;

  constructor(options: FetchConnectionOptions) {
    this.#options = options;
    this.brokerId = options.brokerId;
    this.#owedBytes = options.windowBytes;
  }

  /** Pushes the partition from the offset on; one that is pushed already moves there. */
  add(partition: FetchPartition & Reference): void {
    const name = `${partition.topic}-${partition.partition}`;
    this.#remove.delete(name);
    this.#add.set(name, partition);
    this.#schedule();
  }

  remove({ topic, partition }: Reference): void {
    const name = `${topic}-${partition}`;
    this.#add.delete(name);
    this.#remove.set(name, { topic, partition });
    this.#schedule();
  }

  /** The application has taken so many bytes, or they were thrown away. */
  giveCredit(bytes: number): void {
    this.#owedBytes += bytes;
    if (this.#owedBytes * 4 >= this.#options.windowBytes) this.#schedule();
  }

  close(): void {
    this.#closed = true;
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#send();
    });
  }

  #send(): void {
    const { maxMessageBytes, minBytes, maxWaitMs } = this.#options;
    // The first message must name a partition.
    if (this.#stream === undefined && this.#add.size === 0) return;
    const limits = this.#stream === undefined ? { maxBytes: maxMessageBytes, minBytes, maxWaitMs } : {};
    const stream = (this.#stream ??= this.#open());
    stream.write({
      ...limits,
      add: [...this.#add.values()],
      remove: [...this.#remove.values()],
      creditBytes: this.#owedBytes,
    });
    this.#add = new Map();
    this.#remove = new Map();
    this.#owedBytes = 0;
  }

  #open(): ClientDuplexStream<FetchStreamRequest, FetchStreamResponseOutput> {
    const { channel, onResult, onBroken } = this.#options;
    const stream = channel.stream(logService.FetchStream);
    const broken = (error: TidemarkError): void => {
      if (this.#closed) return;
      this.close();
      onBroken(error);
    };
    stream.on('data', (message: FetchStreamResponseOutput) => {
      if (this.#closed) return;
      for (const result of message.results) onResult(result);
    });
    stream.on('error', (error: unknown) => {
      broken(errorFromStatus(error, channel.address));
    });
    stream.on('end', () => {
      broken(new TidemarkError('NETWORK_EXCEPTION', `${channel.address} ended the fetch stream`));
    });
    return stream;
  }
}
