// Percentiles of latencies, for a second and for the whole run.
import { expect } from 'chai';
import { LatencyHistogram } from '@tidemark/cli';

describe('the latency histogram', () => {
  it('finds percentiles within a tenth of a percent', () => {
    const histogram = new LatencyHistogram();
    for (let ms = 1; ms <= 10_000; ms++) histogram.record(ms);
    const { count, meanMs, p50Ms, p95Ms, p99Ms, p999Ms, maxMs } = histogram.total();
    expect(count).to.equal(10_000);
    expect(meanMs).to.be.closeTo(5_000.5, 5);
    expect(p50Ms).to.be.closeTo(5_000, 5);
    expect(p95Ms).to.be.closeTo(9_500, 10);
    expect(p99Ms).to.be.closeTo(9_900, 10);
    expect(p999Ms).to.be.closeTo(9_990, 10);
    expect(maxMs).to.equal(10_000);
  });

  it('keeps the seconds apart and the whole together', () => {
    const histogram = new LatencyHistogram();
    histogram.record(1);
    expect(histogram.takeInterval()).to.include({ count: 1, maxMs: 1 });
    histogram.record(5);
    histogram.record(7);
    expect(histogram.takeInterval()).to.include({ count: 2, maxMs: 7 });
    expect(histogram.takeInterval()).to.include({ count: 0, p99Ms: 0 });
    expect(histogram.total()).to.include({ count: 3, maxMs: 7 });
    expect(histogram.total().count).to.equal(3);
  });

  it('counts what is too short or too long at its edges', () => {
    const histogram = new LatencyHistogram();
    histogram.record(0);
    histogram.record(10 * 3_600_000);
    const { count, p50Ms, maxMs } = histogram.total();
    expect(count).to.equal(2);
    expect(p50Ms).to.equal(0.001);
    expect(maxMs).to.equal(3_600_000);
  });
});
