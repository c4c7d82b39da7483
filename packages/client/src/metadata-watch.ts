// A WatchMetadata stream to some broker for as long as leaders are in doubt, or somebody wants to hear of topics: what changes is then
// known when that broker knows it, and not when somebody asks next. It only adds to the polling of `ClusterMetadata`, which goes on: a
// broker that is cut off from the controllers keeps its watchers waiting without a word until its session is over.
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Clock, Timer } from '@tidemark/core';
import { clusterService } from '@tidemark/rpc';
import type { CallDefinition, RequestOf, ResponseOf } from '@tidemark/rpc';
import { backoffMs } from './backoff.ts';
import type { Connections } from './connections.ts';

type WatchRequest = RequestOf<typeof clusterService.WatchMetadata>;
type WatchAnswer = ResponseOf<typeof clusterService.WatchMetadata>;
export type WatchedMetadata = NonNullable<WatchAnswer['metadata']>;

export interface MetadataWatchOptions {
  readonly connections: Connections;
  readonly clock: Clock;
  readonly random: () => number;
  /** Another address with each call. */
  readonly nextAddress: () => string;
  /** How many of them there are. */
  readonly addressCount: () => number;
  readonly topics: () => readonly string[];
  /** `all`: of every topic there is. */
  readonly onMetadata: (metadata: WatchedMetadata, all: boolean) => void;
}

/** How long after the last doubt it goes on; a client that waits for a leader has doubts more often. */
const LASTS_MS = 10_000;
/** The first answer is what the broker knows, so it comes at once, or the broker is not there. */
const FIRST_ANSWER_MS = 1_500;
const BACKOFF = { firstMs: 50, maxMs: 1_000 };
/** With no leader in doubt there is no hurry. */
const HELD_BACKOFF = { firstMs: 50, maxMs: 10_000 };

const method: CallDefinition<WatchRequest, WatchAnswer> = clusterService.WatchMetadata;

export class MetadataWatch {
  readonly #options: MetadataWatchOptions;
  #stream: ClientDuplexStream<WatchRequest, WatchAnswer> | undefined;
  /** Of the broker that is watched. */
  #address: string | undefined;
  #untilMs = -Infinity;
  /** Who wants it to go on whatever the leaders, and how many of them want every topic. */
  #holders = 0;
  #holdersOfAll = 0;
  #failures = 0;
  /** Until it is over, until the first answer is late, or until the next attempt. */
  #timer: Timer | undefined;
  #live = false;
  #closed = false;

  constructor(options: MetadataWatchOptions) {
    this.#options = options;
  }

  /** The stream has answered: what that broker learns is known here at once. */
  get isLive(): boolean {
    return this.#live;
  }

  /** Leaders have been in doubt of late. */
  get isWanted(): boolean {
    return this.#options.clock.monotonicMs() < this.#untilMs;
  }

  /** Leaders are in doubt. */
  keep(): void {
    if (this.#closed) return;
    this.#untilMs = this.#options.clock.monotonicMs() + LASTS_MS;
    this.#begin();
  }

  /** It goes on until the function answered is called; `all`: about every topic there is. */
  hold(all: boolean): () => void {
    if (this.#closed) return () => undefined;
    this.#holders += 1;
    if (all) this.#holdersOfAll += 1;
    if (all && this.#holdersOfAll === 1) this.topicsChanged();
    this.#begin();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holders -= 1;
      if (all) this.#holdersOfAll -= 1;
      if (this.#holders === 0 && this.#live) this.#endLater();
      else if (!this.#isNeeded) this.#drop();
    };
  }

  /** Other topics are asked for from here on. */
  topicsChanged(): void {
    if (this.#stream === undefined) return;
    this.#drop();
    this.#open();
  }

  /** Watches somebody else, if it is this broker that is watched. */
  leave(address: string): void {
    if (this.#stream === undefined || this.#address !== address) return;
    this.#drop();
    if (this.#isNeeded) this.#open();
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  get #isNeeded(): boolean {
    return !this.#closed && (this.#holders > 0 || this.isWanted);
  }

  #begin(): void {
    if (this.#stream !== undefined || this.#timer !== undefined) return;
    this.#failures = 0;
    this.#open();
  }

  #open(): void {
    const { connections, nextAddress, topics, clock, onMetadata } = this.#options;
    // Closed together with the client.
    if (connections.closed) return;
    const all = this.#holdersOfAll > 0;
    this.#address = nextAddress();
    const stream = connections.channel(this.#address).stream(method);
    this.#stream = stream;
    const ended = (): void => {
      if (stream === this.#stream) this.#failed();
    };
    stream.on('error', ended);
    stream.on('end', ended);
    stream.on('data', ({ metadata }: WatchAnswer) => {
      if (stream !== this.#stream || metadata === null) return;
      if (!this.#live) {
        this.#live = true;
        this.#failures = 0;
        this.#endLater();
      }
      onMetadata(metadata, all);
    });
    stream.write(all ? { allTopics: true } : { topics: topics().map((name) => ({ name })) });
    stream.end();
    this.#timer = clock.setTimer(FIRST_ANSWER_MS, ended);
  }

  /** The next address at once; once all have been tried, after a pause. */
  #failed(): void {
    const { clock, random, addressCount } = this.#options;
    this.#drop();
    if (!this.#isNeeded) return;
    this.#failures += 1;
    const rounds = this.#failures - addressCount() + 1;
    const pauseMs = rounds <= 0 ? 0 : backoffMs(this.isWanted ? BACKOFF : HELD_BACKOFF, rounds, random);
    this.#timer = clock.setTimer(Math.ceil(pauseMs), () => {
      this.#timer = undefined;
      if (this.#isNeeded) this.#open();
    });
  }

  #endLater(): void {
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#holders > 0) return;
    this.#timer = clock.setTimer(Math.max(0, Math.ceil(this.#untilMs - clock.monotonicMs())), () => {
      if (this.isWanted) this.#endLater();
      else this.#drop();
    });
  }

  #drop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#live = false;
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
  }
}
