// BrokerLifecycle: a broker's life with the controller (KIP-631): it registers, heartbeats, is unfenced, and is taken out of
// service before it stops. Contract: at most one heartbeat under way; contact counts from when a heartbeat was sent, so that
// this node holds itself for isolated no later than the controller holds it for dead.

import type { HeartbeatResponse, MetadataImage } from '@tidemark/controller';
import {
  type BrokerEpoch,
  failure,
  type Failure,
  invariant,
  isFailure,
  type Offset,
  TidemarkError,
  type Timer,
} from '@tidemark/core';
import { Backoff } from './backoff.ts';
import {
  BrokerRegistration,
  MAX_RETRY_BACKOFF_MS,
  type Registration,
  type RegistrationOptions,
} from './broker-registration.ts';

export interface BrokerLifecycleOptions extends Omit<RegistrationOptions, 'onRetry'> {
  /** `broker.heartbeat.interval.ms`; below the session's time-out. */
  readonly heartbeatIntervalMs: number;
  /** It has a reason of its own to serve nobody for a while, e.g. a full disk. Absent: never. */
  readonly wantsFence?: (() => boolean) | undefined;
  /** Told when a request failed and will be repeated: at first, when the cause changes, and every ten seconds. */
  readonly onRetry: (cause: Failure, doing: 'register' | 'heartbeat') => void;
  /** Another incarnation has taken over, or the broker was removed: this one must end. Called once. */
  readonly onFenced: (cause: Failure) => void;
  /** A bug: the process ends. */
  readonly onFatal: (cause: unknown) => void;
}

const RETRY_TOLD_EVERY_MS = 10_000;
/** What the controller waits for is told at once, but no more often than this. */
const PROMPT_HEARTBEAT_MS = 50;
/** A broker that wants to stop and has not heard the controller for this part of its session does not wait for it any more. */
const SILENT_PART_OF_SESSION = 3;
/** How often a broker that wants to stop asks whether it may, when nothing in the metadata moves. */
const SHUTDOWN_HEARTBEAT_MS = 200;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (cause: TidemarkError) => void;
}

export class BrokerLifecycle {
  readonly #options: BrokerLifecycleOptions;
  readonly #registering: BrokerRegistration;
  readonly #backoff: Backoff;
  readonly #waiters: Waiter[] = [];
  #stopWatching: (() => void) | undefined;
  #registration: Registration | undefined;
  /** When the last heartbeat was sent that was answered; the registration before there was one. */
  #lastContactMs = -Infinity;
  #lastSentMs = -Infinity;
  #timer: Timer | undefined;
  #inFlight = false;
  /** There is news for the controller that the heartbeat under way does not carry. */
  #hasNews = false;
  /** The last heartbeat failed; the next one waits for its turn. */
  #isFailing = false;
  #isReady = false;
  #shutdown: { readonly done: Promise<boolean>; readonly settle: (controlled: boolean) => void } | undefined;
  #shutdownMs = -Infinity;
  #told: { readonly error: string; readonly atMs: number } | undefined;
  #isStarted = false;
  #isFenced = false;
  #isOver = false;

  constructor(options: BrokerLifecycleOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.prng, options.retryBackoffMs, MAX_RETRY_BACKOFF_MS);
    const onRetry = (cause: Failure): void => this.#tell(cause, 'register');
    this.#registering = new BrokerRegistration({ ...options, onRetry });
  }

  /**
   * Registers this incarnation, however long that takes; resolves with its epoch once this node's image shows it. Called once.
   * Rejects with TidemarkError when the cluster refuses it for good: any error that is not retriable, of which
   * DUPLICATE_BROKER_REGISTRATION only once the session of an earlier incarnation must be over.
   */
  async register(): Promise<BrokerEpoch> {
    this.#registration = await this.#registering.run();
    this.#lastContactMs = this.#registration.contactMs;
    return this.#registration.epoch;
  }

  /** Begins to heartbeat: fenced until `ready`. After `register`, once. */
  start(): void {
    invariant(this.#registration !== undefined && !this.#isStarted, 'started once, after it registered');
    if (this.#isOver) return;
    this.#isStarted = true;
    this.#stopWatching = this.#options.metadata.onImage((image) => this.#look(image));
    this.#schedule(0);
    this.#look(this.#options.metadata.image);
  }

  /** Its partitions are open: it may be unfenced. */
  ready(): void {
    this.#isReady = true;
    this.#prompt(0);
  }

  /** `wantsFence` may have changed. */
  wishesChanged(): void {
    this.#prompt(0);
  }

  /** Resolves once this node's image shows the broker unfenced. Rejects with TidemarkError when that will not happen any more. */
  unfenced(): Promise<void> {
    if (this.#isOver) return Promise.reject(overError());
    if (this.#isUnfenced(this.#options.metadata.image)) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** By the monotonic clock: when the last heartbeat that was answered was sent. -Infinity before the registration. */
  get lastContactMs(): number {
    return this.#lastContactMs;
  }

  /** For as long as a session no contact, or fenced for good: others may lead what this broker led, so it must not acknowledge. */
  get isIsolated(): boolean {
    const { clock, sessionTimeoutMs } = this.#options;
    return this.#isFenced || clock.monotonicMs() - this.#lastContactMs >= sessionTimeoutMs;
  }

  /**
   * Asks the controller to take everything from this broker. True once it has and the process may end; false when that did not
   * come about within `timeoutMs`, or nobody decides. Heartbeats end with it. Called again it answers the same.
   */
  shutDown(timeoutMs: number): Promise<boolean> {
    if (this.#shutdown !== undefined) return this.#shutdown.done;
    if (this.#isOver || !this.#isStarted) return Promise.resolve(false);
    let resolveDone: (controlled: boolean) => void = () => undefined;
    const done = new Promise<boolean>((resolve) => (resolveDone = resolve));
    const deadline = this.#options.clock.setTimer(timeoutMs, () => settle(false));
    const settle = (controlled: boolean): void => {
      deadline.cancel();
      resolveDone(controlled);
      this.#end(overError());
    };
    this.#shutdown = { done, settle };
    this.#shutdownMs = this.#options.clock.monotonicMs();
    this.#prompt(0);
    return done;
  }

  /** Ends the heartbeats and fails what waits. Idempotent. The session runs out by itself. */
  close(): void {
    this.#registering.close();
    this.#end(overError());
  }

  #end(cause: TidemarkError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#stopWatching?.();
    for (const { reject } of this.#waiters.splice(0)) reject(cause);
    this.#shutdown?.settle(false);
  }

  #fence(cause: Failure): void {
    if (this.#isOver) return;
    this.#isFenced = true;
    this.#end(TidemarkError.from(cause));
    this.#options.onFenced(cause);
  }

  #look(image: MetadataImage): void {
    if (this.#isOver) return;
    const { brokerId } = this.#options.identity;
    const shown = image.broker(brokerId);
    if (shown?.epoch !== this.#registration?.epoch) {
      const what = shown === undefined ? 'was removed from the cluster' : 'was registered by another process';
      this.#fence(failure('STALE_BROKER_EPOCH', `Broker ${brokerId} ${what}.`));
      return;
    }
    if (this.#isUnfenced(image)) for (const { resolve } of this.#waiters.splice(0)) resolve();
    // The controller waits for our applied offset before it unfences us, and before it lets another broker go.
    const isAwaited = this.#isReady && shown?.fenced === true;
    if (isAwaited || image.brokers().some((broker) => broker.inControlledShutdown && !broker.fenced)) {
      this.#prompt(PROMPT_HEARTBEAT_MS);
    }
  }

  #isUnfenced(image: MetadataImage): boolean {
    const shown = image.broker(this.#options.identity.brokerId);
    return shown !== undefined && shown.epoch === this.#registration?.epoch && !shown.fenced;
  }

  /** The next heartbeat goes out at once, or this long after the last one; after the one under way in any case. */
  #prompt(afterLastMs: number): void {
    if (this.#isOver || !this.#isStarted) return;
    if (this.#inFlight) this.#hasNews = true;
    else if (!this.#isFailing || afterLastMs === 0)
      this.#schedule(this.#lastSentMs + afterLastMs - this.#options.clock.monotonicMs());
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(Math.max(0, delayMs), () => {
      this.#beat().catch(this.#options.onFatal);
    });
  }

  async #beat(): Promise<void> {
    const { metadata, clock, requestTimeoutMs } = this.#options;
    const sentMs = clock.monotonicMs();
    this.#lastSentMs = sentMs;
    this.#inFlight = true;
    this.#hasNews = false;
    const answer = await metadata.submit(
      {
        type: 'heartbeat',
        brokerId: this.#options.identity.brokerId,
        brokerEpoch: this.#registration!.epoch,
        wantFence: !this.#isReady || this.#options.wantsFence?.() === true,
        wantShutDown: this.#shutdown !== undefined,
        appliedOffset: (metadata.image.offset + 1) as Offset,
      },
      requestTimeoutMs,
    );
    this.#inFlight = false;
    if (this.#isOver) return;
    if (isFailure(answer)) this.#beatFailed(answer);
    else this.#beatAnswered(answer, sentMs);
  }

  #beatFailed(cause: Failure): void {
    if (cause.error === 'STALE_BROKER_EPOCH' || cause.error === 'BROKER_ID_NOT_REGISTERED') {
      this.#fence(cause);
      return;
    }
    const { clock, sessionTimeoutMs } = this.#options;
    const silentMs = clock.monotonicMs() - Math.max(this.#lastContactMs, this.#shutdownMs);
    if (this.#shutdown !== undefined && silentMs >= sessionTimeoutMs / SILENT_PART_OF_SESSION) {
      // Nobody decides: the others may be stopping too. Whoever leads next will take over what is led here.
      this.#shutdown.settle(false);
      return;
    }
    this.#tell(cause, 'heartbeat');
    this.#isFailing = true;
    this.#schedule(Math.min(this.#backoff.next(), this.#options.heartbeatIntervalMs));
  }

  #beatAnswered(answer: HeartbeatResponse, sentMs: number): void {
    const { clock, heartbeatIntervalMs } = this.#options;
    this.#lastContactMs = sentMs;
    this.#isFailing = false;
    this.#backoff.reset();
    this.#told = undefined;
    if (this.#shutdown !== undefined && answer.shouldShutDown) {
      this.#shutdown.settle(true);
      return;
    }
    const paceMs = this.#shutdown === undefined ? heartbeatIntervalMs : SHUTDOWN_HEARTBEAT_MS;
    const afterMs = this.#hasNews ? PROMPT_HEARTBEAT_MS : Math.min(paceMs, heartbeatIntervalMs);
    this.#schedule(sentMs + afterMs - clock.monotonicMs());
  }

  #tell(cause: Failure, doing: 'register' | 'heartbeat'): void {
    const nowMs = this.#options.clock.monotonicMs();
    const told = this.#told;
    if (told?.error === cause.error && nowMs - told.atMs < RETRY_TOLD_EVERY_MS) return;
    this.#told = { error: cause.error, atMs: nowMs };
    this.#options.onRetry(cause, doing);
  }
}

const overError = (): TidemarkError => new TidemarkError('NETWORK_EXCEPTION', 'This node is shutting down.');
