// How late the event loop turns, as gauges over the time since the last scrape. Measured from the start of the node on, so that the
// first scrape has something to tell.

import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { AddGauge } from './gauge.ts';

const RESOLUTION_MS = 20;
/** Not a label named `quantile`, which is kept for summaries. */
const PERCENTILES = { p50: 50, p90: 90, p99: 99, max: 100 } as const;

export class EventLoopDelay {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  add(add: AddGauge): void {
    add(
      'tidemark_event_loop_delay_seconds',
      'How late the event loop turned since the last scrape.',
      ['percentile'],
      () => {
        const readings = Object.entries(PERCENTILES).map(([percentile, percent]) => ({
          labels: { percentile },
          value: this.#seconds(percent),
        }));
        this.#histogram.reset();
        return readings;
      },
    );
  }

  close(): void {
    this.#histogram.disable();
  }

  /** Node counts from one turn of its timer to the next, the timer's own time included. */
  #seconds(percent: number): number {
    if (this.#histogram.count === 0) return 0;
    return Math.max(0, this.#histogram.percentile(percent) / 1e9 - RESOLUTION_MS / 1e3);
  }
}
