// ControllerDuties: the active controller's own work, done when it falls due. Contract: only between `activate` and `deactivate`,
// one round at a time, its commands one after another; asked for again when the metadata changed or the time has come, never
// more often than every `MIN_INTERVAL_MS`, and after a failure with pauses that grow.

import {
  FIRST_DUTIES,
  type ControllerCommand,
  type Duties,
  type DutyState,
  type MetadataImage,
  type SessionsView,
} from '@tidemark/controller';
import {
  type BrokerConfig,
  type Clock,
  errorTable,
  type Failure,
  isFailure,
  MAX_TIMER_MS,
  type Prng,
  type Timer,
} from '@tidemark/core';
import { Backoff } from './backoff.ts';

/** What is to be done, and when to ask again: `duties` of the controller package. */
export type DutiesOf = (
  image: MetadataImage,
  sessions: SessionsView,
  nowMs: number,
  config: BrokerConfig,
  state: DutyState,
) => Duties;

export interface ControllerDutiesOptions {
  readonly duties: DutiesOf;
  readonly config: BrokerConfig;
  /** Reset before `activate`. */
  readonly sessions: SessionsView;
  /** With everything decided so far, committed or not. */
  readonly image: () => MetadataImage;
  /** Calls back after every change of what is committed; answers how to stop. */
  readonly onImage: (listener: () => void) => () => void;
  /** To the controller of this very node. */
  readonly submit: (command: ControllerCommand) => Promise<object>;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly onFailure: (command: ControllerCommand, cause: Failure) => void;
  /** A bug: the process ends. */
  readonly onFatal: (cause: unknown) => void;
}

export const MIN_INTERVAL_MS = 5;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;
/** Most commands of one round; what is left is asked for again. */
const MAX_COMMANDS = 1000;

/** From one `activate` to the `deactivate` after it. */
interface Reign {
  state: DutyState;
  isWorking: boolean;
  /** The last round came to nothing; the next one is not hurried. */
  isPausing: boolean;
  /** How often the metadata has changed, or a session ended before its time. */
  changes: number;
  askedMs: number;
  timer: Timer | undefined;
  readonly stopListening: () => void;
}

export class ControllerDuties {
  readonly #options: ControllerDutiesOptions;
  readonly #backoff: Backoff;
  #reign: Reign | undefined;

  constructor(options: ControllerDutiesOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.prng, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  }

  get isActive(): boolean {
    return this.#reign !== undefined;
  }

  /** This node's controller is active from `nowMs`, by the monotonic clock. Begins anew if it was before. */
  activate(nowMs: number): void {
    this.deactivate();
    this.#backoff.reset();
    const reign: Reign = {
      state: FIRST_DUTIES,
      isWorking: false,
      isPausing: false,
      changes: 0,
      askedMs: -Infinity,
      timer: undefined,
      stopListening: this.#options.onImage(() => this.#news(reign)),
    };
    this.#reign = reign;
    this.#arm(reign, nowMs);
  }

  /** Nothing is submitted from now on. A command under way may still take effect, as it may when a controller dies. */
  deactivate(): void {
    this.#reign?.timer?.cancel();
    this.#reign?.stopListening();
    this.#reign = undefined;
  }

  /** A session has ended before its time: the next round does not wait for what was due until then. */
  hurry(): void {
    if (this.#reign !== undefined) this.#news(this.#reign);
  }

  #news(reign: Reign): void {
    reign.changes += 1;
    if (reign === this.#reign && !reign.isWorking && !reign.isPausing) {
      this.#arm(reign, reign.askedMs + MIN_INTERVAL_MS);
    }
  }

  #arm(reign: Reign, atMs: number): void {
    reign.timer?.cancel();
    if (atMs === Infinity) return;
    const delayMs = Math.min(Math.max(0, atMs - this.#options.clock.monotonicMs()), MAX_TIMER_MS);
    reign.timer = this.#options.clock.setTimer(delayMs, () => {
      this.#round(reign).catch(this.#options.onFatal);
    });
  }

  async #round(reign: Reign): Promise<void> {
    const { duties, image, sessions, clock, config } = this.#options;
    const before = image();
    reign.askedMs = clock.monotonicMs();
    const { changes } = reign;
    const { commands, nextAtMs, state } = duties(before, sessions, reign.askedMs, config, reign.state);
    reign.isWorking = true;
    const areAllDone = await this.#submitAll(reign, commands);
    reign.isWorking = false;
    if (reign !== this.#reign) return;
    const soonestMs = reign.askedMs + MIN_INTERVAL_MS;
    // What was refused, or done without effect, would be asked for again at once and for ever.
    reign.isPausing = !areAllDone || (commands.length > 0 && image() === before);
    if (areAllDone) reign.state = state;
    if (reign.isPausing) this.#arm(reign, clock.monotonicMs() + this.#backoff.next());
    else {
      this.#backoff.reset();
      this.#arm(reign, reign.changes > changes ? soonestMs : Math.max(soonestMs, nextAtMs));
    }
  }

  /** Whether every one was done. A refusal of one does not hold up the others; trouble that concerns them all does. */
  async #submitAll(reign: Reign, commands: readonly ControllerCommand[]): Promise<boolean> {
    let areAllDone = commands.length <= MAX_COMMANDS;
    for (const command of commands.slice(0, MAX_COMMANDS)) {
      if (this.#isOvertaken(command)) continue;
      const answer = await this.#options.submit(command);
      if (reign !== this.#reign) return false;
      if (!isFailure(answer)) continue;
      areAllDone = false;
      this.#options.onFailure(command, answer);
      if (errorTable[answer.error].retriable) break;
    }
    return areAllDone;
  }

  /** The broker was heard while the commands before were committed: after a standstill what all of them sent comes only then. */
  #isOvertaken(command: ControllerCommand): boolean {
    if (command.type !== 'fenceBroker') return false;
    const { sessions, clock } = this.#options;
    return (sessions.deadlineMs(command.brokerId) ?? -Infinity) > clock.monotonicMs();
  }
}
