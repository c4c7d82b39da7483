// What the active controller tells of the whole cluster.

import type { NodeContext } from '../broker-context.ts';
import { partitionHealth, type PartitionHealth } from '../handlers/partition-health.ts';
import { one, type AddGauge, type Reading } from './gauge.ts';

export function addClusterGauges(add: AddGauge, { metadata, config }: NodeContext): void {
  const whenActive = (read: () => Iterable<Reading>) => (): Iterable<Reading> =>
    metadata.isActive ? read() : [];
  // One pass over all partitions serves the gauges of one scrape: the image is another object after every change.
  let judged: { readonly image: unknown; readonly health: PartitionHealth } | undefined;
  const health = (): PartitionHealth => {
    const { image } = metadata;
    if (judged?.image !== image) judged = { image, health: partitionHealth(image, config) };
    return judged.health;
  };
  add(
    'kafka_brokers',
    'Number of Brokers in the Kafka Cluster.',
    [],
    whenActive(() => one(metadata.image.brokers().filter(({ fenced }) => !fenced).length)),
  );
  add(
    'kafka_broker_info',
    'Information about the Kafka Broker.',
    ['id', 'address'],
    whenActive(function* () {
      for (const { id, endpoints } of metadata.image.brokers()) {
        const client = endpoints.find(({ name }) => name.startsWith('CLIENT'));
        yield {
          labels: { id, address: client === undefined ? '' : `${client.host}:${client.port}` },
          value: 1,
        };
      }
    }),
  );
  add(
    'kafka_topic_partitions',
    'Number of partitions for this Topic',
    ['topic'],
    whenActive(function* () {
      let left = config.get('metrics.max.partitions');
      for (const topic of metadata.image.topics()) {
        if (left-- <= 0) return;
        yield { labels: { topic: topic.name }, value: topic.partitions.length };
      }
    }),
  );
  add(
    'tidemark_registered_brokers',
    'Brokers of the cluster, the fenced ones too.',
    [],
    whenActive(() => one(metadata.image.brokers().length)),
  );
  add(
    'tidemark_fenced_brokers',
    'Brokers that may not lead: silent, shutting down or starting.',
    [],
    whenActive(() => one(metadata.image.brokers().filter(({ fenced }) => fenced).length)),
  );
  add(
    'tidemark_offline_partitions',
    'Partitions without a leader.',
    [],
    whenActive(() => one(health().offline.count)),
  );
  add(
    'tidemark_under_min_isr_partitions',
    'Partitions with fewer in-sync replicas than min.insync.replicas: acks=all is refused.',
    [],
    whenActive(() => one(health().underMinIsr.count)),
  );
  add(
    'tidemark_under_replicated_partitions',
    'Partitions that lack in-sync replicas and are otherwise well.',
    [],
    whenActive(() => one(health().underReplicated.count)),
  );
}
