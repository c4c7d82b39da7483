// Latencies in a fixed amount of memory: microseconds in Node's HDR histogram (perf_hooks.createHistogram), so percentiles of
// a billion samples cost what those of ten cost. Two of them: one for the current second, one for the whole run.
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

const HIGHEST_US = 3_600_000_000;
const round = (us: number): number => Math.round(us) / 1_000;

/** The histogram answers with the upper edge of a bucket, the largest sample is kept beside it exactly. */
function summarize(histogram: RecordableHistogram, maxUs: number): LatencySummary {
  if (histogram.count === 0) {
    return { count: 0, meanMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 };
  }
  const percentile = (p: number): number => round(Math.min(histogram.percentile(p), maxUs));
  return {
    count: histogram.count,
    meanMs: round(histogram.mean),
    p50Ms: percentile(50),
    p95Ms: percentile(95),
    p99Ms: percentile(99),
    p999Ms: percentile(99.9),
    maxMs: round(maxUs),
  };
}

export class LatencyHistogram {
  readonly #total = createHistogram({ highest: HIGHEST_US, figures: 3 });
  readonly #interval = createHistogram({ highest: HIGHEST_US, figures: 3 });
  #totalMaxUs = 0;
  #intervalMaxUs = 0;

  /** `latencyMs` from 0 (counted as one microsecond) to an hour (longer counts as an hour). */
  record(latencyMs: number): void {
    const us = Math.min(Math.max(Math.round(latencyMs * 1_000), 1), HIGHEST_US);
    if (us > this.#intervalMaxUs) this.#intervalMaxUs = us;
    this.#interval.record(us);
  }

  /** The samples since the last call; they then belong to the total only. */
  takeInterval(): LatencySummary {
    const summary = summarize(this.#interval, this.#intervalMaxUs);
    this.#total.add(this.#interval);
    this.#totalMaxUs = Math.max(this.#totalMaxUs, this.#intervalMaxUs);
    this.#interval.reset();
    this.#intervalMaxUs = 0;
    return summary;
  }

  /** All samples so far. */
  total(): LatencySummary {
    this.takeInterval();
    return summarize(this.#total, this.#totalMaxUs);
  }
}
