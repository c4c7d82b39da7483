// What a run found wrong: the first thing counts, with where the run was and what had just happened. What follows from it is noise.

import { type SimClock } from '../sim-clock.ts';

export const checkerNames = [
  'election-safety',
  'leader-append-only',
  'log-matching',
  'leader-completeness',
  'leader-commit',
  'state-machine-safety',
  'one-vote-per-term',
  'voter-change',
  'image-equality',
  'controller-invariants',
  'linearizable-read',
  'acknowledged-command-lost',
  'applied-twice',
  'lost-write',
  'inconsistent-offsets',
  'duplicate',
  'reordered',
  'phantom',
  'poll-skip',
  'offset-gap',
  /** Two nodes lead a partition in one epoch. */
  'two-leaders-in-epoch',
  'precommitted-read',
  'replica-mismatch',
  /** A replica that may lead lacks something committed (P10). */
  'in-sync-behind',
  /** A log was cut below what was committed (P8). */
  'high-watermark-cut',
  /** A replica knew more to be committed (P8). */
  'high-watermark-regressed',
  /** A failed sync was taken for one that can be tried again. */
  'sync-after-failure',
  /** A replica that may lead has records that somebody was told to be deleted. */
  'deleted-record-back',
  /** A partition of a group's topics was assigned twice in one generation. */
  'two-owners',
  /** A commit of a generation was taken after a later one was told. */
  'stale-generation',
  /** A committed offset was fetched as an older one, or as one that nobody committed. */
  'group-offset-lost',
  'liveness',
  /** A node threw: a broken invariant, or a rejection nobody handled. */
  'node-failed',
] as const;
export type CheckerName = (typeof checkerNames)[number];

export interface Violation {
  readonly checker: CheckerName;
  readonly what: string;
  /** Virtual time, in ms. */
  readonly atMs: number;
  /** Events that had happened. */
  readonly event: number;
  /** The last of them, oldest first. */
  readonly trace: readonly string[];
}

export type Report = (checker: CheckerName, what: string) => void;

export class Violations {
  readonly #clock: SimClock;
  #first: Violation | undefined;

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  get first(): Violation | undefined {
    return this.#first;
  }

  readonly report: Report = (checker, what) => {
    if (this.#first !== undefined) return;
    const { trace, events } = this.#clock;
    trace.note('VIOLATION', checker);
    this.#first = { checker, what, atMs: this.#clock.monotonicMs(), event: events, trace: trace.tail() };
  };
}
