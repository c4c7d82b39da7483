// The Prometheus page. Names and labels as kafka_exporter has them, so that dashboards made for Kafka work, and beside them what
// only this broker knows. Gauges are read from the running parts when the page is asked for; nothing is kept twice. What holds for
// the whole cluster is told by the active controller alone, so that sums over the nodes are right; the others name it without a value.

import type * as PromClientModule from 'prom-client';
import type { NodeContext } from '../broker-context.ts';
import type { GrpcNetwork } from '../grpc-network.ts';
import type { Readiness } from '../readiness.ts';
import { addClusterGauges } from './cluster-gauges.ts';
import { writeConsumerGroupMetrics } from './consumer-group-metrics.ts';
import { EventLoopDelay } from './event-loop-delay.ts';
import { Exposition } from './exposition.ts';
import type { AddGauge } from './gauge.ts';
import { addGroupGauges } from './group-gauges.ts';
import { addNodeGauges, type NodeGaugeSources } from './node-gauges.ts';
import { writePartitionMetrics } from './partition-metrics.ts';
import { writePeerMetrics } from './peer-metrics.ts';
import { addQuorumGauges } from './quorum-gauges.ts';
import type { ReplicationMetrics } from './replication-metrics.ts';
import type { StorageMetrics } from './storage-metrics.ts';

type PromClient = typeof PromClientModule;
type Registry = InstanceType<PromClient['Registry']>;

export interface MetricsSources extends NodeGaugeSources {
  readonly context: NodeContext;
  readonly readiness: Readiness;
  readonly storage: StorageMetrics;
  readonly replication: ReplicationMetrics;
  readonly network: GrpcNetwork;
}

/** Gauges named like counters, and the delay of the event loop, which is measured here from the start on. */
const UNWANTED = /^nodejs_(active_|eventloop_lag_)/;

export class MetricsPage {
  readonly #sources: MetricsSources;
  readonly #eventLoop = new EventLoopDelay();
  #registry: Promise<Registry> | undefined;
  #rendering: Promise<{ readonly contentType: string; readonly text: string }> | undefined;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
  }

  /** Scrapes that come while one is under way share it. */
  render(): Promise<{ readonly contentType: string; readonly text: string }> {
    this.#rendering ??= this.#render().finally(() => {
      this.#rendering = undefined;
    });
    return this.#rendering;
  }

  close(): void {
    this.#eventLoop.close();
  }

  async #render(): Promise<{ readonly contentType: string; readonly text: string }> {
    // The first scrape loads the library, so that a node nobody scrapes does without.
    this.#registry ??= this.#load();
    const registry = await this.#registry;
    const { context, storage, replication, network } = this.#sources;
    const page = new Exposition();
    context.metrics.write(page);
    replication.write(page);
    storage.write(page);
    writePeerMetrics(page, network);
    await writePartitionMetrics(page, context);
    await writeConsumerGroupMetrics(page, context);
    return { contentType: registry.contentType, text: (await registry.metrics()) + page.text };
  }

  async #load(): Promise<Registry> {
    const { default: client } = (await import('prom-client')) as unknown as { default: PromClient };
    const registry = new client.Registry();
    // Process, heap and garbage collection.
    client.collectDefaultMetrics({ register: registry });
    for (const { name } of await registry.getMetricsAsJSON()) {
      if (UNWANTED.test(name)) registry.removeSingleMetric(name);
    }
    const add = gaugeAdder(client, registry);
    addClusterGauges(add, this.#sources.context);
    addQuorumGauges(add, this.#sources.context);
    addNodeGauges(add, this.#sources);
    addGroupGauges(add, this.#sources.context);
    this.#eventLoop.add(add);
    return registry;
  }
}

function gaugeAdder(client: PromClient, registry: Registry): AddGauge {
  return (name, help, labelNames, read) => {
    new client.Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      async collect() {
        const readings = await read();
        this.reset();
        // A gauge without labels is 0 after a reset; what has no reading has no sample.
        if (labelNames.length === 0) this.remove();
        for (const { labels, value } of readings) this.set(labels, value);
      },
    });
  };
}
