// The Prometheus page. Names and labels as kafka_exporter has them, so that dashboards made for Kafka work, and beside them what
// only this broker knows. Gauges are read from the running parts when the page is asked for; nothing is kept twice.

import type * as PromClientModule from 'prom-client';
import { isBrokerContext, type BrokerContext, type NodeContext } from './broker-context.ts';
import { requestMetricsText } from './request-metrics.ts';

/** Partitions shown one by one; a node with more shows only sums, so that a scrape stays bounded. */
const MAX_PARTITIONS_SHOWN = 10_000;

type PromClient = typeof PromClientModule;
type Registry = InstanceType<PromClient['Registry']>;

export class MetricsPage {
  readonly #context: NodeContext;
  #registry: Promise<{ readonly registry: Registry; readonly client: PromClient }> | undefined;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  async render(): Promise<{ readonly contentType: string; readonly text: string }> {
    // The first scrape loads the library, so that a node nobody scrapes does without.
    this.#registry ??= this.#load();
    const { registry } = await this.#registry;
    const text = (await registry.metrics()) + requestMetricsText(this.#context.metrics);
    return { contentType: registry.contentType, text };
  }

  async #load(): Promise<{ readonly registry: Registry; readonly client: PromClient }> {
    const { default: client } = (await import('prom-client')) as unknown as { default: PromClient };
    const registry = new client.Registry();
    client.collectDefaultMetrics({ register: registry });
    addClusterGauges(client, registry, this.#context);
    addQuorumGauges(client, registry, this.#context);
    if (isBrokerContext(this.#context)) {
      addPartitionGauges(client, registry, this.#context);
      addGroupGauges(client, registry, this.#context);
      addMemoryGauges(client, registry, this.#context);
    }
    return { registry, client };
  }
}

interface Reading {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

function gauge(
  client: PromClient,
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  read: () => Iterable<Reading>,
): void {
  new client.Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels, value } of read()) this.set(labels, value);
    },
  });
}

const one = (value: number): Iterable<Reading> => [{ labels: {}, value }];

function addClusterGauges(client: PromClient, registry: Registry, { metadata }: NodeContext): void {
  const add = gauge.bind(undefined, client, registry);
  add('kafka_brokers', 'Number of Brokers in the Kafka Cluster.', [], () =>
    one(metadata.image.brokers().length),
  );
  add('kafka_broker_info', 'Information about the Kafka Broker.', ['id', 'address'], function* () {
    for (const { id, endpoints } of metadata.image.brokers()) {
      const client = endpoints.find(({ name }) => name.startsWith('CLIENT'));
      yield {
        labels: { id, address: client === undefined ? '' : `${client.host}:${client.port}` },
        value: 1,
      };
    }
  });
  add('kafka_topic_partitions', 'Number of partitions for this Topic', ['topic'], function* () {
    for (const topic of metadata.image.topics()) {
      yield { labels: { topic: topic.name }, value: topic.partitions.length };
    }
  });
  add('tidemark_unavailable_partitions', 'Partitions without a leader.', [], () => {
    let count = 0;
    for (const topic of metadata.image.topics()) {
      for (const partition of topic.partitions) if (partition.leader === -1) count += 1;
    }
    return one(count);
  });
  add('tidemark_under_replicated_replicas', 'Replicas that are not in sync.', [], () => {
    let count = 0;
    for (const topic of metadata.image.topics()) {
      for (const { replicas: all, isr } of topic.partitions) count += all.length - isr.length;
    }
    return one(count);
  });
}

/** Names of our own: Kafka's are JMX beans. */
function addQuorumGauges(client: PromClient, registry: Registry, { metadata }: NodeContext): void {
  const add = gauge.bind(undefined, client, registry);
  add('tidemark_quorum_term', 'Term of the metadata quorum.', [], () => one(metadata.term));
  add('tidemark_quorum_leader_id', 'Node that leads the metadata quorum; -1 when none is known.', [], () =>
    one(metadata.leader?.nodeId ?? -1),
  );
  add('tidemark_active_controller', '1 on the active controller.', [], () => one(metadata.isActive ? 1 : 0));
  add('tidemark_metadata_commit_offset', 'End of what is committed, as far as this node knows.', [], () =>
    one(metadata.quorum.commitOffset),
  );
  add('tidemark_metadata_applied_offset', 'End of what this node has applied.', [], () =>
    one(metadata.appliedOffset),
  );
  add('tidemark_metadata_snapshot_offset', 'End of what is in the stored image.', [], () =>
    one(metadata.quorum.snapshotOffset),
  );
}

function addPartitionGauges(client: PromClient, registry: Registry, context: BrokerContext): void {
  const { replicas } = context;
  const LABELS = ['topic', 'partition'];
  const shown = (): readonly ReturnType<typeof replicas.describeReplicas>[number][] => {
    const all = replicas.describeReplicas();
    return all.length > MAX_PARTITIONS_SHOWN ? [] : all;
  };
  const add = (
    name: string,
    help: string,
    value: (each: ReturnType<typeof shown>[number]) => number,
  ): void => {
    gauge(client, registry, name, help, LABELS, function* () {
      for (const each of shown()) {
        yield { labels: { topic: each.topic, partition: each.partition }, value: value(each) };
      }
    });
  };
  const partitionOf = (each: ReturnType<typeof shown>[number]) =>
    replicas.image.topicById(each.topicId)?.partitions[each.partition];
  add(
    'kafka_topic_partition_current_offset',
    'Current Offset of a Broker at Topic/Partition',
    (each) => each.highWatermark,
  );
  add(
    'kafka_topic_partition_oldest_offset',
    'Oldest Offset of a Broker at Topic/Partition',
    (each) => each.logStartOffset,
  );
  add(
    'kafka_topic_partition_leader',
    'Leader Broker ID of this Topic/Partition',
    (each) => partitionOf(each)?.leader ?? -1,
  );
  add(
    'kafka_topic_partition_leader_is_preferred',
    '1 if Topic/Partition is using the Preferred Broker',
    (each) => {
      const partition = partitionOf(each);
      return partition !== undefined && partition.leader === partition.replicas[0] ? 1 : 0;
    },
  );
  add(
    'kafka_topic_partition_replicas',
    'Number of Replicas for this Topic/Partition',
    (each) => partitionOf(each)?.replicas.length ?? 0,
  );
  add(
    'kafka_topic_partition_in_sync_replica',
    'Number of In-Sync Replicas for this Topic/Partition',
    (each) => partitionOf(each)?.isr.length ?? 0,
  );
  add(
    'kafka_topic_partition_under_replicated_partition',
    '1 if Topic/Partition is under Replicated',
    (each) => {
      const partition = partitionOf(each);
      return partition !== undefined && partition.isr.length < partition.replicas.length ? 1 : 0;
    },
  );
  add('tidemark_partition_size_bytes', 'Bytes of the partition on this node.', (each) => each.sizeBytes);
  add('tidemark_partition_unflushed_records', 'Records written but not yet on disk.', (each) =>
    Math.max(0, each.logEndOffset - each.flushedOffset),
  );
  gauge(client, registry, 'tidemark_log_size_bytes', 'Bytes of all partitions on this node.', [], () =>
    one(replicas.describeReplicas().reduce((sum, each) => sum + each.sizeBytes, 0)),
  );
}

/** Sums alone: a label for each group would be one for each name a client makes up. */
function addGroupGauges(client: PromClient, registry: Registry, { groups }: BrokerContext): void {
  const add = gauge.bind(undefined, client, registry);
  add('tidemark_groups', 'Groups this broker coordinates, by state.', ['state'], function* () {
    const counts = new Map<string, number>();
    for (const { state } of groups.list().groups) counts.set(state, (counts.get(state) ?? 0) + 1);
    for (const [state, value] of counts) yield { labels: { state }, value };
  });
  add(
    'tidemark_group_partitions',
    'Partitions of __consumer_offsets this broker leads: loading, active, or failed (its log says why).',
    ['state'],
    function* () {
      const { loading, active, failed } = groups.status.partitions;
      for (const [state, value] of Object.entries({ loading, active, failed })) {
        yield { labels: { state }, value };
      }
    },
  );
  add('tidemark_group_waiting_requests', 'Requests that wait for a rebalance or for a commit.', [], () =>
    one(groups.status.waitingRequests),
  );
  add('tidemark_group_uncommitted_bytes', 'Bytes of groups that are written and not committed.', [], () =>
    one(groups.status.uncommittedBytes),
  );
}

function addMemoryGauges(client: PromClient, registry: Registry, { replicas }: BrokerContext): void {
  const add = gauge.bind(undefined, client, registry);
  add('tidemark_request_bytes_in_flight', 'Produce bytes taken and not yet done with.', [], () =>
    one(replicas.requestBudget.usedBytes),
  );
  add('tidemark_response_bytes_in_flight', 'Fetched bytes not yet sent.', [], () =>
    one(replicas.responseBudget.usedBytes),
  );
  add('tidemark_waiting_fetches', 'Long polls that wait.', [], () => one(replicas.waitingFetches));
}
