// The fetch stream of one broker: which partitions it pushes, and how many bytes it may push beyond what the application has taken.
// Changes made in one task go out as one message. Credit goes back in lumps, so that a message is not sent for each batch. A broker
// with nothing to push is silent, and so is one that is frozen or cut off: after a silence it is asked whether it is there.
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { TidemarkError } from '@tidemark/core';
import type { Clock, Timer } from '@tidemark/core';
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
  readonly clock: Clock;
  /** The most that is ever on its way or waiting. */
  readonly windowBytes: number;
  /** The credit it begins with: the window without what is waiting already. Below 0: so much is to be taken before there is any. */
  readonly beginsWithBytes: number;
  readonly maxMessageBytes: number;
  readonly minBytes: number;
  readonly maxWaitMs: number;
  readonly onResult: (result: FetchPartitionResultOutput) => void;
  /** The broker does not say that it is there. Told again and again for as long as that is so. */
  readonly onSilent: () => void;
  /** It is of no use any more. */
  readonly onBroken: (error: TidemarkError) => void;
}

/** Nothing came for so long: the broker is asked. */
const SILENT_MS = 1_500;
/** It says at once that it is there. */
const PROBE_ANSWER_MS = 500;

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
  #heardMs = -Infinity;
  #probedMs = -Infinity;
  #timer: Timer | undefined;
  #scheduled = false;
  #closed = false;

  constructor(options: FetchConnectionOptions) {
    this.#options = options;
    this.brokerId = options.brokerId;
    this.#owedBytes = options.beginsWithBytes;
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
    this.#timer?.cancel();
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
    const creditBytes = Math.max(0, this.#owedBytes);
    stream.write({
      ...limits,
      add: [...this.#add.values()],
      remove: [...this.#remove.values()],
      creditBytes,
    });
    this.#add = new Map();
    this.#remove = new Map();
    this.#owedBytes -= creditBytes;
  }

  #open(): ClientDuplexStream<FetchStreamRequest, FetchStreamResponseOutput> {
    const { channel, clock, onResult, onBroken } = this.#options;
    const stream = channel.stream(logService.FetchStream);
    this.#heardMs = clock.monotonicMs();
    this.#listen();
    const broken = (error: TidemarkError): void => {
      if (this.#closed) return;
      this.close();
      onBroken(error);
    };
    stream.on('data', (message: FetchStreamResponseOutput) => {
      if (this.#closed) return;
      this.#heardMs = clock.monotonicMs();
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

  /** Looks again when the silence has lasted too long, if nothing comes before. */
  #listen(): void {
    const { clock } = this.#options;
    const quietMs = clock.monotonicMs() - this.#heardMs;
    this.#timer = clock.setTimer(Math.max(1, Math.ceil(SILENT_MS - quietMs)), () => {
      if (clock.monotonicMs() - this.#heardMs < SILENT_MS) this.#listen();
      else this.#probe();
    });
  }

  #probe(): void {
    const { clock, onSilent } = this.#options;
    // One that was not answered is not followed by another.
    if (this.#probedMs <= this.#heardMs) this.#stream?.write({ probe: true });
    this.#probedMs = clock.monotonicMs();
    this.#timer = clock.setTimer(PROBE_ANSWER_MS, () => {
      if (this.#heardMs >= this.#probedMs) {
        this.#listen();
        return;
      }
      this.#timer = clock.setTimer(SILENT_MS, () => this.#listen());
      onSilent();
    });
  }
}
