// What the listeners count, per RPC: requests, bytes, errors and a latency histogram. Plain arrays, because this runs for every
// request; the metrics page turns them into text when it is asked. RPC names are ours and few, so there is no label explosion.

/** Upper bounds in seconds: from half a millisecond to half a minute, the time a produce may wait. */
export const LATENCY_BOUNDS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

export class RpcMetrics {
  /** One more than the bounds: the last one counts what is above them all. */
  readonly buckets = new Float64Array(LATENCY_BOUNDS_SECONDS.length + 1);
  latencySumSeconds = 0;
  requests = 0;
  failures = 0;
  requestBytes = 0;
  responseBytes = 0;
  /** Streams open at the moment. */
  streams = 0;

  observe(latencyMs: number, failed: boolean): void {
    const seconds = latencyMs / 1000;
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS_SECONDS.length && seconds > LATENCY_BOUNDS_SECONDS[bucket]!) bucket += 1;
    this.buckets[bucket] = this.buckets[bucket]! + 1;
    this.latencySumSeconds += seconds;
    this.requests += 1;
    if (failed) this.failures += 1;
  }
}

export class RequestMetrics {
  readonly #rpcs = new Map<string, RpcMetrics>();

  rpc(name: string): RpcMetrics {
    const known = this.#rpcs.get(name);
    if (known !== undefined) return known;
    const made = new RpcMetrics();
    this.#rpcs.set(name, made);
    return made;
  }

  all(): Iterable<readonly [string, RpcMetrics]> {
    return this.#rpcs;
  }
}

/** The Prometheus text of the request metrics. */
export function requestMetricsText(metrics: RequestMetrics): string {
  const lines: string[] = [];
  const family = (
    name: string,
    type: string,
    help: string,
    rows: (rpc: string, of: RpcMetrics) => string[],
  ): void => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [rpc, of] of metrics.all()) lines.push(...rows(rpc, of));
  };
  const single = (name: string, type: string, help: string, value: (of: RpcMetrics) => number): void => {
    family(name, type, help, (rpc, of) => [`${name}{rpc="${rpc}"} ${value(of)}`]);
  };
  family('tidemark_request_latency_seconds', 'histogram', 'Time from a request to its answer.', (rpc, of) => {
    let cumulative = 0;
    const rows = LATENCY_BOUNDS_SECONDS.map((bound, at) => {
      cumulative += of.buckets[at]!;
      return `tidemark_request_latency_seconds_bucket{rpc="${rpc}",le="${bound}"} ${cumulative}`;
    });
    return [
      ...rows,
      `tidemark_request_latency_seconds_bucket{rpc="${rpc}",le="+Inf"} ${of.requests}`,
      `tidemark_request_latency_seconds_sum{rpc="${rpc}"} ${of.latencySumSeconds}`,
      `tidemark_request_latency_seconds_count{rpc="${rpc}"} ${of.requests}`,
    ];
  });
  single(
    'tidemark_request_errors_total',
    'counter',
    'Requests with an error in their answer.',
    (of) => of.failures,
  );
  single('tidemark_request_bytes_total', 'counter', 'Record bytes received.', (of) => of.requestBytes);
  single('tidemark_response_bytes_total', 'counter', 'Record bytes sent.', (of) => of.responseBytes);
  single('tidemark_open_streams', 'gauge', 'Streams open at the moment.', (of) => of.streams);
  return `${lines.join('\n')}\n`;
}
