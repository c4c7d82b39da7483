// One member of a group, from joining to leaving: find the coordinator, join, sync, hold what was assigned, and again whenever the group
// rebalances (KIP-394, KIP-345, KIP-429). What it has and what is done with it is the consumer's: `PartitionHolder`.
//
// Contract: a member joins only when the application has nothing in its hands that the member has lost, and, under the eager protocol,
// nothing at all. Errors that pass are waited out with back-off; one that does not ends the membership, and is told once.
import { TidemarkError } from '@tidemark/core';
import type { Clock } from '@tidemark/core';
import { groupService } from '@tidemark/rpc';
import { backoffMs } from '../backoff.ts';
import type { GroupSettings } from '../consumer-settings.ts';
import type { TopicPartition } from '../leader-calls.ts';
import { pause, unlessAborted } from '../pause.ts';
import { nameOf, without } from './assignment.ts';
import type { CoordinatorCalls } from './coordinator-calls.ts';
import type { GroupEvent } from './group-events.ts';
import { Heartbeats } from './heartbeats.ts';
import { JoinRound } from './join-round.ts';
import { NOBODY } from './member-identity.ts';
import type { MemberIdentity } from './member-identity.ts';
import type { Subscription } from './subscription.ts';

/** Who has the partitions. */
export interface PartitionHolder {
  owned(): readonly TopicPartition[];
  /**
   * Gives them up in order: nothing more is handed out, the application gives back what it has, that is committed, the application
   * is told. Rejects, with everything as it was, only when the signal says so before the application is told.
   */
  revoke(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void>;
  /** They are gone already: drops them and tells the application. */
  lose(reason: string): Promise<void>;
  /** Takes them on, tells the application, and begins to hand out. */
  assign(added: readonly TopicPartition[], generation: number): Promise<void>;
  /** The same without waiting for the application's hands: it closes. */
  surrender(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void>;
  /** Resolves when the application has nothing in its hands. */
  whenReleased(signal: AbortSignal): Promise<void>;
  /** Resolves when the application asks for more. */
  whenHere(signal: AbortSignal): Promise<void>;
}

export interface MembershipOptions {
  readonly settings: GroupSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly calls: CoordinatorCalls;
  readonly subscription: Subscription;
  readonly holder: PartitionHolder;
  readonly onEvent: (event: GroupEvent) => void;
  /** The application must hear of it. */
  readonly onFailed: (error: TidemarkError) => void;
}

/** Something has happened that the step under way does not know: begin the next one from the beginning. */
class Interrupted extends Error {}

const LOST: ReadonlySet<string> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION']);

export class Membership {
  readonly #options: MembershipOptions;
  readonly #heartbeats: Heartbeats;
  #subscription: Subscription;
  #identity: MemberIdentity = NOBODY;
  /** What it had in the last generation: for the sticky assignor. */
  #before: readonly TopicPartition[] = [];
  #beforeGeneration = -1;
  /** Why it joins (again); undefined: nothing calls for it. */
  #rejoin: string | undefined = 'the consumer has subscribed';
  /** Why it has lost what it has, while the application has not been told. */
  #lost: string | undefined;
  #isInRound = false;
  #isOver = false;
  #isWaitingForApplication = false;
  #step = new AbortController();
  #wake: (() => void) | undefined;
  readonly #life: Promise<void>;

  constructor(options: MembershipOptions) {
    this.#options = options;
    const { settings, clock, calls } = options;
    this.#subscription = options.subscription;
    this.#heartbeats = new Heartbeats({
      settings,
      clock,
      calls,
      onRefused: (error, identity) => this.refused(error, identity),
    });
    this.#life = this.#live();
  }

  get identity(): MemberIdentity {
    return this.#identity;
  }

  /** A join is under way: the coordinator may be in a generation already that the member has not heard of. */
  get isInRound(): boolean {
    return this.#isInRound;
  }

  get isClosing(): boolean {
    return this.#isOver;
  }

  /** It wants other topics from now on. */
  resubscribe(subscription: Subscription): void {
    this.#subscription.close();
    this.#subscription = subscription;
    if (this.#isOver) subscription.close();
    else this.requestRejoin('the consumer has subscribed to other topics');
  }

  /** The group has to rebalance. */
  requestRejoin(reason: string): void {
    this.#rejoin ??= reason;
    this.#wake?.();
  }

  /** The coordinator answered a heartbeat or a commit of `identity` with it. */
  refused(error: TidemarkError, identity: MemberIdentity): void {
    if (this.#isOver || identity !== this.#identity) return;
    if (error.error === 'REBALANCE_IN_PROGRESS') this.requestRejoin('the group rebalances');
    else if (LOST.has(error.error)) this.#lose(error);
    else if (error.error === 'FENCED_INSTANCE_ID') this.#fail(error);
    // Of anything else a heartbeat is told again, and the join says more.
    else this.requestRejoin(error.message);
  }

  /** The application stays away too long: others get its partitions, and it may join again when it comes. */
  applicationIsLate(): void {
    if (this.#isOver) return;
    const { maxPollIntervalMs, instanceId } = this.#options.settings;
    const reason = `the application has not asked for more in max.poll.interval.ms (${maxPollIntervalMs} ms)`;
    this.#isWaitingForApplication = true;
    const { memberId } = this.#identity;
    // A static member falls silent; its session ends, unless it comes in time.
    const isStatic = instanceId !== undefined;
    this.#lose(new TidemarkError('UNKNOWN_MEMBER_ID', reason), isStatic);
    if (!isStatic && memberId !== '') void this.#leave(memberId, reason);
  }

  /** Gives up everything, as in a rebalance but for the application's hands, and leaves. Static members stay. Idempotent. */
  async close(reason: string, timeoutMs: number): Promise<void> {
    const { clock, holder, settings } = this.#options;
    if (!this.#isOver) {
      this.#isOver = true;
      this.#interrupt();
      this.#subscription.close();
    }
    const over = new AbortController();
    const timer = clock.setTimer(timeoutMs, () => over.abort(new Interrupted()));
    try {
      // A callback may be running still.
      await unlessAborted(this.#life, over.signal);
      const owned = holder.owned();
      if (owned.length > 0) await unlessAborted(holder.surrender(owned, over.signal), over.signal);
    } catch (error) {
      // The time is over: it leaves as it is, and what was not committed is read again.
      if (!(error instanceof Interrupted)) throw error;
    } finally {
      timer.cancel();
      this.#heartbeats.stop();
    }
    const { memberId } = this.#identity;
    this.#identity = NOBODY;
    if (memberId !== '' && settings.instanceId === undefined) await this.#leave(memberId, reason, timeoutMs);
  }

  async #live(): Promise<void> {
    // The caller gets to know the object first.
    await Promise.resolve();
    let failures = 0;
    while (!this.#isOver) {
      this.#step = new AbortController();
      try {
        await this.#turn(this.#step.signal);
        failures = 0;
      } catch (error) {
        if (error instanceof Interrupted || this.#hasEnded()) continue;
        if (!(error instanceof TidemarkError)) {
          this.#fail(new TidemarkError('UNKNOWN_SERVER_ERROR', String(error), { cause: error }));
        } else if (LOST.has(error.error)) this.#lose(error);
        else if (error.error !== 'REBALANCE_IN_PROGRESS' && !error.retriable) this.#fail(error);
        else {
          this.#rejoin ??= error.message;
          if (error.retriable) this.#options.onEvent({ type: 'retrying', error });
        }
        failures += 1;
        const mayPass = error instanceof TidemarkError && error.retriable;
        if (failures > 1 || mayPass) await this.#backOff(failures);
      }
    }
    if (this.#lost !== undefined) await this.#options.holder.lose(this.#lost);
  }

  /** One thing after the other, as far as nothing comes in between. */
  async #turn(signal: AbortSignal): Promise<void> {
    const { holder, settings } = this.#options;
    if (this.#lost !== undefined) {
      const reason = this.#lost;
      this.#lost = undefined;
      await holder.lose(reason);
      // Otherwise what it was given under the old generation would be committed under the new one.
      await holder.whenReleased(signal);
    }
    if (this.#isWaitingForApplication) {
      await holder.whenHere(signal);
      this.#isWaitingForApplication = false;
    }
    if (this.#rejoin === undefined) {
      await this.#quiet(signal);
      return;
    }
    await this.#prepare(signal);
    const round = await this.#round(signal);
    const owned = holder.owned();
    const added = without(round.assigned, owned);
    const revoked = without(owned, round.assigned);
    this.#before = round.assigned;
    this.#beforeGeneration = this.#identity.generation;
    if (revoked.length > 0) {
      await holder.revoke(revoked, signal);
      // Only now may the others have them.
      if (settings.rebalancing === 'cooperative') {
        this.requestRejoin(`it has given up ${revoked.map(nameOf).join(', ')}`);
      }
    }
    await holder.assign(added, this.#identity.generation);
  }

  /** What must be given up before joining. */
  async #prepare(signal: AbortSignal): Promise<void> {
    const { holder, settings } = this.#options;
    const subscription = this.#subscription;
    await unlessAborted(subscription.ready(), signal);
    const owned = holder.owned();
    const topics = new Set(subscription.topics());
    const given = settings.rebalancing === 'eager' ? owned : owned.filter(({ topic }) => !topics.has(topic));
    if (given.length > 0) await holder.revoke(given, signal);
  }

  async #round(signal: AbortSignal): Promise<{ readonly assigned: readonly TopicPartition[] }> {
    const { settings, calls, holder, onEvent } = this.#options;
    onEvent({ type: 'joining', reason: this.#rejoin ?? '' });
    this.#heartbeats.stop();
    this.#isInRound = true;
    const round = new JoinRound({
      settings,
      calls,
      subscription: this.#subscription,
      memberId: () => this.#identity.memberId,
      ownership: {
        owned: holder.owned(),
        before: this.#before,
        generation: this.#beforeGeneration,
      },
      onMemberId: (memberId) => (this.#identity = { memberId, generation: this.#identity.generation }),
    });
    const reason = this.#rejoin ?? '';
    this.#rejoin = undefined;
    try {
      const joined = await round.join(reason, signal);
      const { memberId, generationId: generation, protocolName: protocol, leader } = joined;
      this.#identity = { memberId, generation };
      this.#heartbeats.start(this.#identity);
      onEvent({ type: 'joined', generation, memberId, protocol, isLeader: leader === memberId });
      return { assigned: await round.sync(joined, signal) };
    } catch (error) {
      this.#rejoin ??= reason;
      throw error;
    } finally {
      this.#isInRound = false;
    }
  }

  /** Until something calls for a rebalance. */
  async #quiet(signal: AbortSignal): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#rejoin !== undefined) return;
    try {
      await unlessAborted(woken, signal);
    } finally {
      this.#wake = undefined;
    }
  }

  /** It is no member any more, whatever it believes it has. */
  #lose(error: TidemarkError, keepsId = error.error === 'ILLEGAL_GENERATION'): void {
    this.#heartbeats.stop();
    this.#identity = { memberId: keepsId ? this.#identity.memberId : '', generation: -1 };
    this.#before = [];
    this.#beforeGeneration = -1;
    this.#lost = error.detail;
    this.#rejoin = error.detail;
    this.#interrupt();
  }

  #fail(error: TidemarkError): void {
    const { onEvent, onFailed } = this.#options;
    this.#heartbeats.stop();
    this.#isOver = true;
    this.#lost = error.detail;
    // A fenced instance has been replaced by another process; it must not make that one leave.
    this.#identity = NOBODY;
    this.#subscription.close();
    this.#interrupt();
    onEvent({ type: 'failed', error });
    onFailed(error);
  }

  async #leave(memberId: string, reason: string, timeoutMs?: number): Promise<void> {
    const { settings, calls, clock, onEvent } = this.#options;
    const deadlineMs = clock.monotonicMs() + Math.min(timeoutMs ?? Infinity, settings.requestTimeoutMs);
    const members = [{ memberId, groupInstanceId: '', reason }];
    try {
      await calls.call(groupService.LeaveGroup, () => ({ groupId: settings.groupId, members }), {
        deadlineMs,
      });
      onEvent({ type: 'left', reason });
    } catch (error) {
      if (!(error instanceof TidemarkError)) throw error;
      // The session ends by itself; that only takes longer.
      onEvent({ type: 'retrying', error });
    }
  }

  #interrupt(): void {
    this.#step.abort(new Interrupted());
    this.#wake?.();
  }

  #hasEnded(): boolean {
    return this.#isOver;
  }

  async #backOff(failures: number): Promise<void> {
    const { clock, random, settings } = this.#options;
    try {
      await pause(clock, backoffMs(settings.retryBackoff, failures, random), this.#step.signal);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    }
  }
}
