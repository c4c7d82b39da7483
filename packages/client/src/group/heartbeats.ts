// Tells the coordinator at every interval that the member is there, and hears of rebalances. One request at a time; one that is not
// answered is given up in time for another within the session.
import { TidemarkError } from '@tidemark/core';
import type { Clock, Timer } from '@tidemark/core';
import { errorFromDetail, groupService } from '@tidemark/rpc';
import type { GroupSettings } from '../consumer-settings.ts';
import type { CoordinatorCalls } from './coordinator-calls.ts';
import type { MemberIdentity } from './member-identity.ts';

export interface HeartbeatsOptions {
  readonly settings: GroupSettings;
  readonly clock: Clock;
  readonly calls: CoordinatorCalls;
  /** The coordinator does not take the member for one, or wants it to join again. */
  readonly onRefused: (error: TidemarkError, identity: MemberIdentity) => void;
}

export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  #running: AbortController | undefined;
  #timer: Timer | undefined;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
  }

  start(identity: MemberIdentity): void {
    this.stop();
    const running = new AbortController();
    this.#running = running;
    const { clock, settings } = this.#options;
    const beat = (): void => {
      this.#timer = clock.setTimer(settings.heartbeatIntervalMs, () => {
        void this.#send(identity, running.signal).then(() => {
          if (!running.signal.aborted) beat();
        });
      });
    };
    beat();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#running?.abort(new Error('no more heartbeats'));
    this.#running = undefined;
  }

  async #send(identity: MemberIdentity, signal: AbortSignal): Promise<void> {
    const { settings, calls, onRefused } = this.#options;
    const request = {
      groupId: settings.groupId,
      generationId: identity.generation,
      memberId: identity.memberId,
      groupInstanceId: settings.instanceId ?? '',
    };
    const timeoutMs = Math.min(settings.requestTimeoutMs, Math.ceil(settings.sessionTimeoutMs / 3));
    try {
      const answer = await calls.call(groupService.Heartbeat, () => request, { timeoutMs, signal });
      const error = errorFromDetail(answer.error);
      if (error !== undefined && !signal.aborted) onRefused(error, identity);
    } catch (error) {
      if (signal.aborted) return;
      // Errors that pass do not come here: the call goes on until it is answered.
      const thrown =
        error instanceof TidemarkError
          ? error
          : new TidemarkError('UNKNOWN_SERVER_ERROR', String(error), { cause: error });
      onRefused(thrown, identity);
    }
  }
}
