// What every fault did to the writers: acknowledgements while it lasted, and the pause of each partition until it went on. Judges the
// two rules of liveness: a minority that is gone does not stop the others, and what is healed goes on.
import type { AckWatch } from './ack-watch.ts';
import type { Fault, FaultContext } from './faults.ts';
import type { RecordedHistory } from './recorded-history.ts';

/** While one broker of three is gone and two in-sync replicas are enough (Redpanda's `progress_during_fault`). */
const MIN_PROGRESS = 100;

export interface Strike {
  readonly name: string;
  /** From 1, over all faults. */
  readonly number: number;
  /** Since the run began. */
  readonly atMs: number;
  readonly lastedMs: number;
  readonly acknowledged: number;
  /** Whether at least `MIN_PROGRESS` had to be acknowledged. */
  readonly isPromised: boolean;
  /** Longest time without an acknowledgement, of each partition. */
  readonly pausesMs: ReadonlyMap<string, number>;
}

export function worstPause(pausesMs: ReadonlyMap<string, number>): readonly [tp: string, ms: number] {
  return [...pausesMs].reduce((worst, each) => (each[1] > worst[1] ? each : worst));
}

export class FaultLog {
  readonly strikes: Strike[] = [];
  /** Between what was struck, one after the other. */
  longestBetweenMs = 0;
  readonly #history: RecordedHistory;
  readonly #watch: AckWatch;
  readonly #silentMs: number;
  readonly #say: (line: string) => void;
  readonly #beganMs = performance.now();
  #struckMs = performance.now();

  constructor(options: {
    readonly history: RecordedHistory;
    readonly watch: AckWatch;
    readonly silentMs: number;
    readonly say: (line: string) => void;
  }) {
    this.#history = options.history;
    this.#watch = options.watch;
    this.#silentMs = options.silentMs;
    this.#say = options.say;
  }

  get elapsedMs(): number {
    return performance.now() - this.#beganMs;
  }

  /** Since something was struck. */
  get sinceStrikeMs(): number {
    return performance.now() - this.#struckMs;
  }

  /** `isWhole`: every replica is in sync, so that one broker less leaves enough. */
  async strike(fault: Fault, context: FaultContext, isWhole: boolean): Promise<void> {
    const { name } = fault;
    const watch = this.#watch;
    const number = this.strikes.length + 1;
    const title = `${name} #${number}`;
    this.#history.tell('faultBegan', name);
    watch.forget();
    const atMs = this.elapsedMs;
    let beganMs = performance.now();
    let before = watch.acknowledged;
    let isFirst = true;
    await fault.run(context, (what) => {
      const now = performance.now();
      this.longestBetweenMs = Math.max(this.longestBetweenMs, Math.round(now - this.#struckMs));
      this.#struckMs = now;
      if (isFirst) [beganMs, before, isFirst] = [now, watch.acknowledged, false];
      this.#tell(`${title}: ${what}`);
    });
    const lastedMs = Math.round(performance.now() - beganMs);
    const acknowledged = watch.acknowledged - before;
    this.#history.tell('faultHealed');
    const silent = await watch.silent(this.#silentMs);
    const pausesMs = watch.pauses();
    const isPromised = isWhole && fault.promise === 'progress';
    this.strikes.push({ name, number, atMs, lastedMs, acknowledged, isPromised, pausesMs });
    const [tp, pauseMs] = worstPause(pausesMs);
    if (isPromised && acknowledged < MIN_PROGRESS) {
      const what = `${title}: ${acknowledged} acknowledged in ${lastedMs} ms, not ${MIN_PROGRESS}; ${tp} paused ${pauseMs} ms`;
      this.#history.tell('noProgressDuringFault', what);
    }
    if (silent.length > 0) {
      const what = `${title}: ${silent.join(', ')} acknowledged nothing for ${this.#silentMs} ms after it was healed`;
      this.#history.tell('noProgressAfterHeal', what);
    }
    const hurried = isWhole ? '' : '; began before all replicas were in sync';
    this.#tell(
      `${title} healed after ${lastedMs} ms, ${acknowledged} acknowledged meanwhile; longest pause ${pauseMs} ms, ${tp}${hurried}`,
    );
  }

  #tell(line: string): void {
    this.#say(`${(this.elapsedMs / 1_000).toFixed(1).padStart(7)} s  ${line}`);
  }
}
