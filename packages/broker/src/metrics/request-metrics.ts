// What the listeners count, per RPC: requests, bytes, errors and latencies. RPC names are ours and few, so the labels are bounded.

import type { Exposition, MetricType } from './exposition.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { SecurityMetrics } from './security-metrics.ts';

export class RpcMetrics {
  readonly latency = new LatencyHistogram();
  failures = 0;
  requestBytes = 0;
  responseBytes = 0;
  /** Streams open at the moment. */
  streams = 0;

  observe(latencyMs: number, failed: boolean): void {
    this.latency.observe(latencyMs);
    if (failed) this.failures += 1;
  }
}

export class RequestMetrics {
  readonly #rpcs = new Map<string, RpcMetrics>();
  readonly security = new SecurityMetrics();

  rpc(name: string): RpcMetrics {
    const known = this.#rpcs.get(name);
    if (known !== undefined) return known;
    const made = new RpcMetrics();
    this.#rpcs.set(name, made);
    return made;
  }

  write(page: Exposition): void {
    const rpcs = [...this.#rpcs];
    const latency = 'tidemark_request_latency_seconds';
    page.family(
      latency,
      'histogram',
      'Time from a request to its answer.',
      rpcs.flatMap(([rpc, of]) => of.latency.rows(latency, `rpc="${rpc}"`)),
    );
    const single = (name: string, type: MetricType, help: string, value: (of: RpcMetrics) => number): void =>
      page.family(
        name,
        type,
        help,
        rpcs.map(([rpc, of]) => `${name}{rpc="${rpc}"} ${value(of)}`),
      );
    single(
      'tidemark_request_errors_total',
      'counter',
      'Requests with an error in their answer.',
      (of) => of.failures,
    );
    single('tidemark_request_bytes_total', 'counter', 'Record bytes received.', (of) => of.requestBytes);
    single('tidemark_response_bytes_total', 'counter', 'Record bytes sent.', (of) => of.responseBytes);
    single('tidemark_open_streams', 'gauge', 'Streams open at the moment.', (of) => of.streams);
    this.security.write(page);
  }
}
