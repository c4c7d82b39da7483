// One incarnation of a broker makes itself known to the controller (KIP-631). Contract: asks again and again until this node's own
// replica of the metadata shows the registration; gives up only when the cluster refuses it for good. An answer that is lost does
// no harm, because the controller knows the incarnation.

import type {
  ControllerCommand,
  Endpoint,
  MetadataImage,
  RegisterBrokerCommand,
  ResponseTo,
} from '@tidemark/controller';
import {
  type BrokerEpoch,
  type BrokerId,
  type Clock,
  errorTable,
  failure,
  type Failure,
  isFailure,
  type Prng,
  TidemarkError,
  type Timer,
  topicIdFromBytes,
} from '@tidemark/core';
import { Backoff } from './backoff.ts';

/** What a broker needs of its node's replica of the metadata. */
export interface BrokerMetadata {
  readonly image: MetadataImage;
  /** Of the quorum, as far as this node knows. */
  readonly term: number;
  onImage(listener: (image: MetadataImage, previous: MetadataImage) => void): () => void;
  submit<C extends ControllerCommand>(command: C, timeoutMs: number): Promise<ResponseTo<C> | Failure>;
}

/** Who registers. */
export interface BrokerIdentity {
  readonly clusterId: string;
  readonly brokerId: BrokerId;
  readonly endpoints: readonly Endpoint[];
  /** Empty when it has none. */
  readonly rack: string;
  /** A UUID of its log folder. */
  readonly directoryId: string;
  /** From the marker of a clean shutdown; -1 without one. */
  readonly previousBrokerEpoch: BrokerEpoch | -1;
  /** `flush.policy` of its own file. */
  readonly flushPolicy: 'ack' | 'os';
}

export interface RegistrationOptions {
  readonly metadata: BrokerMetadata;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly identity: BrokerIdentity;
  /** `broker.session.timeout.ms`. */
  readonly sessionTimeoutMs: number;
  /** How long one request may take, in ms: `controller.quorum.request.timeout.ms`. */
  readonly requestTimeoutMs: number;
  /** The first pause before a request is repeated, in ms: `controller.quorum.retry.backoff.ms`. It doubles up to a second. */
  readonly retryBackoffMs: number;
  readonly onRetry: (cause: Failure) => void;
}

export interface Registration {
  readonly epoch: BrokerEpoch;
  /** When the request was sent that the controller answered; its session began no earlier. */
  readonly contactMs: number;
}

export const MAX_RETRY_BACKOFF_MS = 1000;
/**
 * An earlier incarnation that died counts as alive until its session is over, which every controller that becomes active begins
 * anew. Whoever is alive so long after the last change of controllers is another process with our id.
 */
const SESSIONS_TO_WAIT = 2;

export class BrokerRegistration {
  readonly #options: RegistrationOptions;
  readonly #command: RegisterBrokerCommand;
  readonly #backoff: Backoff;
  readonly #stopWatching: () => void;
  #settle: (outcome: BrokerEpoch | Failure) => void = () => undefined;
  /** The epoch once the image shows it, or why it never will. */
  readonly #shown: Promise<BrokerEpoch | Failure>;
  #answered: BrokerEpoch | undefined;
  #duplicateSince: { readonly atMs: number; readonly term: number } | undefined;
  #isOver = false;
  #wake: () => void = () => undefined;
  #pause: Timer | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    const incarnationId = topicIdFromBytes(options.prng.bytes(16));
    this.#command = { type: 'registerBroker', incarnationId, ...options.identity };
    this.#backoff = new Backoff(options.prng, options.retryBackoffMs, MAX_RETRY_BACKOFF_MS);
    this.#shown = new Promise((resolve) => {
      this.#settle = (outcome) => {
        this.#isOver = true;
        resolve(outcome);
        this.#stopWatching();
        this.#pause?.cancel();
        this.#wake();
      };
    });
    this.#stopWatching = options.metadata.onImage((image) => this.#look(image));
  }

  /** Called once. Rejects with TidemarkError when it is refused for good, overtaken or closed. */
  async run(): Promise<Registration> {
    const { metadata, clock, requestTimeoutMs } = this.#options;
    const firstMs = clock.monotonicMs();
    let contactMs = firstMs;
    this.#look(metadata.image);
    while (!this.#isOver && this.#answered === undefined) {
      contactMs = clock.monotonicMs();
      const shown = this.#shown.then(() => undefined);
      const answer = await Promise.race([metadata.submit(this.#command, requestTimeoutMs), shown]);
      if (answer === undefined) break;
      if (!isFailure(answer)) {
        this.#answered = answer.brokerEpoch;
        this.#look(metadata.image);
      } else if (this.#isFinal(answer)) this.#settle(answer);
      else {
        this.#options.onRetry(answer);
        await this.#sleep(this.#backoff.next());
      }
    }
    const outcome = await this.#shown;
    if (isFailure(outcome)) throw TidemarkError.from(outcome);
    return { epoch: outcome, contactMs: this.#answered === undefined ? firstMs : contactMs };
  }

  /** Ends it, if it is not over: `run` rejects. */
  close(): void {
    this.#settle(failure('NETWORK_EXCEPTION', 'This node is shutting down.'));
  }

  #look(image: MetadataImage): void {
    const { brokerId } = this.#options.identity;
    const shown = image.broker(brokerId);
    if (shown?.incarnationId === this.#command.incarnationId) this.#settle(shown.epoch);
    else if (shown !== undefined && this.#answered !== undefined && shown.epoch > this.#answered) {
      this.#settle(failure('STALE_BROKER_EPOCH', `Another process registered as broker ${brokerId}.`));
    }
  }

  /** Whether asking again is of no use. */
  #isFinal(cause: Failure): boolean {
    const { metadata, clock, sessionTimeoutMs } = this.#options;
    if (cause.error === 'DUPLICATE_BROKER_REGISTRATION') {
      const { term } = metadata;
      if (this.#duplicateSince?.term !== term) this.#duplicateSince = { atMs: clock.monotonicMs(), term };
      return clock.monotonicMs() - this.#duplicateSince.atMs >= SESSIONS_TO_WAIT * sessionTimeoutMs;
    }
    this.#duplicateSince = undefined;
    // A cluster that has no id yet is on the way to get one.
    if (cause.error === 'INCONSISTENT_CLUSTER_ID') return metadata.image.clusterId !== '';
    return !errorTable[cause.error].retriable;
  }

  async #sleep(pauseMs: number): Promise<void> {
    if (this.#isOver) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#pause = this.#options.clock.setTimer(pauseMs, resolve);
    });
  }
}
